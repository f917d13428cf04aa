"""Reads tables and records of sessions from foreign files and data frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.markets.reading.lab import record_from_lab
from many_wolves.families.markets.reading.tabulate import FAMILY, MAIN, PLANNING
from many_wolves.families.markets.rules.session import SessionRecord
from many_wolves.families.markets.rules.tables import MISSING, TABLES, TEXT, counted, table_rows
from many_wolves.observations import Observations
from many_wolves.sources import nearest


def from_csv(path: Path, task: str) -> Observations:
    """A table of payoffs (CSV), or the record of a session (JSON) in our form or the lab's.

    Raises
    ------
    WolvesError
        If the file cannot be read, lacks columns, or is of another task.
    """
    if task != PLANNING:
        raise WolvesError(
            f"tables of the task {task!r} have the format of its app",
            fix=f"give --task {PLANNING}, or read the app's exports directly",
        )
    try:
        if path.suffix == ".json":
            return _from_record(path, json.loads(path.read_text(encoding="utf-8")))
        return from_frame(_read(path), task)
    except WolvesError as fault:
        raise WolvesError(fault.problem, where=path, fix=fault.fix) from fault
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise WolvesError(
            f"expected a table of payoffs, or the record of a session, found {fault}",
            where=path,
            fix="give a CSV file with the columns of `wolves choices`, or a game's JSON",
        ) from fault


def from_frame(frame: pd.DataFrame, task: str, **aside: pd.DataFrame) -> Observations:
    """Payoffs as a data frame, with the other tables by name.

    Raises
    ------
    WolvesError
        If a table is unknown or lacks a column.
    """
    tables = {MAIN: frame, **aside}
    for name, given in tables.items():
        if name not in TABLES:
            raise WolvesError(f"unknown table {name!r}", fix=nearest(name, TABLES))
        lacking = [column for column in _columns(name) if column not in given]
        if lacking:
            raise WolvesError(
                f"the table {name} lacks the columns {', '.join(lacking)}",
                fix="docs/explanation/markets.md lists the columns of each table",
            )
    return Observations(FAMILY, tables, MAIN, meta={"task": task})


def _read(path: Path) -> pd.DataFrame:
    """Names are text, in which no word means a missing value; numbers may be missing."""
    columns = list(pd.read_csv(path, nrows=0).columns)
    numbers = {column: MISSING for column in columns if column not in TEXT}
    text = dict.fromkeys(TEXT, str)
    return pd.read_csv(path, keep_default_na=False, na_values=numbers, dtype=text)


def _from_record(path: Path, data: Any) -> Observations:
    record = SessionRecord.from_json(data) if "schema" in data else record_from_lab(data)
    tables = {
        name: pd.DataFrame(table_rows(name, path.stem, record), columns=_columns(name))
        for name in TABLES
    }
    shown = {name: table for name, table in tables.items() if len(table) or name == MAIN}
    meta = {"task": PLANNING, "rules": counted([record.rules])}
    return Observations(FAMILY, shown, MAIN, meta=meta)


def _columns(name: str) -> list[str]:
    """Columns of a table, with the speaker where one acts."""
    return ["speaker" if column == "agent" else column for column in TABLES[name]]
