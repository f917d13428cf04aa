"""Where a model finds its rows: a table that `wolves choices` wrote, or one CSV file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.models.foreign_games import as_rows
from many_wolves.files import file_fingerprint
from many_wolves.records import ChoiceTable
from many_wolves.store.foreign_csv import read_foreign
from many_wolves.tables import refuse_first

FAMILY = "dilemmas"
NAMES = {
    "dilemma": ("rounds",),
    "dictator": ("gifts",),
    "ultimatum": ("offers", "replies", "gifts", "least_accepted"),
    "principal": ("served",),
}
"""Task -> the tables aside that hold its choices; gifts tell of the same preferences."""
COUNT = "count"
LEAST = "least_accepted"
"""The part whose rows are read as replies."""


def from_csv(path: Path, task: str) -> ChoiceTable:
    """A table of one task from a CSV file; of the ultimatum, replies.csv may lie beside offers.csv.

    Raises
    ------
    WolvesError
        If it is no CSV file, or has no rows.
    """
    beside = {p: path.with_name(f"{p}.csv") for p in NAMES[task] if p != path.stem}
    other = [file for file in beside.values() if path.stem in NAMES[task] and file.exists()]
    read = [as_rows(read_foreign(file)) for file in (path, *other)]
    parts = [
        rows.assign(part="replies" if file.stem == LEAST else file.stem)
        for (rows, _), file in zip(read, (path, *other), strict=True)
    ]
    frame = pd.concat(parts, ignore_index=True) if len(NAMES[task]) > 1 else read[0][0]
    notes = list(dict.fromkeys(note for _, told in read for note in told))
    return ChoiceTable(
        family=FAMILY,
        counts=counted(frame, path.stem),
        meta={
            "task": task,
            "path": str(path),
            "fingerprint": file_fingerprint(path),
            "notes": notes,
        },
    )


def counted(frame: pd.DataFrame, speaker: str) -> pd.DataFrame:
    """A frame with ``speaker`` (its model) as the first column and ``count`` as the last."""
    found = frame.copy()
    if "speaker" not in found:
        named = found["model"].astype(str) if "model" in found else speaker
        found.insert(0, "speaker", named)
    count = found.pop(COUNT) if COUNT in found else 1
    found = found.drop(columns=["model"], errors="ignore")
    return found.assign(**{COUNT: count})


def of_task(table: ChoiceTable, task: str) -> ChoiceTable:
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
        if table.meta.get("task") in (None, task) and "task" not in table.counts:
            return table
        raise WolvesError(
            f"the table holds no choices of the task {task!r}",
            where=str(table.meta.get("path", "the choice table")),
            mend="give another --task, or collect games of this one",
        )
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["speaker"].isin(table.speakers)].reset_index(drop=True)
    where = Path(str(table.meta.get("path", "counts.csv"))).with_name(f"{names[0]}.csv")
    return ChoiceTable(
        family=table.family,
        counts=rows[[c for c in rows if c != COUNT] + [COUNT]],
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
            f"expected the column {column!r}; it is not there",
            where=where,
            column=column,
            mend=f"add the column {column}; docs/game-models.md names all",
        )
    numbers = pd.to_numeric(frame[column], errors="coerce")
    refuse_first(
        ~(numbers.notna() & (numbers >= least) & (numbers < float("inf"))),
        frame[column],
        f"a number of {least:g} or more",
        where=where,
        mend="correct the number there",
    )
    return numbers.astype(float)
