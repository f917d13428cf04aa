"""``wolves collect --adaptive``: ask in rounds until the intervals are narrow enough."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from many_wolves.collection import Collected, answers_to, collect, peek
from many_wolves.commands.collect_output import (
    FAILED,
    INTERRUPTED,
    OK,
    conclude,
    loading,
    say,
)
from many_wolves.commands.design import ABOUT, MOST
from many_wolves.commands.options import names_of, together
from many_wolves.contracts import Observations, TaskFamily
from many_wolves.errors import WolvesError
from many_wolves.records import Choose, Response, SpeakerSpec, Trial
from many_wolves.speakers import Feed, Request, Speaker
from many_wolves.speakers.speaker_request import SpeakerRequest, describe, open_speaker
from many_wolves.workflows.adaptive import (
    MOST_CALLS,
    PER_ROUND,
    Adaptive,
    AdaptiveRequest,
    Journalled,
    collect_in_rounds,
)
from many_wolves.workflows.design import DesignRequest, designing_model
from many_wolves.workflows.rehearsal import rehearse
from many_wolves.worlds import SPEAKER

OPTIONS = together(
    click.option(
        "--adaptive",
        is_flag=True,
        help="Ask in rounds: the trials with the most expected information first.",
    ),
    ABOUT,
    click.option(
        "--width",
        type=click.FloatRange(0, min_open=True),
        help="Adaptive: stop when all 95 % intervals are at most this wide.",
    ),
    click.option(
        "--per_round",
        type=click.IntRange(1),
        help=f"Adaptive: calls per round (default: {PER_ROUND}).",
    ),
    click.option(
        "--max_calls",
        type=click.IntRange(1),
        help=f"Adaptive: calls in all, earlier ones included (default: {MOST_CALLS}).",
    ),
    MOST,
    click.option(
        "--model_options",
        metavar="JSON",
        help='Adaptive: options of the cognitive model, such as \'{"literal": "fixed"}\'.',
    ),
)
"""Options of an adaptive collection."""
_OWN = ("about", "width", "per_round", "max_calls", "most", "model_options")
ENDS = {
    "width": "All intervals are narrow enough.",
    "max_calls": "Stopped at --max-calls: not all intervals are narrow enough.",
    "trials": "No trial is left: every prompt has --max-replicates answers.",
}


def request_of(options: dict[str, Any]) -> AdaptiveRequest | None:
    """The request among the options of `wolves collect`, which are taken out; None without one.

    Raises
    ------
    WolvesError
        If an option is at fault.
    """
    adaptive = options.pop("adaptive")
    own = {name: options.pop(name) for name in _OWN}
    given = [name for name, value in own.items() if value not in (None, "")]
    if not adaptive:
        if given:
            name = "max-replicates" if given[0] == "most" else given[0].replace("_", "-")
            raise WolvesError(f"--{name} needs --adaptive", fix="add --adaptive, or leave it out")
        return None
    if own["width"] is None and own["max_calls"] is None:
        raise WolvesError(
            "--adaptive needs to know when to stop", fix="--width 0.2, or --max-calls 500"
        )
    design = DesignRequest(
        about=tuple(names_of(own["about"])),
        width=own["width"],
        most=own["most"],
        options=_json(own["model_options"]),
        seed=options["seed"],
    )
    return AdaptiveRequest(design, own["per_round"] or PER_ROUND, own["max_calls"] or MOST_CALLS)


def _json(words: str | None) -> dict[str, Any]:
    try:
        found = json.loads(words or "{}")
    except ValueError as error:
        raise WolvesError(
            f"--model-options holds no JSON: {error}",
            fix='--model-options \'{"literal": "fixed"}\'',
        ) from error
    if not isinstance(found, dict):
        raise WolvesError(
            "expected options by name in --model-options",
            fix='--model-options \'{"literal": "fixed"}\'',
        )
    return found


def check(
    request: AdaptiveRequest,
    family: TaskFamily,
    several: Sequence[SpeakerRequest],
    replicates: int,
    *,
    idle: bool,
) -> None:
    """Refuse what cannot be asked in rounds.

    Raises
    ------
    WolvesError
        If the family has no model for it, or an option does not fit.
    """
    designing_model(family.name, request.design.model)
    if several[0].mode == "score":
        raise WolvesError(
            "--adaptive counts sampled answers; in score mode one call gives all probabilities",
            fix="leave --mode score or --adaptive out",
        )
    if replicates > 1:
        raise WolvesError(
            "--adaptive chooses the number of replicates",
            fix=f"--max-replicates {replicates} for the largest number of answers to one prompt",
        )
    if idle:
        raise WolvesError(
            "--adaptive decides after each round what it asks next",
            fix="`wolves design` shows the first round; or leave --dry-run and --explain out",
        )


@dataclass
class _Kept:
    """A speaker that stays open from round to round; its spending limit is that of all rounds."""

    speaker: Speaker

    @property
    def spec(self) -> SpeakerSpec:
        """Who answers."""
        return self.speaker.spec

    @property
    def stopped(self) -> str:
        """Why it asked no more of its own accord."""
        return self.speaker.stopped

    def ask(self, requests: Feed | Sequence[Request], halt: threading.Event) -> Iterator[Response]:
        """Answer every request."""
        return self.speaker.ask(requests, halt)

    def close(self) -> None:
        """Nothing: the speaker is asked again in the next round."""


def one(
    path: Path,
    trials: list[Trial],
    wanted: SpeakerRequest,
    out: Path,
    request: AdaptiveRequest,
) -> int:
    """Ask one speaker in rounds; the exit status."""
    from many_wolves import families

    family = families.get(trials[0].family)
    sampled = not all(isinstance(trial.answer, Choose) for trial in trials)
    spec = loading(lambda: describe(wanted, sampled=sampled))
    rehearse({SPEAKER: wanted}, {SPEAKER: spec}, family, trials)
    journal = out if out.suffix == ".jsonl" else out / family.name / f"{spec.slug}.jsonl"
    opened: list[_Kept] = []

    def open_once() -> Speaker:
        if not opened:
            found = loading(lambda: open_speaker(wanted, spec, family.simulator))
            opened.append(_Kept(found))
        return opened[0]

    def ask(replicates: Mapping[str, int]) -> Collected:
        return collect(
            trials,
            replicates=replicates,
            spec=spec,
            open_speaker=open_once,
            reader=family.read,
            journal=journal,
            say=say,
        )

    book = Journalled(
        ask,
        lambda: answers_to(trials, spec, peek(journal)),
        lambda: _observed(path, journal),
    )
    folder = journal.with_name(f"{journal.stem}.adaptive")
    try:
        done = collect_in_rounds(trials, book, request, folder)
    finally:
        for kept in opened:
            kept.speaker.close()
    return _conclude(done, spec, journal)


def _observed(trials: Path, journal: Path) -> Observations:
    """The answers to the trials, as a table."""
    from many_wolves.workflows.choices import Selection, tabulated
    from many_wolves.workflows.data import of_one

    return of_one(tabulated([journal], Selection(trials=trials)), None, journal)


def _conclude(done: Adaptive, spec: SpeakerSpec, journal: Path) -> int:
    """Print how it ended; the exit status."""
    if done.weights is not None:
        click.echo(done.weights.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
    if not done.stopped and done.collected is not None:
        status = conclude(done.collected, spec)
        return INTERRUPTED if status == OK else status
    click.echo(f"{done.calls} calls in {done.rounds} rounds. {ENDS[done.stopped]}")
    if done.fit is not None:
        click.echo(f"Fit: {done.fit}")
    click.echo(journal)
    return OK if done.stopped == "width" else FAILED
