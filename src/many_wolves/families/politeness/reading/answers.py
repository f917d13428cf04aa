"""Turns responses into one answer per question: weights over the options, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from many_wolves.contracts import Array
from many_wolves.families.politeness.reading.reader import read
from many_wolves.reading import Intake, check_scoring, option_shares, take_newest
from many_wolves.records import Response, Status, Value

FAMILY = "politeness"
FACTORS: dict[str, tuple[str, ...]] = {
    "choice": ("goal", "framing", "state"),
    "literal": ("utterance", "state"),
}
"""Task -> required factors in the cell of its trials, besides item and scale."""

_EXAMPLE = 160
"""Maximum length of an example of an unreadable answer."""


@dataclass(frozen=True)
class Answer:
    """One question as it was answered.

    Parameters
    ----------
    speaker
        Label of the speaker in the table.
    task, cell
        Task of the trial, and the cell of the design.
    trial
        Id of the trial.
    options
        Option ids in the order shown.
    weights
        Share of the answer that each option gets, in that order; sums to one. None
        where nothing could be read.
    status
        Why weights are missing; ``answered`` where they are not.
    example
        What was found instead of an answer.
    """

    speaker: str
    task: str
    cell: Mapping[str, str | int | float]
    trial: str
    options: tuple[str, ...]
    weights: Array | None
    status: Status
    example: str = ""


def take(responses: Iterable[Response], *, scoring: str) -> tuple[list[Answer], Intake]:
    """The answer to every question.

    Of several responses to one question (the same trial, speaker, settings and
    replicate) the latest that did not fail counts.

    Parameters
    ----------
    responses
        Responses of any speakers, in the order of arrival.
    scoring
        ``sum``, ``mean`` or ``pmi``, for responses in score mode.

    Raises
    ------
    WolvesError
        If the scoring is unknown, or is ``pmi`` where no baseline was scored.
    """
    check_scoring(scoring)
    intake = take_newest(responses, _ours)
    answers = [_answer(r, intake.names[r.speaker.slug], scoring) for r in intake.newest]
    return answers, intake


def _ours(response: Response) -> bool:
    """Whether a response belongs to a task of this family and records its cell."""
    needed = FACTORS.get(response.task)
    return (
        response.family == FAMILY
        and needed is not None
        and all(factor in response.cell for factor in needed)
        and isinstance(response.cell["state"], int | float)
        and len(response.options) >= 2
        and (response.task != "literal" or "yes" in {option.id for option in response.options})
    )


def _answer(response: Response, label: str, scoring: str) -> Answer:
    weights, status, example = _weights(response, label, scoring)
    return Answer(
        speaker=label,
        task=response.task,
        cell=response.cell,
        trial=response.trial_id,
        options=tuple(option.id for option in response.options),
        weights=weights,
        status=status,
        example=" ".join(example.split())[:_EXAMPLE],
    )


def _weights(response: Response, label: str, scoring: str) -> tuple[Array | None, Status, str]:
    if response.status == "failed":
        return None, "failed", response.error
    if response.scores:
        shares, why = option_shares(response, label, scoring)
        return shares, "unparsed" if shares is None else "answered", why
    if not response.text.strip():
        # some engines return the option itself, with no text around it
        chosen = response.value if response.status == "answered" else None
        status: Status = "refused" if response.status == "refused" else "empty"
        return (_certain(response, chosen), "answered", "") if chosen else (None, status, "")
    reading = read(response.options, response.text)
    if reading.value is not None:
        return _certain(response, reading.value), "answered", ""
    refused = response.status == "refused"
    return None, "refused" if refused else reading.status, response.text


def _certain(response: Response, chosen: Value) -> Array:
    return np.array([float(option.id == chosen) for option in response.options])
