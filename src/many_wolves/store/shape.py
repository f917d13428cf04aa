"""Converts wide tables to long ones, and shares to counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.store.foreign_csv import ForeignTable
from many_wolves.store.numbers import (
    NotANumberError,
    decimal_commas,
    number_error,
    read_numbers,
)

WIDE = "The table is wide"
"""Beginning of a note on a wide table."""
ROUNDED = 0.5 + 1e-6
"""Tolerance of a rounded share, in units of its last digit."""


def longer(
    table: ForeignTable, columns: Sequence[str], names_to: str, values_to: str
) -> ForeignTable:
    """Reshape a wide table so that each of some columns gives a row.

    Parameters
    ----------
    table
        The wide table.
    columns
        Columns with values.
    names_to, values_to
        Columns of the result: the name of the wide column, and its entry.

    Returns
    -------
    ForeignTable
        The long table with the other columns repeated; rows keep their line numbers.

    Raises
    ------
    WolvesError
        If the table has such columns already.
    """
    for name in (names_to, values_to):
        if name in table.frame and name not in columns:
            raise WolvesError(
                f"the table is wide ({', '.join(columns)}) and has a column {name!r} as well",
                where=table.where,
                line=1,
                column=name,
                fix=f"rename that column, or give the table one row for each {names_to}",
            )
    kept = [name for name in table.columns if name not in columns]
    repeats = len(columns)
    frame = table.frame[kept].loc[table.frame.index.repeat(repeats)].reset_index(drop=True)
    frame[names_to] = np.tile(np.array(columns, dtype=object), len(table.frame))
    frame[values_to] = table.frame[list(columns)].to_numpy(dtype=object).ravel()
    lines = tuple(line for line in table.lines for _ in range(repeats))
    note = f"{WIDE}: its columns {', '.join(columns)} were read as {names_to}."
    return replace(table, frame=frame, lines=lines, notes=(*table.notes, note))


def counts_from_shares(
    table: ForeignTable, share: str, total: str, cells: Sequence[str] | None = None
) -> tuple[Array, str]:
    """Counts from shares of a total, as whole numbers if the rounding allows exactly one.

    Parameters
    ----------
    table
        Table with a share (0.25, or 25 %) and its total in each row.
    share, total
        Their columns.
    cells
        Columns that identify the rows that add up to one total; None if shares are unrelated.

    Returns
    -------
    tuple
        (rows,) counts, and a note.

    Raises
    ------
    WolvesError
        If a share is outside 0 to 1 (or 100 %), or matches no count of its total. Also if the
        shares of one cell do not add up to one within their rounding.
    """
    entries = table.text(share)
    n = table.numbers(total, whole=True)
    try:
        found = read_numbers(entries, comma=decimal_commas([entries], table.separator))
    except NotANumberError as fault:
        line = table.lines[fault.row]
        raise number_error(
            fault, entries, "a share or percentage", where=table.where, line=line, column=share
        ) from fault
    percent = found.percent | (np.nanmax(found.values, initial=0.0) > 1.0)
    values = np.where(percent, found.values / 100, found.values)
    digits = np.array([digits_of(entry) for entry in entries]) + np.where(percent, 2, 0)
    slack = np.maximum(ROUNDED * 10.0**-digits * n, 1e-9)
    counts = np.rint(values * n)
    bad = ~(values >= 0) | (values > 1) | (np.abs(values * n - counts) > slack)
    if bad.any():
        row = int(bad.argmax())
        raise WolvesError(
            f"expected a share that is a whole number out of {n[row]:g}, found {entries[row]!r}",
            where=table.where,
            line=table.lines[row],
            column=share,
            fix="give counts, or the correct total",
        )
    if cells is not None:
        _refuse_loose(table, counts, n, slack, cells, share)
    note = f"Counts were made from the shares in {share!r} and the totals in {total!r}."
    most = float(slack.max(initial=0.0))
    if most > 0.5:
        note += f" The shares are rounded: a count may be off by {most:.0f}."
    return counts, note


def digits_of(entry: str) -> int:
    """The number of digits after the decimal sign of a number or percentage."""
    digits = entry.strip().rstrip("%").rstrip()
    at = max(digits.rfind("."), digits.rfind(","))
    return len(digits) - at - 1 if at >= 0 else 0


def _refuse_loose(
    table: ForeignTable,
    counts: Array,
    n: Array,
    slack: Array,
    cells: Sequence[str],
    share: str,
) -> None:
    import pandas as pd

    keys = table.frame[list(cells)] if cells else pd.DataFrame({"": np.zeros(len(n))})
    groups = keys.groupby(list(keys.columns), sort=False).ngroup().to_numpy()
    size = int(groups.max()) + 1
    total = np.bincount(groups, counts, size)
    room = np.bincount(groups, np.where(slack > 0.5, slack, 0.0), size) + 1e-6
    first = np.array([int(np.argmax(groups == g)) for g in range(size)])
    off = np.abs(total - n[first]) > room
    if off.any():
        at = int(np.argmax(off))
        row = int(first[at])
        named = ", ".join(f"{c} {table.frame[c].iloc[row]}" for c in cells) or "the table"
        raise WolvesError(
            f"the shares of {named} add up to {total[at]:g} of {n[row]:g}",
            where=table.where,
            line=table.lines[row],
            column=share,
            fix="give the share of every row, including zero shares; or give counts",
        )
