"""The results of a batch, one JSON object a line: a damaged line must not cost the others.

The clients read all lines at once, and lose every answer of a batch if one line is cut off. They
also take the last of two results of one request, and U+2028 in an answer for the end of its line.
"""

from __future__ import annotations

import json
from typing import Any

from many_wolves.progress import log

PATHS = ("/results", "/content", ":download")
"""Suffixes of the paths of results: Anthropic's, OpenAI's and Google's."""

_NAMES = ("custom_id", "key")
"""Fields with the name of a request: Anthropic's and OpenAI's, and Google's."""


def name_of(result: Any) -> str:
    """The name of the request of a result; empty if it has none."""
    fields = result if isinstance(result, dict) else {}
    return next((fields[n] for n in _NAMES if isinstance(fields.get(n), str)), "")


def readable(body: bytes) -> bytes:
    """The lines that are the one result of a request, in ASCII.

    Requests whose results are left out are asked again, because the batch does not answer them. Two
    equal results of a request are one.
    """
    lines = [line for line in body.splitlines() if line.strip()]
    found: dict[str, list[Any]] = {}
    unreadable = 0
    for line in lines:
        result = _parsed(line)
        name = name_of(result)
        if not name:
            unreadable += 1
        elif result not in found.setdefault(name, []):
            found[name].append(result)
    ambiguous = sum(len(results) > 1 for results in found.values())
    if unreadable:
        log.warning(
            "%d of %d lines of the results of a batch cannot be read; they are left out",
            unreadable,
            len(lines),
        )
    if ambiguous:
        log.warning(
            "a batch holds different results for each of %d requests; they are left out", ambiguous
        )
    kept = [results[0] for results in found.values() if len(results) == 1]
    return b"".join(json.dumps(result).encode() + b"\n" for result in kept)


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
