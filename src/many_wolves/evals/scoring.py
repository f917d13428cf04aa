"""Inspect scores: the answers, and their shares and means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inspect_ai.scorer import Metric, SampleScore, Score, metric
from inspect_ai.solver import TaskState

from many_wolves.contracts import Reading
from many_wolves.evals.samples import read_question
from many_wolves.files import canonical_json
from many_wolves.records import Question, Status, Value
from many_wolves.speakers.api.output import parse_output

Reader = Callable[[Question, str], Reading]

_REASONS: Mapping[Status, str] = {
    "refused": "refusal",
    "empty": "no_response",
    "unparsed": "invalid_response_format",
    "failed": "scoring_failed",
}
"""Status -> Inspect's word for it."""


def scored(state: TaskState, read: Reader) -> Score:
    """The score of a sample from its family's reader.

    No answer is right or wrong. The score's value is the id of the option, the
    number, the words or the fields of the form. Without a value it is the status.
    """
    if not state.output.choices:
        return _score(Reading(None, "failed"), "")
    answer = parse_output(state.output, None)
    reading = Reading(None, answer.status)
    if answer.status == "answered":
        reading = read(read_question(state.metadata).question, answer.text)
    return _score(reading, answer.text)


def _score(reading: Reading, text: str) -> Score:
    value, status = reading
    return Score(
        value=status if value is None else _shown(value),
        answer=None if value is None else _words(value),
        explanation=text,
        reason=_REASONS.get(status),
        metadata={"status": status, "value": value},
    )


def _shown(value: Value) -> Any:
    """A value in Inspect's form: the fields of an object, with nested ones as JSON."""
    if not isinstance(value, Mapping):
        return value
    return {
        str(name): part if isinstance(part, str | int | float | bool) else canonical_json(part)
        for name, part in value.items()
    }


def _words(value: Value) -> str:
    return canonical_json(value) if isinstance(value, Mapping) else str(value)


@metric(scores="unreduced")  # type: ignore[untyped-decorator]
def share_read() -> Metric:
    """Share of the answers that could be read."""

    def share(scores: list[SampleScore]) -> float:
        return _share([(s.score.metadata or {}).get("status") == "answered" for s in scores])

    return share


@metric(scores="unreduced")  # type: ignore[untyped-decorator]
def shares(factor: str, options: list[str], name: str) -> Metric:
    """Among the answers that were read, the share of some options by a factor's levels.

    Parameters
    ----------
    factor
        Factor of the trials' cell.
    options
        Ids of the options that count.
    name
        What they have in common; metrics are called ``NAME_LEVEL``, and ``NAME`` over all levels.
    """

    def by_level(scores: list[SampleScore]) -> dict[str, float]:
        read = [score for score in scores if score.score.answer is not None]
        found = _by_level(read, factor, name, [s.score.answer in options for s in read])
        return {level: _share(chosen) for level, chosen in found.items()}

    return by_level


@metric(scores="unreduced")  # type: ignore[untyped-decorator]
def means(factor: str, name: str, field: str = "") -> Metric:
    """Mean of the numbers that were read, by a factor's levels.

    Parameters
    ----------
    factor
        Factor of the trials' cell.
    name
        What is counted; metrics are called ``NAME_LEVEL``, and ``NAME`` over all levels.
    field
        Field of a form with the number; empty if the answer is a number.
    """

    def by_level(scores: list[SampleScore]) -> dict[str, float]:
        read = [(score, _number(score.score, field)) for score in scores]
        numbers = [(score, number) for score, number in read if number is not None]
        listed = [number for _, number in numbers]
        found = _by_level([score for score, _ in numbers], factor, name, listed)
        return {level: _share(values) for level, values in found.items()}

    return by_level


def _by_level[T](
    scores: Sequence[SampleScore], factor: str, name: str, values: Sequence[T]
) -> dict[str, list[T]]:
    """Values under ``name``, and under ``NAME_LEVEL`` of a factor."""
    found: dict[str, list[T]] = {name: list(values)}
    for score, value in zip(scores, values, strict=True):
        level = str((score.sample_metadata or {})[factor]).replace(" ", "_")
        found.setdefault(f"{name}_{level}", []).append(value)
    return found


def _number(score: Score, field: str) -> float | None:
    """The number of a score; None if there is none."""
    value = (score.metadata or {}).get("value")
    if field:
        value = value.get(field) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _share(found: Sequence[Any]) -> float:
    """Mean of numbers, or share of true values."""
    return sum(map(float, found)) / len(found) if found else float("nan")
