"""Answers with a required format: enforced by a JSON schema, or requested in the prompt.

APIs accept only schemas of objects. A number is therefore requested as an object with one field,
and extracted again. If a server rejects or ignores schemas, a sentence at the end of the prompt
describes the format instead. The prompts of choices and texts are never changed. Restricting a
choice to its options would change what is measured, since a model could no longer decline.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from many_wolves.files import canonical_json
from many_wolves.reading.objects import objects_in
from many_wolves.records import Answer, Form, Message, Number

Way = Literal["", "schema", "instruction"]
"""How the format of an answer is requested; empty if it has none."""

_FIELD = "answer"
_ABOUT_SCHEMAS = re.compile(
    r"response_?format|output_?format|output_?config|json_?schema|response_?schema|structured|"
    r"text\.format|\bschema\b",
    re.IGNORECASE,
)
_REFUSALS = (400, 404, 422, 501)


@dataclass(frozen=True)
class Structure:
    """The required format of an answer.

    Parameters
    ----------
    schema
        JSON schema of the requested object.
    instruction
        The format in words.
    wrapped
        Whether the answer is the only field of the object.
    """

    schema: Mapping[str, Any]
    instruction: str
    wrapped: bool = False

    def answer_in(self, text: str) -> str | None:
        """The answer in a reply that follows the schema; None if it does not."""
        found = list(objects_in(text))
        if not self.wrapped:
            return text if found else None
        if len(found) != 1 or _FIELD not in found[0]:
            return None
        value = found[0][_FIELD]
        return value if isinstance(value, str) else json.dumps(value)


class Formats:
    """What is known about a model's support of JSON schemas.

    Parameters
    ----------
    sends_schemas
        Whether requests to this provider contain schemas at all.
    """

    def __init__(self, *, sends_schemas: bool) -> None:
        self._sends = sends_schemas
        self._proven = False
        self._refused: set[str] = set()

    @property
    def proven(self) -> bool:
        """Whether a reply has ever followed a schema."""
        return self._proven

    def takes(self, structure: Structure) -> bool:
        """Whether a request should contain this schema."""
        return self._sends and canonical_json(structure.schema) not in self._refused

    def prove(self) -> None:
        """Record that a reply followed its schema."""
        self._proven = True

    def refuse(self, structure: Structure) -> None:
        """Record that a schema was rejected; if none was ever followed, all are avoided."""
        self._sends = self._proven
        self._refused.add(canonical_json(structure.schema))


def structure_of(answer: Answer) -> Structure | None:
    """The format of a number or of an object; None for a choice and for free text."""
    match answer:
        case Number():
            return Structure(_number_schema(answer), _number_instruction(answer), wrapped=True)
        case Form(schema):
            return Structure(
                schema,
                "Reply with one JSON object that fits this JSON schema, and with nothing else:\n"
                + json.dumps(dict(schema), ensure_ascii=False),
            )
    return None


def response_schema(structure: Structure, task: str) -> Any:
    """The schema in inspect-ai's form; None if that would lose a part of it."""
    from inspect_ai.model import ResponseSchema
    from inspect_ai.util import JSONSchema

    if not set(_keywords(structure.schema)) <= set(JSONSchema.model_fields):
        return None
    return ResponseSchema(
        name=re.sub(r"[^A-Za-z0-9_-]+", "_", task)[:64] or _FIELD,
        json_schema=JSONSchema.model_validate(dict(structure.schema)),
        strict=True if _is_strict(structure.schema) else None,
    )


def instructed(prompt: Sequence[Message], structure: Structure) -> tuple[Message, ...]:
    """The prompt with the format of the answer at the end of its last message."""
    *before, last = prompt
    if last.role != "user":
        return (*prompt, Message("user", structure.instruction))
    return (*before, replace(last, content=f"{last.content}\n\n{structure.instruction}"))


def refuses_schemas(status: int | None, words: str) -> bool:
    """Whether a server's error means that it does not support schemas, or not this one."""
    return status in _REFUSALS and _ABOUT_SCHEMAS.search(words) is not None


def _number_schema(answer: Number) -> dict[str, Any]:
    number: dict[str, Any] = {
        "type": "integer" if answer.whole else "number",
        # Some providers do not support limits in schemas, so the text states them.
        "description": _described(answer),
    }
    limits = (("minimum", answer.low), ("maximum", answer.high))
    number |= {name: _plain(limit) for name, limit in limits if limit is not None}
    return {
        "type": "object",
        "properties": {_FIELD: number},
        "required": [_FIELD],
        "additionalProperties": False,
    }


def _number_instruction(answer: Number) -> str:
    return f"Reply with {_described(answer)}, and with nothing else."


def _described(answer: Number) -> str:
    """The number in words: ``one whole number from 0 to 100 (in $)``."""
    words = "one whole number" if answer.whole else "one number"
    if answer.low is not None and answer.high is not None:
        words += f" from {_plain(answer.low)} to {_plain(answer.high)}"
    elif answer.low is not None:
        words += f", at least {_plain(answer.low)}"
    elif answer.high is not None:
        words += f", at most {_plain(answer.high)}"
    return words + (f" (in {answer.unit})" if answer.unit else "")


def _plain(limit: float) -> int | float:
    return int(limit) if float(limit).is_integer() else limit


def _keywords(schema: Any) -> Iterator[str]:
    """Every keyword of a schema and of the schemas in it."""
    if not isinstance(schema, Mapping):
        return
    yield from schema
    yield from (k for part in (schema.get("properties") or {}).values() for k in _keywords(part))
    yield from _keywords(schema.get("items"))
    yield from _keywords(schema.get("additionalProperties"))
    yield from (keyword for part in schema.get("anyOf", ()) for keyword in _keywords(part))


def _is_strict(schema: Any) -> bool:
    """Whether it suits OpenAI's strict mode: every object closed, every field required."""
    if not isinstance(schema, Mapping):
        return True
    fields = schema.get("properties") or {}
    if schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != set(fields):
            return False
    parts = [*fields.values(), schema.get("items"), *schema.get("anyOf", ())]
    return all(_is_strict(part) for part in parts)
