"""Reads lines of journals: complete ones are used, damaged ones are reported."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from many_wolves.counting import number_of
from many_wolves.errors import WolvesError
from many_wolves.files import is_special, whole_text
from many_wolves.records import Response, response_key

SESSIONS = "sessions"
"""Folder, next to the journals, with the records of sessions on servers."""
_HEAD = 65536
"""Bytes of a JSON file by which a log is recognised."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal.

    Parameters
    ----------
    number
        Counted from one.
    at
        Its offset in bytes.
    response
        The answer; None if there is none.
    fault
        Why there is no answer, or that its key does not match its content.
    torn
        Whether it is incomplete (no line break and no answer), because its writer was stopped.
    """

    number: int
    at: int
    response: Response | None
    fault: str = ""
    torn: bool = False


@dataclass(frozen=True)
class Reading:
    """The content of a journal.

    Parameters
    ----------
    file
        The journal.
    responses
        Every line that could be read, in order.
    torn
        Whether the last line is incomplete, because its writer was stopped.
    bad
        Line number and reason of every other line that could not be read.
    unit
        Unit of ``bad``: lines of a journal, samples of an Inspect log.
    note
        Other notices for the user; may be empty.
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
        Files, which are used unconditionally, and folders.
    suffixes
        Suffixes of the files to use in a folder.

    Raises
    ------
    WolvesError
        If a path does not exist, or a folder contains none.
    """
    files: dict[Path, Path] = {}
    for source in sources:
        if source.is_dir():
            found = sorted(
                file
                for file in source.rglob("*")
                if (file.suffix in suffixes or (".eval" in suffixes and log_format(file)))
                and not file.name.startswith(".")
                # Records of sessions on servers are in the folder of the answers.
                and SESSIONS not in file.relative_to(source).parts[:-1]
            )
        elif source.is_file():
            found = [source]
        else:
            found = []
        if not found:
            what = "a folder without any" if source.is_dir() else "no such file or folder"
            what = "a device, a pipe or a socket" if is_special(source) else what
            raise WolvesError(
                f"expected journals ({', '.join(f'*{s}' for s in suffixes)}), found {what}",
                where=source,
                fix="run `wolves collect` first, or give the path of a journal",
            )
        for file in found:
            files.setdefault(file.resolve(), file)
    return list(files.values())


def log_format(file: Path) -> Literal["eval", "json"] | None:
    """The format of an Inspect log; None for any other file."""
    if file.suffix not in (".eval", ".json") or not file.is_file():
        return None
    with file.open("rb") as handle:
        head = handle.read(_HEAD)
    if file.suffix == ".eval" or head.startswith(b"PK"):
        return "eval"
    plan = head.lstrip().startswith(b"{") and b'"eval"' in head and b'"version"' in head
    return "json" if plan else None


def session_folders(sources: Iterable[Path]) -> list[Path]:
    """Folders with records of sessions on servers that belong to the journals."""
    found: dict[Path, None] = {}
    for source in sources:
        places = source.rglob(SESSIONS) if source.is_dir() else [source.with_name(SESSIONS)]
        found |= dict.fromkeys(sorted(place for place in places if place.is_dir()))
    return list(found)


def raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every raw line, with its offset."""
    at = 0
    with path.open("rb") as file:
        for raw in file:
            yield at, raw
            at += len(raw)


def read_lines(path: Path) -> Iterator[Line]:
    """Every line that is not blank, with its answer or the reason why there is none.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    like: Response | None = None
    for number, (at, raw) in enumerate(raw_lines(path), start=1):
        if not raw.strip():
            continue
        line = _line(number, at, raw, like)
        like = line.response or like
        yield line


def read_journal(file: Path) -> Reading:
    """Read every complete line of a journal.

    A line whose key does not match its content is read as well, and counted in the note.
    Journals from other software may have other keys.

    Raises
    ------
    WolvesError
        If the file cannot be read at all.
    """
    responses: list[Response] = []
    bad: list[tuple[int, str]] = []
    torn, foreign = False, 0
    try:
        for line in read_lines(file):
            if line.response is not None:
                responses.append(line.response)
                foreign += bool(line.fault)
            elif line.torn:
                torn = True
            else:
                bad.append((line.number, line.fault))
    except OSError as fault:
        raise WolvesError(
            f"the journal cannot be read: {fault.strerror}", where=file, fix="check the path"
        ) from fault
    note = ""
    if foreign:
        note = f"{number_of(foreign, 'answer')} with a key that `wolves collect` did not write"
    return Reading(file, tuple(responses), torn, tuple(bad), note=note)


def parse_line(raw: bytes, like: Response | None = None) -> Response:
    """The answer on a line.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError, RecursionError
        If there is none.
    """
    # An editor can have put a byte order mark before the first line.
    record = json.loads(raw.removeprefix(BOM_UTF8).decode())
    if not isinstance(record, dict):
        raise TypeError("not a JSON object")
    if b"\\ud" in raw or b"\\uD" in raw:
        record = _without_surrogates(record)
    return Response.from_json(record, like)


def _line(number: int, at: int, raw: bytes, like: Response | None) -> Line:
    try:
        response = parse_line(raw, like)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        torn = not raw.endswith(b"\n")
        return Line(
            number, at, None, "the last line is incomplete" if torn else _words(error), torn
        )
    expected = response_key(response.trial_id, response.speaker, response.replicate)
    if response.key != expected:
        fault = f"expected the key {expected} from the content, found {response.key}"
        return Line(number, at, response, fault)
    return Line(number, at, response)


def _words(error: Exception) -> str:
    """Why a line has no valid answer."""
    match error:
        case UnicodeDecodeError():
            return f"not UTF-8 text (byte {error.start})"
        case json.JSONDecodeError():
            return f"invalid JSON: {error.msg} at column {error.colno}"
        case RecursionError():
            return "its brackets are nested too deeply"
        case KeyError():
            return f"not a valid response: the field {error} is missing"
    return f"not a valid response: {error}"


def _without_surrogates(value: Any) -> Any:
    """A JSON value with unpaired surrogates replaced, so that its texts can be encoded."""
    match value:
        case str():
            return whole_text(value)
        case list():
            return [_without_surrogates(part) for part in value]
        case dict():
            return {whole_text(k): _without_surrogates(part) for k, part in value.items()}
    return value
