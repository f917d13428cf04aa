"""Collects the answers of one speaker in rounds; it is loaded once for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from many_wolves.collection import Collected, answers_to, peek
from many_wolves.contracts import Observations
from many_wolves.records import Response, SpeakerSpec
from many_wolves.speakers import Feed, Request, Speaker
from many_wolves.workflows.adaptive import (
    Adaptive,
    AdaptiveRequest,
    Journalled,
    collect_in_rounds,
)
from many_wolves.workflows.choices import Selection, tabulated
from many_wolves.workflows.collect import Vignettes, opener
from many_wolves.workflows.data import of_one


def ask_in_rounds(
    path: Path, asked: Vignettes, request: AdaptiveRequest, say: Callable[[str], None]
) -> Adaptive:
    """Ask one speaker the trials of a file in rounds; it is loaded once.

    Parameters
    ----------
    path
        The file of the trials.
    asked
        The trials, the speaker and its journal.
    request
        Settings of the rounds.
    say
        Receives messages for the user.

    Raises
    ------
    WolvesError
        As in ``collect_in_rounds``, or if the speaker cannot be loaded.
    """
    opened: list[_Kept] = []

    def open_once() -> Speaker:
        if not opened:
            opened.append(_Kept(opener(asked.wanted, asked.spec, asked.family)()))
        return opened[0]

    def ask(replicates: Mapping[str, int]) -> Collected:
        return replace(asked, replicates=replicates).ask(say, open_speaker=open_once)

    book = Journalled(
        ask,
        lambda: answers_to(asked.trials, asked.spec, peek(asked.journal)),
        lambda: _observed(path, asked.journal),
    )
    folder = asked.journal.with_name(f"{asked.journal.stem}.adaptive")
    try:
        return collect_in_rounds(asked.trials, book, request, folder)
    finally:
        for kept in opened:
            kept.speaker.close()


def _observed(trials: Path, journal: Path) -> Observations:
    """The answers to the trials, as a table."""
    return of_one(tabulated([journal], Selection(trials=trials)), None, journal)


@dataclass
class _Kept:
    """A speaker that stays open from round to round; its spending limit is that of all rounds."""

    speaker: Speaker

    @property
    def spec(self) -> SpeakerSpec:
        """The speaker."""
        return self.speaker.spec

    @property
    def stopped(self) -> str:
        """Why the speaker stopped, in words."""
        return self.speaker.stopped

    def ask(self, requests: Feed | Sequence[Request], halt: threading.Event) -> Iterator[Response]:
        """Answer every request."""
        return self.speaker.ask(requests, halt)

    def close(self) -> None:
        """Do nothing: the speaker is used again in the next round."""
