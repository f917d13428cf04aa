"""Collects answers to a file of trials, and plays its games."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.notebook.signatures import with_settings
from many_wolves.progress import log, one_line
from many_wolves.speakers.config import SpeakerConfig
from many_wolves.speakers.speaker_request import SpeakerRequest
from many_wolves.workflows.collect import Answers, Collection, Table

ITSELF = "self"
_Who = str | Mapping[str, Any]


@with_settings(SpeakerConfig)
def collect(
    trials: str | Path,
    *,
    out: str | Path = "llm-output",
    replicates: int = 1,
    seats: Mapping[str, _Who | Sequence[_Who]] | None = None,
    at_once: int = Table.at_once,
    engine: str = "",
    engine_options: Mapping[str, str] | None = None,
    progress: bool = True,
    **settings: Any,
) -> Answers:
    """Collect a speaker's answers to a file of trials, or play its games; answers are kept.

    Parameters
    ----------
    trials
        File of trials from ``compile``.
    out
        Folder of journals, or one journal (a name that ends in ``.jsonl``).
    replicates
        Number of times that each trial is asked.
    seats
        Games: the speakers in the other seats, by seat or role: ``"self"`` or the settings of a
        speaker. Those in a list take the seats of a role in turn.
    at_once
        Number of games played at once.
    engine, engine_options
        Experiments: the engine that runs them, and its settings.
    progress
        Whether progress is shown.
    settings
        The speaker: ``provider``, ``model`` or ``path``, and settings such as ``mode``,
        ``temperature``, ``effort``, ``max_cost``, ... as in a study file.

    Returns
    -------
    Answers
        ``complete`` states whether every question was answered. The function ``choices`` reads the
        ``journals``. After an interrupt or a failure, the same call resumes.

    Raises
    ------
    WolvesError
        If a setting is unknown or not allowed, the model cannot be loaded, or a journal is in
        use.

    Examples
    --------
    >>> trials = mw.compile("politeness", items="poem,cake")
    >>> answers = mw.collect(trials, provider="anthropic", model="claude-haiku-4-5")
    >>> table = mw.choices(answers.journals)
    """
    seated = {
        seat: tuple(_speaker(one, f"the seat {seat!r}") for one in _several(who))
        for seat, who in (seats or {}).items()
    }
    table = Table(seated, at_once, engine, dict(engine_options or {}))
    wanted = SpeakerConfig.read(settings, of="the speaker").wanted()
    collection = Collection(Path(trials), Path(out), replicates, table)
    (wanted, *others) = collection.speakers([wanted], log.info)
    if others:
        raise WolvesError(
            f"the design of the trials proposes {len(others) + 1} settings of the speaker",
            fix="give one temperature; or ask all of them with `wolves collect`",
        )
    questions = collection.of(wanted)
    with one_line(progress):
        return Answers.of(questions.ask(log.info, log.info if progress else _silent), questions)


def _silent(words: str) -> None:
    """Shows nothing."""


def _several(who: _Who | Sequence[_Who]) -> Sequence[_Who]:
    return (who,) if isinstance(who, str | Mapping) else who


def _speaker(who: str | Mapping[str, Any], of: str) -> SpeakerRequest | None:
    if isinstance(who, str):
        if who != ITSELF:
            raise WolvesError(
                f'expected "self" or the settings of a speaker for {of}, found {who!r}',
                fix='seats={"partner": "self"} or {"partner": {"provider": ..., "model": ...}}',
            )
        return None
    return SpeakerConfig.read(who, of=of).wanted()
