"""Inspect scores: which option was chosen, and shares of the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inspect_ai.scorer import Metric, SampleScore, Score, metric
from inspect_ai.solver import TaskState

from many_wolves.contracts import Reading
from many_wolves.evals.samples import asked
from many_wolves.records import Option, Status
from many_wolves.speakers.api.output import parse_output

Reader = Callable[[Sequence[Option], str], Reading]

_REASONS: Mapping[Status, str] = {
    "refused": "refusal",
    "empty": "no_response",
    "unparsed": "invalid_response_format",
    "failed": "scoring_failed",
}
"""Status -> Inspect's word for it."""


def scored(state: TaskState, read: Reader) -> Score:
    """The choice that a family's reader finds in the answer of a sample.

    The value is the option's id, or the status where none was read: there is no
    right or wrong answer.
    """
    if not state.output.choices:
        return _score(None, "failed", "")
    answer = parse_output(state.output, None)
    choice, status = None, answer.status
    if status == "answered":
        choice, status = read(asked(state.metadata).options, answer.text)
    return _score(choice, status, answer.text)


def _score(choice: str | None, status: Status, text: str) -> Score:
    return Score(
        value=choice if choice is not None else status,
        answer=choice,
        explanation=text,
        reason=_REASONS.get(status),
        metadata={"status": status},
    )


@metric(scores="unreduced")  # type: ignore[untyped-decorator]
def share_read() -> Metric:
    """Share of the answers that name one option."""

    def share(scores: list[SampleScore]) -> float:
        return _share([score.score.answer is not None for score in scores])

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
        What they have in common; a metric is called ``NAME_LEVEL``, and ``NAME`` over all levels.
    """

    def by_level(scores: list[SampleScore]) -> dict[str, float]:
        levels: dict[str, list[bool]] = {name: []}
        for score in scores:
            if score.score.answer is None:
                continue
            chosen = score.score.answer in options
            level = str((score.sample_metadata or {})[factor]).replace(" ", "_")
            levels[name].append(chosen)
            levels.setdefault(f"{name}_{level}", []).append(chosen)
        return {level: _share(found) for level, found in levels.items()}

    return by_level


def _share(found: Sequence[Any]) -> float:
    return sum(map(bool, found)) / len(found) if found else float("nan")
