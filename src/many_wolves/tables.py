"""Observations on disk: a folder with CSV files that any tool can read.

One CSV file for each table (politeness: ``counts.csv``, ``literal.csv``), ``excluded.csv``,
``checks.json``, ``meta.json``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.files import code_version, file_fingerprint, write_atomic
from many_wolves.observations import COUNT, MAIN, Observations
from many_wolves.records import READABLE, SCHEMA, Check
from many_wolves.replacement import refuse_other

_NUMBERS = (COUNT, "yes", "n")
"""Columns with numbers of answers, which are real-valued in score mode."""
_TEXT = ("speaker", "example")
"""Columns that are always text."""
_BY_NAME: Mapping[str, set[str]] = {
    "speakers": {"provider", "model", "revision", "effort"},
    "labels": set(),
}
"""Entries of ``meta.json`` by speaker, and the fields that each has."""
_NOT_META = ("family", "tables", "text", "main", "aside", "files", "schema")


def write_table(table: Observations, folder: str | Path) -> Path:
    """Write a table into a folder; ``meta.json`` comes last, with fingerprints of the rest.

    Parameters
    ----------
    table
        The table.
    folder
        Created if it does not exist.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    WolvesError
        If it cannot be written.
    """
    try:
        return _write(table, Path(folder))
    except OSError as fault:
        raise WolvesError(
            f"the table cannot be written: {fault.strerror}",
            where=folder,
            fix="give a folder that you can write with --out",
        ) from fault


def _write(table: Observations, target: Path) -> Path:
    frames = {**table.tables, "excluded": table.excluded}
    for name, frame in {} if (target / "meta.json").exists() else frames.items():
        header = frame.head(0).to_csv(index=False).strip()
        refuse_other(target / f"{name}.csv", header.__eq__, "a table of `wolves choices`")
    files = [
        write_atomic(target / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
        for name, frame in frames.items()
    ]
    checks = [check.to_json() for check in table.checks]
    files.append(write_atomic(target / "checks.json", _json(checks)))
    meta = dict(table.meta) | {
        "schema": SCHEMA,
        "family": table.family,
        "code_version": code_version(),
        "main": table.main,
        "tables": list(table.tables),
        "text": {name: _text_columns(frame) for name, frame in table.tables.items()},
        "aside": list(table.aside),
        "files": {file.name: file_fingerprint(file) for file in files},
    }
    write_atomic(target / "meta.json", _json(meta))
    return target


def _text_columns(frame: pd.DataFrame) -> list[str]:
    """Columns that contain only text, so that a name such as ``007`` is read back unchanged."""
    return [str(c) for c in frame if len(frame) and frame[c].map(lambda v: type(v) is str).all()]


def read_table(folder: str | Path) -> Observations:
    """Read a table of ``write_table``; CSV files that were edited by hand are accepted.

    Raises
    ------
    WolvesError
        With file, line and column, if a file or column is missing or a number is invalid.
    """
    source = Path(folder)
    if source.suffix == ".csv":
        source = source.parent
    meta = _mapping(source / "meta.json")
    main = str(meta.get("main", MAIN))
    names = meta.get("tables", [main, *meta.get("aside", [])])
    for name in (main, *names):
        if not isinstance(name, str) or Path(name).name != name or "\0" in name:
            raise WolvesError(
                f"expected names of tables, found {name!r}",
                where=source / "meta.json",
                fix="run `wolves choices` again; it writes this file",
            )
    text = meta.get("text", {})
    return Observations(
        family=str(meta["family"]),
        tables={
            name: _frame(
                source / f"{name}.csv",
                ("speaker",) if name == main else (),
                text.get(name, ()),
            )
            for name in names
        },
        main=main,
        excluded=_excluded(source / "excluded.csv"),
        checks=_checks(source / "checks.json"),
        meta={k: v for k, v in meta.items() if k not in _NOT_META},
    )


def read_csv(path: Path | TextIO, fix: str, text: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV file in which no word means a missing value: ``none`` is a goal, ``NA`` a name.

    Parameters
    ----------
    path
        The file, or its open text.
    fix
        What to do if it is not a table.
    text
        Columns that are text, in addition to ``speaker``.

    Raises
    ------
    WolvesError
        If it is not a comma-separated table in UTF-8.
    """
    try:
        return pd.read_csv(path, keep_default_na=False, dtype=dict.fromkeys((*_TEXT, *text), str))
    except (ValueError, UnicodeDecodeError) as error:
        raise WolvesError(
            f"expected a CSV file with commas and a header; {str(error).strip()}",
            where=path if isinstance(path, Path) else None,
            fix=fix,
        ) from error
    except OSError as error:
        raise WolvesError(
            f"the file cannot be read: {error.strerror}",
            where=path if isinstance(path, Path) else None,
            fix="check the path",
        ) from error


def no_name(column: pd.Series) -> pd.Series:
    """Which entries of a column are missing, or blank; words such as ``NA`` are names."""
    return column.isna() | (column.astype(str).str.strip() == "")


def refuse_first(
    bad: pd.Series, column: pd.Series, expected: str, *, where: str | Path, fix: str
) -> None:
    """Raise an error for the first invalid entry of a column; do nothing if there is none.

    Parameters
    ----------
    bad
        Whether each entry is invalid.
    column
        The entries as in the file, one per row below the header.
    expected
        What was expected, in words.
    where, fix
        As in ``WolvesError``.

    Raises
    ------
    WolvesError
        If an entry is invalid, with the entry, its line and its column.
    """
    if bad.any():
        at = int(bad.to_numpy().argmax())
        raise WolvesError(
            f"expected {expected}, found {str(column.iloc[at])!r}",
            where=where,
            line=at + 2,
            column=str(column.name),
            fix=fix,
        )


def _json(value: Any) -> str:
    return json.dumps(_finite(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """The value with null for every number that JSON cannot represent."""
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise WolvesError(
            "expected a table of choices, but this file cannot be read: "
            f"{getattr(fault, 'strerror', None) or 'it is not UTF-8 text'}",
            where=path,
            fix="make the table with `wolves choices JOURNAL --out FOLDER`, and give its folder",
        ) from fault


def _load(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except json.JSONDecodeError as fault:
        raise WolvesError(
            f"expected JSON: {fault.msg}",
            where=path,
            line=fault.lineno,
            fix="make the table again with `wolves choices`",
        ) from fault
    except (ValueError, RecursionError) as fault:
        raise WolvesError(
            f"expected JSON: {fault}",
            where=path,
            fix="make the table again with `wolves choices`",
        ) from fault


def _mapping(path: Path) -> dict[str, Any]:
    meta = _load(path)
    if not isinstance(meta, dict) or "family" not in meta:
        raise WolvesError(
            "expected the field 'family', found none",
            where=path,
            fix='write {"family": "NAME", "tables": ["counts"]}, or make the table again with '
            "`wolves choices`",
        )
    if meta.get("schema", SCHEMA) not in READABLE:
        raise WolvesError(
            f"expected schema {SCHEMA}, found {meta['schema']}",
            where=path,
            fix="make the table again from its journals with `wolves choices`",
        )
    for name, fields in _BY_NAME.items():
        entries = meta.get(name, {})
        rows = entries.items() if isinstance(entries, dict) else [("", entries)]
        for key, entry in rows:
            if not isinstance(entry, dict) or not fields <= entry.keys():
                needed = f" with {', '.join(sorted(fields))}" if fields else ""
                raise WolvesError(
                    f"expected an object{needed} in {f'{name}.{key}' if key else name}, "
                    f"found {entry!r:.60}",
                    where=path,
                    fix="make the table again with `wolves choices`",
                )
    return meta


def _checks(path: Path) -> tuple[Check, ...]:
    if not path.exists():
        return ()
    try:
        return tuple(_check(record) for record in _load(path))
    except (TypeError, AttributeError) as fault:
        raise WolvesError(
            f"expected a list of checks, found something else: {fault}",
            where=path,
            fix="make the table again with `wolves choices`, or delete the file",
        ) from fault


def _check(record: Mapping[str, Any]) -> Check:
    fields: dict[str, Any] = {k: math.nan if v is None else v for k, v in record.items()}
    return Check(**fields)


def _excluded(path: Path) -> pd.DataFrame:
    if not path.exists() or not _text(path).strip():
        return pd.DataFrame()
    return _frame(path, ())


def _frame(path: Path, needed: tuple[str, ...], text: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV file and check its numbers."""
    if not _text(path).strip():
        raise WolvesError(
            "expected a line of column names, found an empty file",
            where=path,
            fix="make the table again with `wolves choices`",
        )
    frame = read_csv(path, "give every line as many fields as the first", text)
    for column in needed:
        if column not in frame:
            raise WolvesError(
                f"expected a column {column!r}, found {', '.join(map(str, frame.columns))}",
                where=path,
                line=1,
                column=column,
                fix=f"add the column {column!r}",
            )
    for column in _NUMBERS:
        if column in frame:
            frame[column] = _numbers(frame[column], path)
    return frame


def _numbers(values: pd.Series, path: Path) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    refuse_first(
        ~(numbers >= 0) | (numbers == math.inf),
        values,
        "a number of answers, zero or more",
        where=path,
        fix="correct the number, or make the table again with `wolves choices`",
    )
    return numbers
