"""Raw lines of a journal, complete or damaged."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from many_wolves.store.journal_lines import raw_lines


def ends_well(path: Path) -> bool:
    """Whether the file ends with a line break, or is empty."""
    if not path.exists() or path.stat().st_size == 0:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def set_aside(path: Path, lines: set[int]) -> None:
    """Append lines to the file ``.set-aside``."""
    place = path.with_name(path.name + ".set-aside")
    with place.open("ab") as file:
        for at, raw in raw_lines(path):
            if at in lines:
                file.write(raw.removesuffix(b"\n") + b"\n")
        file.flush()
        os.fsync(file.fileno())


def rewrite_in_place(path: Path, lines: Iterable[bytes]) -> int:
    """Rewrite a file with a subset of its lines; return its new size.

    A line is written only after it was read, so that nothing is lost if this is interrupted:
    some lines are then duplicates.
    """
    with path.open("r+b", buffering=0) as file:
        for line in lines:
            file.write(line)
        file.truncate()
        os.fsync(file.fileno())
        return file.tell()


def read_open(file: int) -> bytes:
    """The content of an open file, even if it has no name any more."""
    os.lseek(file, 0, os.SEEK_SET)
    pieces = []
    while piece := os.read(file, 1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder, if the system supports it."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
