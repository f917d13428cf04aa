"""Lines of a journal as they stand in its file, whole or not."""

from __future__ import annotations

import os
from pathlib import Path

from many_wolves.journals import raw_lines


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
