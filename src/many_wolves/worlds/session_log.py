"""The journal of one session on a server: questions, sent actions and receipts, in order.

The order ensures that an action happens exactly once. The answer is on disk before the line
``sent``, this line before the action, and ``receipt`` after it. When a session is resumed, an
action with ``sent`` and without ``receipt`` is looked up, never repeated blindly.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

from filelock import FileLock, Timeout

from many_wolves.errors import WolvesError

Line = Mapping[str, Any]
"""One event: ``event``, ``at`` (UTC), and further fields."""


class SessionLog:
    """Append-only lines of one session; one process writes at a time.

    Parameters
    ----------
    path
        The file, created if missing. A last line that was cut off by a crash is dropped.

    Raises
    ------
    WolvesError
        If another process writes to it, or an earlier line is damaged.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise WolvesError(
                "another command is playing this session",
                where=path,
                fix="wait until it has ended, or give another output folder",
            ) from None
        try:
            self.lines, whole = _read(path)
            self._handle: IO[bytes] = path.open("ab")
            if path.stat().st_size > whole:
                self._handle.truncate(whole)
        except BaseException:
            self._lock.release()
            raise

    def write(self, event: str, *, sync: bool = False, **fields: Any) -> None:
        """Append one line; with ``sync``, it is on disk when this returns."""
        line = {
            "event": event,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            **fields,
        }
        self._handle.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._handle.flush()
        if sync:
            os.fsync(self._handle.fileno())
        self.lines.append(line)

    def of(self, event: str) -> Iterator[Line]:
        """Lines of one kind, in order."""
        return (line for line in self.lines if line["event"] == event)

    def close(self) -> None:
        """Close the file and release its lock."""
        self._handle.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def read_session_log(path: Path) -> list[Line]:
    """All complete lines of a session's journal, which may still be written to.

    Raises
    ------
    WolvesError
        If a line that is not the last one is damaged.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[list[Line], int]:
    """Complete lines, and the length of the file up to the end of the last one."""
    if not path.exists():
        return [], 0
    raw = path.read_bytes()
    whole = raw.rfind(b"\n") + 1
    lines: list[Line] = []
    for number, text in enumerate(raw[:whole].splitlines(), 1):
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError as error:
            raise WolvesError(
                f"damaged line: {error}",
                where=path,
                line=number,
                fix="restore the file, or move it away to restart the session",
            ) from error
    return lines, whole
