"""A table from other software, as text cells with known line numbers; see ``foreign_text``.

Nothing is guessed from the values: every cell stays text. So the names ``NA``, ``007`` and
``3.10`` do not change. Numbers are read column by column, once it is known which columns are
numeric.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.store.foreign_text import TableText, read_text
from many_wolves.store.numbers import (
    NotANumberError,
    decimal_commas,
    number_error,
    read_levels,
    read_numbers,
)

if TYPE_CHECKING:
    import pandas as pd

_ROW_NUMBERS = re.compile(
    r"(unnamed:?[ _.]?0(\.\d)?|x\.?1?|\.\.\.1|rownames|row\.?names|index|)", re.IGNORECASE
)
"""Names that R, pandas and readr give to a column of row numbers."""


@dataclass(frozen=True)
class ForeignTable:
    """A table as written.

    Parameters
    ----------
    frame
        Cells as text, columns by name; rows are numbered from zero.
    lines
        (rows,) line number on which each row begins.
    where
        The file, for messages.
    separator
        The separator of fields.
    notes
        Sentences that a reader of the table must know.
    """

    frame: pd.DataFrame
    lines: tuple[int, ...]
    where: str
    separator: str = ","
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self.frame.columns)

    def text(self, column: str) -> list[str]:
        """The entries of a column."""
        return list(self.frame[column])

    def numbers(
        self,
        column: str,
        *,
        least: float = 0.0,
        whole: bool = False,
        missing: bool = False,
        words: bool = False,
    ) -> Array:
        """A column as numbers.

        Parameters
        ----------
        column
            Its name.
        least
            The smallest number allowed.
        whole
            Whether fractions are refused.
        missing
            Whether an entry may be missing (NaN in the result).
        words
            Whether TRUE, FALSE, yes and no are read as one and zero.

        Raises
        ------
        WolvesError
            At the first invalid entry, with its line and column.
        """
        entries = self.text(column)
        expected = f"{'a whole number' if whole else 'a number'} of {least:g} or more"
        try:
            comma = decimal_commas([entries], self.separator)
            found = read_numbers(entries, comma=comma, words=words)
        except NotANumberError as fault:
            raise self._fault(fault, column, entries, expected) from fault
        if found.percent.any():
            raise self._fault(
                NotANumberError(int(found.percent.argmax()), "a percentage"),
                column,
                entries,
                expected,
            )
        bad = ~(found.values >= least) & ~(missing & np.isnan(found.values))
        if whole:
            bad |= ~np.isnan(found.values) & (found.values % 1 != 0)
        if bad.any():
            raise self._fault(NotANumberError(int(bad.argmax()), ""), column, entries, expected)
        return found.values

    def levels(self, column: str) -> np.ndarray:
        """A column as whole numbers of a scale: ``2``, ``2.0``, ``2 hearts``, ``two``.

        Raises
        ------
        WolvesError
            At the first entry without a whole number, with its line and column.
        """
        entries = self.text(column)
        try:
            return read_levels(entries)
        except NotANumberError as fault:
            raise self._fault(
                fault, column, entries, "a whole number (such as 2, or `2 hearts`)"
            ) from fault

    def require(self, *columns: str, example: str = "") -> None:
        """Reject a table that lacks a column.

        Raises
        ------
        WolvesError
            With the existing columns, and the one that may be meant.
        """
        for column in columns:
            if column not in self.frame:
                known = ", ".join(self.columns) or "none"
                raise WolvesError(
                    f"expected the columns {', '.join(columns)}; found {known}",
                    where=self.where,
                    line=1,
                    column=column,
                    fix=f"add the column {column}, or rename the one that contains it"
                    + (f"; {example}" if example else ""),
                )

    def renamed(self, names: Mapping[str, Collection[str]]) -> ForeignTable:
        """The table with its columns renamed to the names used here.

        Parameters
        ----------
        names
            Name here -> names elsewhere. Case, spaces, dots, dashes and underscores are ignored. A
        column that already has its name is unchanged.
        """
        known = {_plain(form): name for name, forms in names.items() for form in (name, *forms)}
        taken = set(self.columns)
        mapping: dict[str, str] = {}
        for column in self.columns:
            name = known.get(_plain(column))
            if name is not None and name not in taken:
                mapping[column] = name
                taken.add(name)
        notes = tuple(
            f"The column {old!r} was read as {new!r}."
            for old, new in mapping.items()
            if _plain(old) != _plain(new)
        )
        return replace(self, frame=self.frame.rename(columns=mapping), notes=(*self.notes, *notes))

    def with_column(self, column: str, entry: str) -> ForeignTable:
        """The table with an additional constant column."""
        return replace(self, frame=self.frame.assign(**{column: entry}))

    def rows(self, kept: np.ndarray) -> ForeignTable:
        """The rows of a boolean mask."""
        lines = tuple(line for line, keep in zip(self.lines, kept, strict=True) if keep)
        return replace(self, frame=self.frame[kept].reset_index(drop=True), lines=lines)

    def _fault(
        self, fault: NotANumberError, column: str, entries: Sequence[str], expected: str
    ) -> WolvesError:
        line = self.lines[fault.row]
        return number_error(fault, entries, expected, where=self.where, line=line, column=column)


def read_foreign(path: str | Path) -> ForeignTable:
    """Read a CSV file of any usual kind as text.

    Parameters
    ----------
    path
        A table as R, Excel, pandas or a person writes it: see ``foreign_text.read_text``. A
        column of row numbers and empty columns at the right are left out.

    Returns
    -------
    ForeignTable
        The cells as text, with line numbers.

    Raises
    ------
    WolvesError
        If the file is not a table, has no rows, or has duplicate names in its header. Also if
        a line has more or fewer fields than the header.
    """
    file = Path(path)
    return _table(read_text(file), file)


def foreign_of(frame: pd.DataFrame, where: str = "the data frame") -> ForeignTable:
    """A data frame in the form of a foreign table; a missing value is an empty cell.

    Raises
    ------
    WolvesError
        If it has no rows, or duplicate names of columns.
    """
    import pandas as pd

    if frame.empty:
        raise WolvesError("the table has no rows", where=where, fix="give one row or more")
    names = [str(column) for column in frame.columns]
    _refuse_twice(names, where, 1)
    cells = pd.DataFrame(
        {name: [_cell(value) for value in frame.iloc[:, at]] for at, name in enumerate(names)},
        dtype=object,
    )
    return ForeignTable(cells, tuple(range(2, len(cells) + 2)), where)


def _cell(value: object) -> str:
    import pandas as pd

    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.0f}" if _is_whole(value) else repr(value)
    return str(value).strip()


def _is_whole(value: float) -> bool:
    return math.isfinite(value) and value == int(value) and abs(value) < 1e15


def _table(text: TableText, path: Path) -> ForeignTable:
    import pandas as pd

    (header_line, header), body = text.records[0], text.records[1:]
    if not body:
        raise WolvesError(
            f"the table has a header ({', '.join(header)}) and no rows",
            where=path,
            line=header_line,
            fix="export the table again with its rows",
        )
    names, rows = _even(list(header), [fields for _, fields in body])
    for (line, _), fields in zip(body, rows, strict=True):
        if len(fields) != len(names):
            raise WolvesError(
                f"expected {len(names)} fields as in the header, found {len(fields)}",
                where=path,
                line=line,
                fix="give every line as many fields as the first; put quotation marks around a "
                "field that contains the separator",
            )
    frame = pd.DataFrame(rows, columns=range(len(names)), dtype=object)
    kept, notes = _columns(names, frame)
    frame = frame[kept].set_axis([names[at] for at in kept], axis=1)
    _refuse_twice(list(frame.columns), path, header_line)
    lines = tuple(line for line, _ in body)
    return ForeignTable(frame, lines, str(path), text.separator, (*text.notes, *notes))


def _even(header: list[str], rows: list[tuple[str, ...]]) -> tuple[list[str], list[list[str]]]:
    """Header and rows with equal lengths, if the excess is empty or R left out a name."""
    if all(len(row) == len(header) + 1 for row in rows) and header[-1] != "":
        # R's write.table does not name the column of row names.
        header = ["", *header]
    width = len(header)
    padded = []
    for row in rows:
        own = list(row)
        while len(own) > width and own[-1] == "":
            own.pop()
        padded.append(own)
    return header, padded


def _columns(names: list[str], frame: pd.DataFrame) -> tuple[list[int], list[str]]:
    """The columns to keep, and notes on the others."""
    kept, notes = [], []
    for at, name in enumerate(names):
        if name == "" and (frame[at] == "").all():
            continue
        if at == 0 and _ROW_NUMBERS.fullmatch(name) and _counts_up(frame[at]):
            called = name or "without a name"
            notes.append(f"The first column, {called}, numbers the rows and was ignored.")
            continue
        kept.append(at)
    return kept, notes


def _counts_up(entries: pd.Series) -> bool:
    start = str(entries.iloc[0])
    if start not in ("0", "1"):
        return False
    return list(entries) == [str(int(start) + i) for i in range(len(entries))]


def _refuse_twice(names: Sequence[str], where: str | Path, line: int) -> None:
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise WolvesError(
            f"two columns are called {twice!r}" if twice else "two columns have no name",
            where=where,
            line=line,
            column=twice or None,
            fix="give every column a different name",
        )


def _plain(name: str) -> str:
    return re.sub(r"[\s._\-]+", "", name).casefold()
