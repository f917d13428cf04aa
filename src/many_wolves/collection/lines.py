"""Lines of a journal as they stand in its file, whole or not."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from many_wolves.records import Response, response_key

_TORN = "the last line is torn"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal: its number, where it begins in bytes, and what it says."""

    number: int
    at: int
    response: Response | None
    fault: str = ""


def raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every line as it is, and where it begins."""
    if not path.exists():
        return
    at = 0
    with path.open("rb") as file:
        for raw in file:
            yield at, raw
            at += len(raw)


def read_lines(path: Path) -> Iterator[Line]:
    """Every line with the answer on it, or why there is none."""
    like: Response | None = None
    for number, (at, raw) in enumerate(raw_lines(path), start=1):
        line = _parse(number, at, raw.decode("utf-8", errors="surrogateescape"), like)
        like = line.response or like
        yield line


def _parse(number: int, at: int, text: str, like: Response | None) -> Line:
    whole = text.endswith("\n")
    text = text.removesuffix("\n")
    try:
        response = Response.from_json(json.loads(text), like)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        fault = f"expected an answer as JSON, found {type(error).__name__}: {error}"
        return Line(number, at, None, fault if whole else _TORN)
    expected = response_key(response.trial_id, response.speaker, response.replicate)
    if response.key != expected:
        fault = f"expected the key {expected} from the content, found {response.key}"
        return Line(number, at, None, fault)
    return Line(number, at, response)


def ends_well(path: Path) -> bool:
    """Whether the file ends with a line break, or is empty."""
    if not path.exists() or path.stat().st_size == 0:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def set_aside(path: Path, lines: set[int]) -> None:
    """Add the lines that begin there to the file beside."""
    place = path.with_name(path.name + ".set-aside")
    with place.open("ab") as file:
        for at, raw in raw_lines(path):
            if at in lines:
                file.write(raw.removesuffix(b"\n") + b"\n")
        file.flush()
        os.fsync(file.fileno())
