"""Where the commands take their choice table from: a folder, a CSV file, or people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.files import file_fingerprint
from many_wolves.records import ChoiceTable
from many_wolves.tables import read_table


def human_or_table(
    choices: Path | None, human: str | None, speaker: str | None = None, framing: str | None = None
) -> ChoiceTable:
    """The table of one speaker, from ``--human NAME`` or from a path.

    Raises
    ------
    WolvesError
        If neither or both are given, or the table holds several speakers and
        none is named.
    """
    if (choices is None) == (human is None):
        raise WolvesError(
            "expected a table of choices or --human NAME, and not both",
            mend="wolves fit rsa-output/NAME/choices, or wolves fit --human yoon2020",
        )
    if human is not None:
        from many_wolves.families.politeness.human import human_table

        return human_table(human)
    assert choices is not None
    table = load_table(choices)
    if framing is not None:
        table = only(table, "framing", framing, choices)
    if speaker is not None:
        return only(table, "speaker", speaker, choices).of(speaker)
    if len(table.speakers) > 1:
        raise WolvesError(
            f"one fit is of one speaker; the table holds {', '.join(table.speakers)}",
            where=choices,
            mend=f"--speaker {table.speakers[0]!r}",
        )
    return table


def load_table(path: Path) -> ChoiceTable:
    """A choice table from a folder of ``wolves choices`` or from one CSV file."""
    if path.is_dir():
        table = read_table(path)
        return replace(table, meta={**table.meta, "path": str(path / "counts.csv")})
    if not path.exists():
        raise WolvesError(
            "there is no such table of choices",
            where=path,
            mend="run `wolves choices` first, or correct the path",
        )
    if (path.parent / "meta.json").exists() and path.name == "counts.csv":
        return load_table(path.parent)
    return _from_csv(path)


def _from_csv(path: Path) -> ChoiceTable:
    counts = _read_csv(path)
    if "speaker" not in counts:
        counts.insert(0, "speaker", path.stem)
    beside = {name: path.with_name(f"{name}.csv") for name in ("literal", "placed")}
    aside = {name: _read_csv(file) for name, file in beside.items() if file.exists()}
    return ChoiceTable(
        family="politeness",
        counts=counts,
        aside=aside,
        meta={"path": str(path), "fingerprint": file_fingerprint(path)},
    )


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise WolvesError(
            f"expected a CSV file with a header; {error}",
            where=path,
            mend="save it as comma-separated UTF-8 text with the columns "
            "goal,state,utterance,count",
        ) from error


def only(table: ChoiceTable, column: str, value: str, path: Path) -> ChoiceTable:
    """The rows with one value in a column; WolvesError where there are none."""
    present = list(dict.fromkeys(map(str, table.counts.get(column, ()))))
    if value not in present:
        raise WolvesError(
            f"no {column} {value!r} in the table; it holds {', '.join(present) or 'none'}",
            where=path,
            column=column,
            mend=f"--{column} {present[0]!r}" if present else f"leave --{column} out",
        )
    aside = {
        name: _where(frame, column, value) if column in frame else frame
        for name, frame in table.aside.items()
    }
    return replace(table, counts=_where(table.counts, column, value), aside=aside)


def _where(frame: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    return frame[frame[column].astype(str) == value].reset_index(drop=True)
