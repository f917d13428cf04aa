"""Responses -> one answer for each question: weights over the options, or why there is none."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.reader import read
from many_wolves.records import OptionScore, Response, SpeakerSpec, Status, Value
from many_wolves.sources import nearest, quoted

FAMILY = "politeness"
FACTORS: dict[str, tuple[str, ...]] = {
    "choice": ("goal", "framing", "state"),
    "literal": ("utterance", "state"),
}
"""Task -> what must be in the cell of its trials, the item and the scale left out."""

SCORINGS: dict[str, Callable[[OptionScore], float]] = {
    "sum": lambda score: score.logprob,
    "mean": lambda score: score.logprob / score.tokens,
    "pmi": lambda score: score.logprob - (score.baseline or 0.0),
}
"""How an option is scored in score mode: the log-probability of all its tokens, that
of a token on the mean, or the gain over its log-probability without the scene."""

_EXAMPLE = 160
"""Letters of an example of what could not be read."""


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
        Why there are no weights; ``answered`` where there are.
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


@dataclass
class Intake:
    """What came in, and what of it was not used; every line is in one of the numbers."""

    responses: int = 0
    foreign: int = 0
    repeated: int = 0
    speakers: dict[str, dict[str, Any]] = field(default_factory=dict)


def take(responses: Iterable[Response], *, scoring: str) -> tuple[list[Answer], Intake]:
    """The answer to every question.

    Of several responses to one question (the same trial, speaker, settings and
    replicate) the latest that did not fail counts.

    Parameters
    ----------
    responses
        Of any speakers, in the order in which they came.
    scoring
        ``sum``, ``mean`` or ``pmi``, for responses in score mode.

    Raises
    ------
    WolvesError
        If the scoring is unknown, or is ``pmi`` where no baseline was scored.
    """
    if scoring not in SCORINGS:
        raise WolvesError(
            f"unknown scoring {scoring!r}", mend=f"--scoring: {nearest(scoring, SCORINGS)}"
        )
    intake = Intake()
    latest: dict[str, Response] = {}
    for response in responses:
        intake.responses += 1
        if not _ours(response):
            intake.foreign += 1
            continue
        before = latest.get(response.key)
        if before is not None:
            intake.repeated += 1
        if before is None or response.status != "failed" or before.status == "failed":
            latest[response.key] = response
    labels = _labels([response.speaker for response in latest.values()])
    for spec, label in labels.items():
        intake.speakers[label] = spec.record
    answers = [
        _answer(response, labels[_Spec.of(response.speaker)], scoring)
        for response in latest.values()
    ]
    return answers, intake


def _ours(response: Response) -> bool:
    """Whether a response belongs to a task of this family and says to which cell."""
    needed = FACTORS.get(response.task)
    return (
        response.family == FAMILY
        and needed is not None
        and all(factor in response.cell for factor in needed)
        and isinstance(response.cell["state"], int | float)
        and len(response.options) >= 2
        and (response.task != "literal" or "yes" in {option.id for option in response.options})
    )


@dataclass(frozen=True)
class _Spec:
    """A speaker's settings as a key."""

    slug: str
    name: str
    mode: str
    record: dict[str, Any] = field(compare=False, default_factory=dict)

    @classmethod
    def of(cls, spec: SpeakerSpec) -> _Spec:
        return cls(spec.slug, spec.name, spec.mode, dict(spec.settings))


def _labels(specs: Iterable[SpeakerSpec]) -> dict[_Spec, str]:
    """A label for each speaker: its name, with mode or settings where names are the same.

    Two settings of one model are two speakers: their answers are never added up.
    """
    known = list(dict.fromkeys(_Spec.of(spec) for spec in specs))
    names = Counter(spec.name for spec in known)
    modes = Counter((spec.name, spec.mode) for spec in known)
    labels: dict[_Spec, str] = {}
    for spec in known:
        if names[spec.name] == 1:
            labels[spec] = spec.name
        elif modes[spec.name, spec.mode] == 1:
            labels[spec] = f"{spec.name} ({spec.mode})"
        else:
            labels[spec] = spec.slug
    return labels


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
        return _scored(response, label, scoring)
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


def _scored(response: Response, label: str, scoring: str) -> tuple[Array | None, Status, str]:
    """Probabilities of the options from their scores."""
    scores = {score.option: score for score in response.scores}
    missing = [option.id for option in response.options if option.id not in scores]
    if missing:
        return None, "unparsed", f"no score for {quoted(missing)}"
    ordered = [scores[option.id] for option in response.options]
    _check_scores(ordered, label, scoring)
    values = np.array([SCORINGS[scoring](score) for score in ordered])
    if np.isnan(values).any() or not np.isfinite(values.max()):
        return None, "unparsed", f"scores that are no numbers: {values.tolist()}"
    weights: Array = np.exp(values - values.max())
    return weights / weights.sum(), "answered", ""


def _check_scores(scores: Sequence[OptionScore], label: str, scoring: str) -> None:
    if scoring == "pmi" and any(score.baseline is None for score in scores):
        raise WolvesError(
            f"expected scores without the scene for scoring 'pmi', found none for {label}",
            mend="use --scoring sum or mean, or ask again with trials that have a baseline",
        )
    if scoring == "mean" and any(score.tokens < 1 for score in scores):
        raise WolvesError(
            f"expected the number of tokens of every option for scoring 'mean', found none "
            f"for {label}",
            mend="use --scoring sum",
        )
    if scoring == "pmi" and any(math.isinf(score.baseline or 0.0) for score in scores):
        raise WolvesError(
            f"an option has probability zero without the scene, so that its gain is infinite, "
            f"for {label}",
            mend="use --scoring sum or mean",
        )
