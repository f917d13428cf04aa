"""Journals as later stages read them: whatever is whole is used, the rest is named."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.records import SCHEMA, Response


@dataclass(frozen=True)
class Reading:
    """What a journal holds.

    Parameters
    ----------
    file
        The journal.
    responses
        Every line that could be read, in order.
    torn
        Whether the last line breaks off: its writer was stopped.
    bad
        Line number and reason of every other line that could not be read.
    unit
        What ``bad`` counts: lines of a journal, samples of an Inspect log.
    note
        What else the user must know, in words; empty where there is nothing.
    """

    file: Path
    responses: tuple[Response, ...]
    torn: bool
    bad: tuple[tuple[int, str], ...]
    unit: str = "line"
    note: str = ""


def journal_files(
    sources: Iterable[Path], suffixes: Sequence[str] = (".jsonl", ".eval")
) -> list[Path]:
    """The journals and Inspect logs among files and in folders, each once.

    Parameters
    ----------
    sources
        Files, which are taken as they are, and folders.
    suffixes
        What the names in a folder may end with.

    Raises
    ------
    WolvesError
        If a path does not exist, or a folder holds none.
    """
    files: dict[Path, Path] = {}
    for source in sources:
        if source.is_dir():
            found = sorted(
                f for f in source.rglob("*") if f.suffix in suffixes and not f.name.startswith(".")
            )
        elif source.is_file():
            found = [source]
        else:
            found = []
        if not found:
            what = "a folder without any" if source.is_dir() else "nothing of that name"
            raise WolvesError(
                f"expected journals ({', '.join(f'*{s}' for s in suffixes)}), found {what}",
                where=source,
                mend="run `wolves collect` first, or give the path of a journal",
            )
        for file in found:
            files.setdefault(file.resolve(), file)
    return list(files.values())


def read_journal(file: Path) -> Reading:
    """Every whole line of a journal.

    Raises
    ------
    WolvesError
        If the file cannot be read at all.
    """
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError as fault:
        raise WolvesError(
            f"the journal cannot be read: {fault.strerror}", where=file, mend="check the path"
        ) from fault
    responses: list[Response] = []
    bad: list[tuple[int, str]] = []
    torn = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = _response(line, responses[-1] if responses else None)
        if isinstance(found, Response):
            responses.append(found)
        elif number == len(lines):
            torn = True
        else:
            bad.append((number, found))
    return Reading(file, tuple(responses), torn, tuple(bad))


def _response(line: bytes, like: Response | None) -> Response | str:
    """The response on a line, or why there is none."""
    try:
        record = json.loads(line)
    except ValueError:
        return "it is not whole JSON"
    if not isinstance(record, dict):
        return "it is no response"
    if record.get("schema") != SCHEMA:
        return f"expected schema {SCHEMA}, found {record.get('schema')}"
    try:
        return Response.from_json(record, like)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        return f"it is no response ({fault})"
