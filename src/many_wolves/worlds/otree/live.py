"""Messages of a live page: the calls of ``liveSend`` in its script, and their JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_CALL = re.compile(r"\bliveSend\s*\(")
_LOADING = re.compile(
    r"(?:addEventListener\s*\(\s*['\"](?:DOMContentLoaded|load)['\"]\s*,|window\.onload\s*=|"
    r"\$\(\s*(?=function|\(\s*\)\s*=>)|\.ready\s*\()"
)
_TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<string>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_$][\w$]*)"
    r"|(?P<mark>.)",
    re.DOTALL,
)


class _Unknown:
    """A value that the script computes."""


UNKNOWN = _Unknown()


@dataclass(frozen=True)
class LiveCall:
    """One call of ``liveSend``.

    Parameters
    ----------
    source
        Its argument, as written in the script.
    value
        The argument if it is an object, a list or a constant; computed parts are ``UNKNOWN``.
    on_load
        Whether a browser makes the call when the page loads.
    """

    source: str
    value: Any
    on_load: bool

    @property
    def constant(self) -> bool:
        """Whether it contains no computed part."""
        return not _has_unknown(self.value)


def live_calls(script: str) -> list[LiveCall]:
    """All calls of ``liveSend`` in a script, in order, each kind once."""
    script = "".join(" " if t["space"] else t.group() for t in _TOKEN.finditer(script))
    calls: dict[tuple[str, bool], LiveCall] = {}
    loading = list(_loading_spans(script))
    for found in _CALL.finditer(script):
        if re.search(r"function\s+$", script[: found.start()]):
            continue
        source = script[found.end() : _closing(script, found.end() - 1)].strip()
        on_load = _depth(script, found.start()) == 0 or any(
            start < found.start() < end and _depth(script[start:], found.start() - start) == 1
            for start, end in loading
        )
        calls.setdefault((source, on_load), LiveCall(source, _parse(source), on_load))
    return list(calls.values())


def message_schema(calls: list[LiveCall]) -> dict[str, Any]:
    """The JSON schema of a page's messages: the shapes found, otherwise any object."""
    shapes = []
    for call in calls:
        shape = {"type": "object"} if call.value is UNKNOWN else _shape(call.value)
        if shape not in shapes:
            shapes.append(shape)
    if not shapes:
        return {"type": "object"}
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _loading_spans(script: str) -> Iterator[tuple[int, int]]:
    """Spans of functions that run when the page has loaded."""
    for found in _LOADING.finditer(script):
        start = script.find("{", found.end())
        if start >= 0:
            yield start, _closing(script, start)


def _depth(script: str, place: int) -> int:
    """Number of open braces at a position, outside strings and comments."""
    depth = 0
    for token in _TOKEN.finditer(script[:place]):
        if token["mark"] == "{":
            depth += 1
        elif token["mark"] == "}":
            depth -= 1
    return depth


def _closing(script: str, opening: int) -> int:
    """Position of the bracket that closes the one at ``opening``."""
    depth = 0
    for token in _TOKEN.finditer(script, opening):
        if token["mark"] in ("(", "{", "["):
            depth += 1
        elif token["mark"] in (")", "}", "]"):
            depth -= 1
            if depth == 0:
                return token.start()
    return len(script)


def _parse(source: str) -> Any:
    """A JavaScript literal as Python; anything but a literal is ``UNKNOWN``."""
    tokens = [t for t in _TOKEN.finditer(source) if not t["space"]]
    value, rest = _value(tokens, 0)
    return value if rest == len(tokens) else UNKNOWN


def _value(tokens: list[re.Match[str]], at: int) -> tuple[Any, int]:
    if at >= len(tokens):
        return UNKNOWN, at
    token, after = tokens[at], at + 1
    if token["mark"] in ("{", "["):
        return (_object if token["mark"] == "{" else _list)(tokens, after)
    constants = {"true": True, "false": False, "null": None}
    ends = after >= len(tokens) or tokens[after]["mark"] in (",", "}", "]")
    if not ends or (token["name"] and token["name"] not in constants) or token["mark"]:
        return UNKNOWN, _skip(tokens, at)
    if token["name"]:
        return constants[token["name"]], after
    return _unquoted(token["string"]) if token["string"] else json.loads(token["number"]), after


def _object(tokens: list[re.Match[str]], at: int) -> tuple[Any, int]:
    made: dict[str, Any] = {}
    while at < len(tokens) and tokens[at]["mark"] != "}":
        token = tokens[at]
        name = token["name"] or _unquoted(token["string"] or "") or token["number"]
        if not name:
            return UNKNOWN, _skip(tokens, at)
        at += 1
        if at < len(tokens) and tokens[at]["mark"] == ":":
            made[name], at = _value(tokens, at + 1)
        else:
            made[name] = UNKNOWN
        if at < len(tokens) and tokens[at]["mark"] == ",":
            at += 1
    return made, at + 1


def _list(tokens: list[re.Match[str]], at: int) -> tuple[Any, int]:
    made: list[Any] = []
    while at < len(tokens) and tokens[at]["mark"] != "]":
        value, at = _value(tokens, at)
        made.append(value)
        if at < len(tokens) and tokens[at]["mark"] == ",":
            at += 1
    return made, at + 1


def _skip(tokens: list[re.Match[str]], at: int) -> int:
    """Skip an expression, up to the comma or bracket that ends it."""
    depth = 0
    while at < len(tokens):
        mark = tokens[at]["mark"]
        if depth == 0 and mark in (",", "}", "]", ")"):
            return at
        depth += (mark in ("(", "{", "[")) - (mark in (")", "}", "]"))
        at += 1
    return at


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_unknown(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_has_unknown(inner) for inner in value)
    return value is UNKNOWN


def _shape(value: Any) -> dict[str, Any]:
    """A JSON schema for values like this one; computed parts may be any scalar."""
    if isinstance(value, dict):
        return {
            "type": "object",
            "properties": {name: _shape(inner) for name, inner in value.items()},
            "required": list(value),
            "additionalProperties": False,
        }
    if isinstance(value, list):
        return {"type": "array"}
    if value is UNKNOWN:
        return {"type": ["number", "string", "boolean", "null"]}
    return {"const": value}
