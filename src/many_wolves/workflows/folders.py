"""Finds fit folders in the paths that a user gives."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from many_wolves.errors import WolvesError
from many_wolves.progress import log
from many_wolves.records.speaker import Effort

_EFFORTS = get_args(Effort)


def present(fits: Sequence[Path]) -> tuple[tuple[Path, ...], str]:
    """The existing fits, and a sentence on missing ones, which is logged as well.

    Raises
    ------
    WolvesError
        If there is none.
    """
    found = tuple(fit for fit in fits if any(fit.rglob("fit.json")))
    if not found:
        raise WolvesError(
            f"expected fits, found none in {len(fits)} folders",
            where=fits[0],
            fix="give fit folders, as written by `wolves fit ... --out FOLDER`",
        )
    lost = [str(fit) for fit in fits if fit not in found]
    words = f"Skipped, because they have no fit: {', '.join(lost)}." if lost else ""
    if words:
        log.warning("%s", words)
    return found, words


def make_ready(folder: Path) -> None:
    """Make a folder and check that it is writable, before long work instead of after it.

    Raises
    ------
    WolvesError
        If it cannot be made, or cannot be written into.
    """
    file = next((path for path in (folder, *folder.parents) if path.is_file()), None)
    if file is not None:
        raise WolvesError(
            "expected a folder, found a file", where=file, fix="give another folder with --out"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".wolves-"):
            pass
    except OSError as error:
        raise WolvesError(
            f"the folder cannot be written into: {error.strerror}",
            where=folder,
            fix="give another one with --out",
        ) from error


def fit_folders(given: Path) -> list[Path]:
    """The folder itself if it is a fit, otherwise the fits below it, in natural order of names.

    A folder without any fit is returned as well, so that reading it reports what is missing.
    """
    if (given / "fit.json").is_file():
        return [given]
    found = [file.parent for file in given.rglob("fit.json")]
    return sorted(found, key=_natural) or [given]


def _natural(folder: Path) -> list[list[tuple[int, int, str]]]:
    """A sort key: checkpoint-200 before checkpoint-1000, low before high, a before a-Instruct."""
    return [_natural_name(name) for name in folder.parts]


def _natural_name(name: str) -> list[tuple[int, int, str]]:
    stem, plus, effort = name.rpartition("+")
    known = plus and effort in _EFFORTS
    parts = re.split(r"([0-9]+)", stem if known else name)
    key = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]
    return [*key, (0, _EFFORTS.index(effort), "")] if known else key


def is_current(folder: Path) -> bool:
    """Whether a fit's report exists and is newer than the fit."""
    report, fit = folder / "report.html", folder / "fit.json"
    return (
        report.is_file() and fit.is_file() and report.stat().st_mtime_ns >= fit.stat().st_mtime_ns
    )


def seal_of(row: Path) -> str:
    """The fingerprint of the inputs of a row; empty if the file cannot be read."""
    try:
        return str(json.loads(row.read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return ""
