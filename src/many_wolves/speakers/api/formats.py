"""Formats of replies, recognized by their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FIELDS = {
    "/messages": ("Anthropic's messages", ("content", "stop_reason")),
    "/chat/completions": ("OpenAI's chat completions", ("choices",)),
    "/completions": ("OpenAI's completions", ("choices",)),
    "/responses": ("OpenAI's responses", ("output", "output_text")),
    ":generateContent": ("Google's", ("candidates", "promptFeedback", "usageMetadata")),
}
"""Suffix of a path -> the name of the format, and the fields that only its replies have."""

_ENTRIES: Mapping[str, frozenset[str]] = {
    "choices": frozenset({"message", "error"}),
    "candidates": frozenset(),
}
"""Fields that are lists of objects: each object has one of these fields, if any are named."""

_SHOWN = 6
"""Maximum number of fields of a reply that a message lists."""


def other_format(path: str, reply: Mapping[str, Any]) -> str:
    """Describe a reply that is not in the format that its path implies.

    Parameters
    ----------
    path
        Path of the request.
    reply
        The parsed reply, without an error in it.

    Returns
    -------
    str
        What was expected and found; empty if the format is right, or no format is known for the
        path.
    """
    own = next((name for end, (name, _) in _FIELDS.items() if path.endswith(end)), "")
    if not own:
        return ""
    found = _misshapen(reply) if own == _format_of(reply, own) else _found(reply)
    return f"expected a reply in the format of {_full(own)}, found {found}" if found else ""


def _misshapen(reply: Mapping[str, Any]) -> str:
    """What is found in place of a list of objects; empty if the reply is well formed."""
    for name, needed in _ENTRIES.items():
        entries = reply.get(name) or []
        if not isinstance(entries, list):
            return f"{_kind(entries)} as its `{name}`"
        for entry in entries:
            if not isinstance(entry, dict):
                return f"{_kind(entry)} in its `{name}`"
            if needed and needed.isdisjoint(entry):
                return f"an entry of `{name}` without a message"
    return ""


def _kind(value: Any) -> str:
    """The type of a JSON value, by its name in JSON."""
    if isinstance(value, dict):
        return "an object"
    return "a text" if isinstance(value, str) else "a number"


def _found(reply: Mapping[str, Any]) -> str:
    other = _format_of(reply)
    if other:
        return f"one in the format of {_full(other)}"
    if not reply:
        return "an empty object"
    names = ", ".join(list(reply)[:_SHOWN]) + (", ..." if len(reply) > _SHOWN else "")
    return f"an object with the fields {names}"


def _full(name: str) -> str:
    return f"{name} API" if name.endswith("'s") else name


def _format_of(reply: Mapping[str, Any], first: str = "") -> str:
    """The format whose fields a reply has; if several match, ``first`` is preferred."""
    names = [name for name, fields in _FIELDS.values() if any(field in reply for field in fields)]
    return first if first in names else (names[0] if names else "")
