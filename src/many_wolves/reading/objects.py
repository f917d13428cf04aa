"""Reads the JSON object of an answer: bare, in prose, or in a markdown fence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from many_wolves.contracts import Reading
from many_wolves.errors import WolvesError
from many_wolves.files import canonical_json
from many_wolves.reading.refusals import declines
from many_wolves.reading.thoughts import without_thoughts
from many_wolves.records import Form

_FENCE = re.compile(r"```[\w-]*\s*\n?(.*?)```", re.S)
_MOST_CHARS = 100_000
"""Maximum length of an answer that can be a form."""


def read_form(answer: Form, text: str) -> Reading:
    """Read the object in a text that fits the schema, if all that fit are equal.

    Parameters
    ----------
    answer
        The JSON schema.
    text
        The answer as the speaker wrote it, thoughts included.

    Returns
    -------
    Reading
        ``answered`` with the object; ``empty`` without words; ``refused`` if the speaker
        declines without an object; ``unparsed`` otherwise.
    """
    words = without_thoughts(text)
    if not words:
        return Reading(None, "unparsed" if text.strip() else "empty")
    found = list(objects_in(words))
    fitting = {canonical_json(value): value for value in found if not faults(answer, value)}
    if len(fitting) == 1:
        return Reading(next(iter(fitting.values())), "answered")
    return Reading(None, "refused" if not found and declines(words) else "unparsed")


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Every outermost JSON object of a text, in order.

    A field that is given twice with different values holds a list of them.
    """
    if len(text) > _MOST_CHARS:
        return
    text = _FENCE.sub(lambda match: match[1], text)
    decoder = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=every_value)
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield value
        at = text.find("{", end)


def every_value(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its fields; one that is given twice holds a list of its different values."""
    found = dict(pairs)
    for name, last in found.items() if len(found) < len(pairs) else ():
        values = [value for other, value in pairs if other == name]
        if any(value != last for value in values):
            found[name] = values
    return found


def faults(answer: Form, value: Mapping[str, Any]) -> list[str]:
    """The violations of the schema in an object, in words; empty if it is valid.

    Raises
    ------
    WolvesError
        If the schema itself cannot be used.
    """
    try:
        validator = _validator(canonical_json(answer.schema))
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
    except Exception as fault:  # The errors of a wrong schema have no common class.
        raise WolvesError(
            f"the form's JSON schema cannot be used: {fault}",
            fix="correct the schema of the task; it cannot refer to other files",
        ) from fault


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    """The validator of a schema; it fetches no remote references."""
    from jsonschema.validators import validator_for
    from referencing import Registry

    read = json.loads(schema)
    kind = validator_for(read)
    kind.check_schema(read)
    return kind(read, registry=Registry())


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
