"""Refuses to write over a file of the user that holds something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError

_ANOTHER = "give another path with --out, or move the file away"
_MOST = 1_000_000
"""Bytes of a line that are read."""


def refuse_other(path: str | Path, ours: Callable[[str], bool], what: str, lines: int = 1) -> None:
    """Refuse to write over a file whose first lines are not what was written there before.

    Parameters
    ----------
    path
        A file that is about to be written; it need not exist.
    ours
        Whether the first lines are of the kind that is written.
    what
        What is written, for the message.
    lines
        Number of lines to read.

    Raises
    ------
    WolvesError
        If the file exists, is not empty, and holds something else, or if it is a socket.
    """
    try:
        if Path(path).is_socket():
            raise WolvesError(
                "expected the path of a file, found a socket", where=path, fix=_ANOTHER
            )
        if not Path(path).is_file():
            return
        with open(path, "rb") as file:
            start = b"".join(file.readline(_MOST) for _ in range(lines))
        first = start.decode("utf-8-sig", errors="replace").strip()
    except OSError:
        return
    if first and not ours(first):
        raise WolvesError(
            f"the file exists and does not contain {what}",
            where=path,
            fix=_ANOTHER,
        )


def refuse_other_page(path: str | Path) -> None:
    """Refuse to write a page over a file that is not a page of this package.

    Raises
    ------
    WolvesError
        As in ``refuse_other``.
    """
    refuse_other(path, lambda start: _GENERATOR in start, "a page of many-wolves", lines=12)


def is_trial(line: str) -> bool:
    """Whether a line of JSON is a trial, and not an answer."""
    found = _object(line)
    return found is not None and not _ANSWER & set(found) and bool(_TRIAL & set(found))


def is_no_trial(line: str) -> bool:
    """Whether a line is anything but a trial, such as an answer, whole or damaged."""
    return not is_trial(line)


_GENERATOR = '<meta name="generator" content="many-wolves '
"""What the head of every page of this package contains."""

_ANSWER = frozenset(("status", "speaker", "response"))
_TRIAL = frozenset(("messages", "cell", "options", "task"))


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
