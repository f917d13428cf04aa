"""Leaves the invalid samples of an Inspect log out, so that the others can be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Literal
from zipfile import ZipFile

from pydantic import ValidationError

_FOLDER = "samples/"
"""Folder of the samples in an ``.eval`` archive."""


def without_invalid(
    file: Path, format: Literal["eval", "json"]
) -> tuple[IO[bytes], dict[int, str]]:
    """The log without its invalid samples, and why each of these is invalid.

    Returns
    -------
    tuple[IO[bytes], dict[int, str]]
        The log in the same format. Number of an invalid sample, counted from one -> reason.

    Raises
    ------
    Exception
        If the log itself cannot be read. Readers of damaged archives raise arbitrary errors.
    """
    return _of_json(file) if format == "json" else _of_archive(file)


def reason(fault: Exception) -> str:
    """In one sentence, why a part of a log is invalid."""
    if isinstance(fault, ValidationError):
        first = fault.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        found = _found(first["input"])
        expected = first["msg"].replace("Input should be ", "").partition(". ")[0]
        if first["type"] == "missing":
            return f"its field {place!r} is missing"
        return f"expected {expected} in {place!r}, found {found}"
    return " ".join(str(fault).split()) or type(fault).__name__


def _of_json(file: Path) -> tuple[IO[bytes], dict[int, str]]:
    log = json.loads(file.read_bytes())
    found: dict[int, str] = {}
    kept = []
    for number, sample in enumerate(log.get("samples") or [], start=1):
        why = _why_invalid(sample)
        if why:
            found[number] = why
        else:
            kept.append(sample)
    return BytesIO(json.dumps({**log, "samples": kept}).encode()), found


def _of_archive(file: Path) -> tuple[IO[bytes], dict[int, str]]:
    rest = BytesIO()
    found: dict[int, str] = {}
    number = 0
    with ZipFile(file) as archive, ZipFile(rest, "w") as copy:
        for name in dict.fromkeys(archive.namelist()):
            if not (name.startswith(_FOLDER) and name.endswith(".json")):
                copy.writestr(name, archive.read(name))
                continue
            number += 1
            why = _why_unreadable(archive, name)
            if why:
                found[number] = f"{why} ({name})"
            else:
                copy.writestr(name, archive.read(name))
    rest.seek(0)
    return rest, found


def _why_unreadable(archive: ZipFile, name: str) -> str:
    try:
        sample = json.loads(archive.read(name))
    except Exception as fault:  # Damaged archives raise arbitrary errors.
        return reason(fault)
    return _why_invalid(sample)


def _why_invalid(sample: Any) -> str:
    """Why a sample cannot be read, with its id and epoch; empty if it can be."""
    from inspect_ai.log import EvalSample

    if not isinstance(sample, Mapping):
        return f"expected a sample, found {_found(sample)}"
    try:
        EvalSample.model_validate(sample)
    except Exception as fault:  # Inspect's own checks of a sample raise arbitrary errors.
        named = [f"{key} {sample[key]}" for key in ("id", "epoch") if key in sample]
        return f"{reason(fault)}" + (f" ({', '.join(named)})" if named else "")
    return ""


def _found(value: Any) -> str:
    """A short description of a JSON value."""
    match value:
        case None:
            return "null"
        case Mapping():
            return "an object"
        case list():
            return "a list"
    return f"{value!r:.40}"
