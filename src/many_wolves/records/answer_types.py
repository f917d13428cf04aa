"""The types of answers: an option, a number, a text, or a form."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, Literal, cast

Role = Literal["system", "user", "assistant"]

LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""Letters before the options, in the order shown."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a prompt."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a trial: its id in the tables, and the text shown."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Choose:
    """One of several options; the only type whose answers can be scored.

    Parameters
    ----------
    options
        The options in the order shown; the letter of option ``i`` is ``LABELS[i]``.
    baseline
        The same question without its scene, for the unconditional probability of each
        option; empty if the family has none. Responses do not repeat it.
    """

    options: tuple[Option, ...]
    baseline: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A number.

    Parameters
    ----------
    low, high
        Smallest and largest valid number, inclusive; None for no limit.
    unit
        Unit as a word or a sign: ``$``, ``points``; empty for none.
    whole
        Whether it must be an integer.

    Raises
    ------
    ValueError
        If ``low`` is above ``high``, or a limit is not finite.
    """

    low: float | None = None
    high: float | None = None
    unit: str = ""
    whole: bool = False

    def __post_init__(self) -> None:
        limits = [limit for limit in (self.low, self.high) if limit is not None]
        if not all(math.isfinite(limit) for limit in limits) or limits != sorted(limits):
            raise ValueError(f"expected low <= high, found {self.low} and {self.high}")


@dataclass(frozen=True, slots=True)
class Text:
    """Free text, with or without a value that the family reads from it.

    Parameters
    ----------
    max_chars
        Maximum length of the value; the journal keeps a longer answer in full.
    """

    max_chars: int = 2000


@dataclass(frozen=True, slots=True)
class Form:
    """A JSON object.

    Parameters
    ----------
    schema
        JSON schema with the ``type`` ``object``.

    Raises
    ------
    ValueError
        If the schema is not one of an object.
    """

    schema: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.schema.get("type") != "object":
            raise ValueError(f"expected a JSON schema for an object, found {dict(self.schema)}")


Answer = Choose | Number | Text | Form
"""The answer type of a question."""

Value = str | int | float | Mapping[str, Any] | None
"""The value that was read from an answer: an option id, a number, a text, or an object."""


def bare(answer: Answer) -> Answer:
    """The answer type without the baseline, as in a response."""
    if isinstance(answer, Choose) and answer.baseline:
        return replace(answer, baseline=())
    return answer


def is_one_line(answer: Answer) -> bool:
    """Whether an answer is a single line, so that a line break ends it."""
    return isinstance(answer, Choose | Number)


def likely_chars(answer: Answer) -> float:
    """The approximate number of characters of an answer, for cost estimates."""
    match answer:
        case Choose(options):
            return max((len(option.text) for option in options), default=0)
        case Number():
            return 8
        case Text(max_chars):
            return min(max_chars, 400)
        case Form(schema):
            return 20 + 24 * len(schema.get("properties", {}))


def answer_json(answer: Answer) -> dict[str, Any]:
    """The answer type as a JSON object."""
    match answer:
        case Choose(options, baseline):
            found: dict[str, Any] = {"type": "choose", "options": options_json(options)}
            return found | {"baseline": messages_json(baseline)} if baseline else found
        case Number(low, high, unit, whole):
            return {"type": "number", "low": low, "high": high, "unit": unit, "whole": whole}
        case Text(max_chars):
            return {"type": "text", "max_chars": max_chars}
        case Form(schema):
            return {"type": "form", "schema": dict(schema)}


def listed(found: Any, what: str) -> Any:
    """``found`` itself, if it is a list; TypeError otherwise."""
    if not isinstance(found, list | tuple):
        raise TypeError(f"expected a list of {what}, found {found!r:.60}")
    return found


def made[T](kind: Callable[..., T], record: Any, what: str) -> T:
    """A ``kind`` of dataclass from an object with its fields.

    Raises
    ------
    TypeError
        In words, if it is not an object, or a field is missing or unknown.
    """
    try:
        return kind(**record)
    except TypeError:
        if not isinstance(record, Mapping):
            raise TypeError(f"expected {what} as an object, found {record!r:.60}") from None
        known = {field.name: field for field in fields(cast(Any, kind))}
        for name in record:
            if name not in known:
                raise TypeError(f"the field {name!r} of {what} is unknown") from None
        for name, field in known.items():
            if name not in record and field.default is field.default_factory is MISSING:
                raise TypeError(f"the field {name!r} of {what} is missing") from None
        raise


def read_answer(record: Mapping[str, Any]) -> Answer:
    """The answer type from the result of ``answer_json``.

    Raises
    ------
    KeyError, TypeError, ValueError
        If a field is missing, unknown or of another type.
    """
    given = {name: value for name, value in record.items() if name != "type"}
    match record["type"]:
        case "choose":
            return Choose(read_options(given["options"]), read_messages(given.get("baseline", ())))
        case "number":
            return made(Number, given, "the answer type number")
        case "text":
            return made(Text, given, "the answer type text")
        case "form":
            return made(Form, given, "the answer type form")
    raise ValueError(f"expected the answer type choose, number, text or form, found {record}")


def options_json(options: tuple[Option, ...]) -> list[dict[str, str]]:
    """Options as JSON objects."""
    return [{"id": option.id, "text": option.text} for option in options]


def messages_json(messages: tuple[Message, ...]) -> list[dict[str, str]]:
    """Messages as JSON objects."""
    return [{"role": message.role, "content": message.content} for message in messages]


def read_options(records: Any) -> tuple[Option, ...]:
    """Options from JSON objects; raises as ``read_answer`` does."""
    options = tuple(made(Option, record, "an option") for record in listed(records, "options"))
    if not all(type(o.id) is str and type(o.text) is str for o in options):
        raise TypeError("expected options with the texts `id` and `text`")
    return options


def read_messages(records: Any) -> tuple[Message, ...]:
    """Messages from JSON objects; raises as ``read_answer`` does."""
    messages = tuple(made(Message, record, "a message") for record in listed(records, "messages"))
    if not all(
        type(m.content) is str and m.role in ("system", "user", "assistant") for m in messages
    ):
        raise TypeError("expected messages with the role system, user or assistant, and a content")
    return messages
