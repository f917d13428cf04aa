"""Where a model finds its rows: a table that `wolves choices` wrote, or one CSV file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.files import file_fingerprint
from many_wolves.observations import Observations
from many_wolves.sources import nearest
from many_wolves.tables import refuse_first

FAMILY = "dilemmas"
NAMES = {
    "dilemma": ("rounds",),
    "dictator": ("gifts",),
    "ultimatum": ("offers", "replies", "gifts"),
    "principal": ("served",),
}
"""Task -> the tables aside that hold its choices; gifts tell of the same preferences."""
COUNT = "count"


def from_csv(path: Path, task: str) -> Observations:
    """A table of one task from a CSV file; of the ultimatum, replies.csv may lie beside offers.csv.

    Raises
    ------
    WolvesError
        If it is no CSV file, or has no rows.
    """
    beside = {p: path.with_name(f"{p}.csv") for p in NAMES[task] if p != path.stem}
    aside = {
        name: _read(file)
        for name, file in beside.items()
        if path.stem in NAMES[task] and file.exists()
    }
    frame = _together({path.stem: _read(path), **aside}, task)
    if frame.empty:
        raise WolvesError("the table has no rows", where=path, mend="collect some answers first")
    meta = {"task": task, "path": str(path), "fingerprint": file_fingerprint(path)}
    return Observations.from_rows(FAMILY, counted(frame, path.stem), meta=meta)


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
            raise WolvesError(f"the task {task!r} has no rows {name!r}", mend=nearest(name, others))
    together = _together({main: frame, **aside}, task)
    return Observations.from_rows(FAMILY, counted(together, "speaker"), meta={"task": task})


def _together(frames: Mapping[str, pd.DataFrame], task: str) -> pd.DataFrame:
    """All rows of a task; those of several kinds say which they are."""
    if len(NAMES[task]) == 1:
        return next(iter(frames.values()))
    return pd.concat([f.assign(part=name) for name, f in frames.items()], ignore_index=True)


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
            f"the table holds no choices of the task {task!r}",
            where=str(table.meta.get("path", "the choice table")),
            mend="give another --task, or collect games of this one",
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


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (ValueError, UnicodeDecodeError) as error:
        raise WolvesError(
            f"expected a CSV file with a header; {error}",
            where=path,
            mend="save it as comma-separated UTF-8 text; docs/game-models.md names the columns",
        ) from error
