"""Fields of the records on disk, with checks for reading."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Any, Literal, cast, get_args

from many_wolves.errors import WolvesError
from many_wolves.records.answer_types import (
    Answer,
    Choose,
    Form,
    Number,
    Option,
    Text,
    Value,
    made,
    read_answer,
    read_options,
)

SCHEMA = 2
"""Version of the written records and file formats."""
READABLE = (1, 2)
"""Versions that can be read."""

Status = Literal["answered", "refused", "empty", "unparsed", "failed"]
Cell = Mapping[str, str | int | float]

FIELD_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("family", "task", "episode", "seat", "key", "trial_id", "status"), (str,)),
    **dict.fromkeys(
        ("text", "reasoning", "effort_used", "format_used", "error", "created"), (str,)
    ),
    **dict.fromkeys(("turn", "replicate", "retries"), (int,)),
    **dict.fromkeys(("latency_s", "waited_s"), (int, float)),
    **dict.fromkeys(("speaker", "versions", "usage", "cell"), (dict,)),
    "scores": (list,),
}


@dataclass(frozen=True, slots=True)
class OptionScore:
    """Log-probability of one option after the prompt.

    Parameters
    ----------
    option
        Option id.
    logprob
        Sum over the option's tokens and the end-of-answer token, in nats.
    tokens
        Number of tokens in that sum.
    baseline
        The same sum after the trial's ``baseline`` prompt; None if there is none.
    """

    option: str
    logprob: float
    tokens: int
    baseline: float | None = None


def schema_of(record: Mapping[str, Any]) -> int:
    """The version of a record.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    found = record.get("schema")
    if found not in READABLE:
        raise ValueError(f"expected schema {' or '.join(map(str, READABLE))}, found {found!r:.60}")
    return int(found)


def checked(record: Mapping[str, Any], name: str) -> Any:
    """A field of a record.

    Raises
    ------
    KeyError, TypeError
        If it is missing, or its type differs from ``FIELD_TYPES``.
    """
    value = record[name]
    if type(value) not in FIELD_TYPES[name]:
        expected = " or ".join(kind.__name__ for kind in FIELD_TYPES[name])
        raise TypeError(f"expected {name} to be {expected}, found {value!r:.60}")
    return value


def read_status(found: Any) -> Status:
    """A valid status; ValueError otherwise."""
    statuses = get_args(Status)
    if found not in statuses:
        raise ValueError(f"expected a status of {', '.join(statuses)}, found {found!r:.60}")
    return cast(Status, found)


class _Factors(dict[str, str | int | float]):
    """A cell from a file: a factor that is missing there is an error in words."""

    def __missing__(self, name: str) -> str | int | float:
        there = ", ".join(f"{factor} {value}" for factor, value in self.items())
        raise WolvesError(
            f"the cell of a trial lacks the factor {name}; it has {there[:120] or 'none'}",
            fix="restore the line as it was written, or remove it from the file",
        )


def read_cell(values: Mapping[str, Any]) -> dict[str, str | int | float]:
    """A cell with interned strings, because most lines of a journal repeat them.

    Raises
    ------
    TypeError
        If a factor is neither text nor a finite number.
    """
    cell = _Factors()
    for name, value in values.items():
        if type(value) is str:
            cell[intern(name)] = intern(value)
        elif type(value) in (int, float) and math.isfinite(value):
            cell[intern(name)] = value
        else:
            raise TypeError(
                f"expected the factor {name} to be text or a number, found {value!r:.60}"
            )
    return cell


def shared_choose(records: Any) -> Choose:
    """Options as a shared object, because most lines of a journal repeat them."""
    return _choose(tuple((option.id, option.text) for option in read_options(records)))


def shared_answer(record: Mapping[str, Any]) -> Answer:
    """An answer type with shared options."""
    if record["type"] == "choose":
        return shared_choose(record["options"])
    return read_answer(record)


@lru_cache(maxsize=4096)
def _choose(pairs: tuple[tuple[str, str], ...]) -> Choose:
    return Choose(tuple(Option(id, text) for id, text in pairs))


def read_value(answer: Answer, value: Any) -> Value:
    """Check that a value fits its answer type.

    Raises
    ------
    ValueError
        If it does not.
    """
    match answer:
        case Choose(options):
            fits = any(value == option.id for option in options)
        case Number():
            fits = type(value) in (int, float) and math.isfinite(value)
        case Text():
            # A family may read an object from free text: a move and its price.
            fits = type(value) in (str, int, float, dict)
        case Form():
            fits = type(value) is dict
    if value is not None and not fits:
        raise ValueError(f"the value {value!r:.60} does not fit a {type(answer).__name__}")
    found: Value = value
    return found


def read_counts(usage: Mapping[str, Any]) -> dict[str, int]:
    """Token counts; anything else than a number is left out."""
    return {intern(name): n for name, n in usage.items() if type(n) is int}


def read_score(record: Mapping[str, Any]) -> OptionScore:
    """The score of an option; TypeError if a field is missing or of another type."""
    score = made(OptionScore, record, "a score")
    numbers = (score.logprob, score.tokens, 0 if score.baseline is None else score.baseline)
    if type(score.option) is not str or not all(type(n) in (int, float) for n in numbers):
        raise TypeError(f"expected a score of an option, found {dict(record)!r:.60}")
    return score
