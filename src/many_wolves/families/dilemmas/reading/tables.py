"""Finds the rows of a model: in a table of `wolves choices`, or in one CSV file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.reading.foreign_games import as_rows
from many_wolves.files import file_fingerprint
from many_wolves.observations import Observations
from many_wolves.sources import nearest
from many_wolves.store.foreign_csv import ForeignTable, foreign_of, read_foreign
from many_wolves.tables import refuse_first

FAMILY = "dilemmas"
NAMES = {
    "dilemma": ("rounds",),
    "dictator": ("gifts",),
    "ultimatum": ("offers", "replies", "gifts", "least_accepted"),
    "principal": ("served",),
}
"""Task -> further tables with its choices; gifts inform the same preferences."""
COUNT = "count"
LEAST = "least_accepted"
"""Its rows are read as replies."""


def from_csv(path: Path, task: str) -> Observations:
    """A table of one task from a CSV file; of the ultimatum, replies.csv may be next to offers.csv.

    Raises
    ------
    WolvesError
        If it is not a CSV file, or has no rows.
    """
    beside = {p: path.with_name(f"{p}.csv") for p in NAMES[task] if p != path.stem}
    known = path.stem in NAMES[task]
    files = [path, *(file for file in beside.values() if known and file.exists())]
    meta = {"path": str(path), "fingerprint": file_fingerprint(path)}
    return _table({file.stem: read_foreign(file) for file in files}, task, path.stem, meta)


def from_frame(frame: pd.DataFrame, task: str, **aside: pd.DataFrame) -> Observations:
    """A table of one task from a data frame, with further kinds of rows by their name.

    Raises
    ------
    WolvesError
        If the task has no such kind of rows.
    """
    main, *others = NAMES[task]
    for name in aside:
        if name not in others:
            raise WolvesError(f"the task {task!r} has no rows {name!r}", fix=nearest(name, others))
    frames = {main: frame, **aside}
    tables = {name: foreign_of(f, f"the data frame of {name}") for name, f in frames.items()}
    return _table(tables, task, "speaker", {})


def _table(
    tables: Mapping[str, ForeignTable], task: str, speaker: str, meta: Mapping[str, Any]
) -> Observations:
    """All rows of a task; those of several kinds say which they are."""
    read = {name: as_rows(table) for name, table in tables.items()}
    if len(NAMES[task]) == 1:
        rows = next(iter(read.values()))[0]
    else:
        parts = [
            frame.assign(part="replies" if name == LEAST else name)
            for name, (frame, _) in read.items()
        ]
        rows = pd.concat(parts, ignore_index=True)
    notes = list(dict.fromkeys(note for _, told in read.values() for note in told))
    told = {"task": task, **meta, "notes": notes}
    return Observations.from_rows(FAMILY, counted(rows, speaker), meta=told)


def counted(frame: pd.DataFrame, speaker: str) -> pd.DataFrame:
    """A frame with ``speaker`` (its model) as the first column and ``count`` as the last."""
    found = frame.copy()
    if "speaker" not in found:
        named = found["model"].astype(str) if "model" in found else speaker
        found.insert(0, "speaker", named)
    count = found.pop(COUNT) if COUNT in found else 1
    found = found.drop(columns=["model"], errors="ignore")
    return found.assign(**{COUNT: count})


def of_task(table: Observations, task: str) -> Observations:
    """The table with the rows of one task as its counts.

    What `wolves choices` wrote has them aside; a CSV file holds nothing else.

    Raises
    ------
    WolvesError
        If the table holds no choices of this task.
    """
    names = NAMES[task]
    parts = [
        counted(table.aside[name], "").assign(part=name) for name in names if name in table.aside
    ]
    if not parts:
        if table.task in ("", task) and "task" not in table.rows:
            return table
        raise WolvesError(
            f"the table contains no choices of the task {task!r}",
            where=str(table.meta.get("path", "the choice table")),
            fix="give another --task, or collect games of this one",
        )
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["speaker"].isin(table.speakers)].reset_index(drop=True)
    where = Path(str(table.meta.get("path", "counts.csv"))).with_name(f"{names[0]}.csv")
    return Observations.from_rows(
        table.family,
        rows[[c for c in rows if c != COUNT] + [COUNT]],
        excluded=table.excluded,
        checks=table.checks,
        meta={**table.meta, "task": task, "path": str(where)},
    )


def real(frame: pd.DataFrame, column: str, where: str, least: float = 0.0) -> pd.Series:
    """A column as finite numbers not below ``least``.

    Raises
    ------
    WolvesError
        If the column is missing or holds anything else.
    """
    if column not in frame:
        raise WolvesError(
            f"expected the column {column!r}, found none",
            where=where,
            column=column,
            fix=f"add the column {column}; docs/explanation/game-models.md lists all",
        )
    numbers = pd.to_numeric(frame[column], errors="coerce")
    refuse_first(
        ~(numbers.notna() & (numbers >= least) & (numbers < float("inf"))),
        frame[column],
        f"a number of {least:g} or more",
        where=where,
        fix="correct the number there",
    )
    return numbers.astype(float)
