"""Reads the text of a table from the bytes of a file, or explains what the file is instead.

R, Excel, pandas and hand-made files differ in encoding, separator, comment lines and
line ends. The error for a file that is not a table says what it is (a Git LFS pointer, a web
page, a workbook).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.files import refuse_device

SEPARATORS = (",", ";", "\t", "|")
"""Field separators, the most common first, which is preferred if several fit equally well."""
SAMPLE_LINES = 200
"""Number of lines that are used to detect the separator."""
_SEP_LINE = re.compile(r"^\s*\"?sep=(.)\"?\s*$", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\n|\r")
"""Line breaks, without those of Unicode, which may occur within a name."""
_POINTER = b"version https://git-lfs.github.com/spec/"
_BINARY = (
    (b"PK\x03\x04", "a workbook or another zip archive", "save the sheet as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV (UTF-8)"),
    (b"\x1f\x8b", "a gzip archive", "unpack it with `gunzip FILE` first"),
    (b"PAR1", "a Parquet file", "write it as CSV: `pandas.read_parquet(FILE).to_csv(...)`"),
    (b"%PDF", "a PDF document", "give the underlying table as CSV"),
    (b"RDX", "an R data file", "write it as CSV: `write.csv(x, FILE, row.names = FALSE)`"),
    (b"\x89HDF", "an HDF5 or netCDF file", "give the choices as CSV"),
)


@dataclass(frozen=True)
class TableText:
    """The lines of a table, and their format.

    Parameters
    ----------
    records
        Line number in the file (from 1) and fields of every line; the header comes first.
    separator
        The separator of fields.
    notes
        Sentences that a reader of the file must know.
    """

    records: tuple[tuple[int, tuple[str, ...]], ...]
    separator: str
    notes: tuple[str, ...] = ()


def read_text(path: Path) -> TableText:
    """The records of a file that contains a table.

    Parameters
    ----------
    path
        The file: UTF-8, UTF-16 with its mark, or Windows-1252 (which is noted). Fields are
        separated by commas, semicolons, tabs or bars, possibly declared by a line ``sep=;``.
        Lines that begin with ``#`` and have no separator, or come before the header, are
        comments.

    Returns
    -------
    TableText
        Records with fields stripped of white space, blank lines and comments left out.

    Raises
    ------
    WolvesError
        If the file cannot be read, is empty, or is not a table.
    """
    refuse_device(path)
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise WolvesError(
            f"the table cannot be read: {fault.strerror}", where=path, fix="correct the path"
        ) from fault
    text, notes = _decode(raw, path)
    lines = list(enumerate(_LINE_END.split(text), start=1))
    separator, rest = _named_separator(lines)
    rest = _without_comments(rest)
    if not rest:
        raise WolvesError(
            "expected a line of column names, found an empty file",
            where=path,
            fix="save the table with its header as CSV",
        )
    chosen = separator or _separator([line for _, line in rest[:SAMPLE_LINES]])
    records = tuple(_records(rest, chosen, path))
    return TableText(records, chosen, tuple(notes))


def _decode(raw: bytes, path: Path) -> tuple[str, list[str]]:
    """The text of a file, and a note where it is not UTF-8."""
    _refuse_others(raw, path)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _strictly(raw, "utf-16", path), []
    if b"\0" in raw:
        raise WolvesError(
            "expected a table as text, found a binary file",
            where=path,
            fix="save the table as CSV (UTF-8)",
        )
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return _strictly(raw, "cp1252", path), [
            "The file is not UTF-8; it was read as Windows-1252. Check letters with accents."
        ]


def _strictly(raw: bytes, encoding: str, path: Path) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as fault:
        raise WolvesError(
            f"expected UTF-8 text, found byte {raw[fault.start]:#04x} at position {fault.start}",
            where=path,
            fix="save the table as CSV (UTF-8)",
        ) from fault


def _refuse_others(raw: bytes, path: Path) -> None:
    """Raise an error for a file that is not a table."""
    if raw.startswith(_POINTER):
        raise WolvesError(
            "this is a Git LFS pointer: the table itself was not downloaded",
            where=path,
            fix="git lfs pull",
        )
    for magic, what, fix in _BINARY:
        if raw.startswith(magic):
            raise WolvesError(f"expected a CSV file, found {what}", where=path, fix=fix)
    start = raw[:512].decode("latin-1").lstrip("\ufeffï»¿ \t\r\n").lower()
    if start.startswith(("<!doctype html", "<html", "<?xml", "<head")):
        raise WolvesError(
            "expected a CSV file, found a web page",
            where=path,
            fix="download the file itself (on GitHub: the button Raw)",
        )
    if start.startswith(("{", "[{", "[[")):
        raise WolvesError(
            "expected a CSV file, found JSON",
            where=path,
            fix="give answers to `wolves choices`, and tables as CSV",
        )


def _named_separator(
    lines: list[tuple[int, str]],
) -> tuple[str | None, list[tuple[int, str]]]:
    """The separator that a first line such as ``sep=;`` declares, and the other lines."""
    for at, (_, line) in enumerate(lines):
        if not line.strip():
            continue
        found = _SEP_LINE.match(line)
        return (found.group(1), lines[at + 1 :]) if found else (None, lines)
    return None, lines


def _without_comments(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The lines from the header on; later comments are recognized once fields are known."""
    for at, (_, line) in enumerate(lines):
        if line.strip() and not line.lstrip().startswith("#"):
            return lines[at:]
    return []


def _separator(lines: list[str]) -> str:
    """The separator at which most lines have as many fields as the header."""

    def fit(separator: str) -> tuple[float, int]:
        read = csv.reader(io.StringIO("\n".join(lines)), delimiter=separator)
        rows = [row for row in read if row and any(cell.strip() for cell in row)]
        width = len(rows[0]) if rows else 1
        # The header of R's write.table is a field short of the rows.
        alike = sum(len(row) in (width, width + 1) for row in rows) / max(len(rows), 1)
        return (alike if width > 1 else 0.0, width)

    return max(SEPARATORS, key=lambda s: (fit(s), -SEPARATORS.index(s)))


def _records(
    lines: list[tuple[int, str]], separator: str, path: Path
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line numbers and fields; blank lines and comments left out."""
    first = lines[0][0]
    source = csv.reader((f"{line}\n" for _, line in lines), delimiter=separator, strict=True)
    began = first
    try:
        for row in source:
            here, began = began, first + source.line_num
            fields = tuple(cell.strip() for cell in row)
            if not any(fields) or _is_comment(fields):
                continue
            yield here, fields
    except csv.Error as fault:
        raise WolvesError(
            f"expected quotation marks in pairs: {fault}",
            where=path,
            line=began,
            fix='write a quotation mark within a field twice: "" ',
        ) from fault


def _is_comment(fields: tuple[str, ...]) -> bool:
    return fields[0].startswith("#") and not any(fields[1:])
