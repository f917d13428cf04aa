"""Tables of turns, games or replies that come as CSV files or data frames."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.files import file_fingerprint
from many_wolves.observations import Observations
from many_wolves.sources import nearest
from many_wolves.store.foreign_csv import read_foreign
from many_wolves.tables import read_csv

FAMILY = "bargaining"
MAIN = {"haggle": "turns", "haggle-words": "replies"}
"""Task -> its main table."""
ASIDE = {"haggle": ("turns", "games"), "haggle-words": ("replies",)}
_DECIMAL_COMMA = re.compile(r"^(-?\d+),(\d+)$")
_TEXT = ("group", "participant", "partner", "good", "arm", "rule", "move", "role")


def from_csv(path: Path, task: str) -> Observations:
    """The tables of a task from a CSV file and its companions: games.csv next to turns.csv.

    Raises
    ------
    WolvesError
        If the file is not valid CSV, or has no rows.
    """
    name = path.stem if path.stem in ASIDE[task] else MAIN[task]
    beside = {other: path.with_name(f"{other}.csv") for other in ASIDE[task] if other != name}
    aside = {
        other: _read(file) for other, file in beside.items()
        if path.stem in ASIDE[task] and file.exists()
    }  # fmt: skip
    frame = _read(path)
    if frame.empty:
        raise WolvesError("the table has no rows", where=path, fix="collect some games first")
    meta = {"task": task, "path": str(path), "fingerprint": file_fingerprint(path)}
    return _observations({name: frame, **aside}, task, path.stem, meta)


def from_frame(frame: pd.DataFrame, task: str, **aside: pd.DataFrame) -> Observations:
    """The tables of a task from data frames; ``games`` can accompany turns.

    Raises
    ------
    WolvesError
        If the task has no such table.
    """
    for name in aside:
        if name not in ASIDE[task]:
            raise WolvesError(
                f"the task {task!r} has no table {name!r}", fix=nearest(name, ASIDE[task])
            )
    name = "games" if "ended" in frame else MAIN[task]
    return _observations({name: frame, **aside}, task, "speaker", {"task": task})


def _observations(
    frames: dict[str, pd.DataFrame], task: str, speaker: str, meta: dict[str, str]
) -> Observations:
    named = {
        name: frame if "speaker" in frame else frame.assign(speaker=speaker)
        for name, frame in frames.items()
    }
    main = MAIN[task] if MAIN[task] in named else next(iter(named))
    return Observations(FAMILY, named, main=main, meta=meta)


def _read(path: Path) -> pd.DataFrame:
    """A table as spreadsheets write it too: other separators, decimal commas, a BOM."""
    found = read_foreign(path)
    frame = found.frame
    if found.separator != ",":
        frame = frame.replace(_DECIMAL_COMMA, r"\1.\2", regex=True)
    text = StringIO(frame.to_csv(index=False))
    return read_csv(text, "give turns.csv, games.csv or replies.csv of `wolves choices`", _TEXT)
