"""Labels of speakers, by which findings compare them: family, size, training, ..."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from many_wolves.contracts import Observations
from many_wolves.errors import WolvesError
from many_wolves.files import write_atomic
from many_wolves.sources import nearest
from many_wolves.store.foreign_csv import read_foreign
from many_wolves.workflows.fits import labels_of

FILE = "labels.json"
"""File in the folder of a fit; its labels override those in the fit's record."""
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?(?:[eE][-+]?[0-9]{1,2})?")
"""A number as it is usually written."""
Labels = Mapping[str, Mapping[str, str | float]]
"""Speaker -> label -> value."""


def read_labels(path: Path) -> dict[str, dict[str, str | float]]:
    """Labels from a CSV file with the column ``speaker`` and one for each label.

    An empty entry means no label. A column is read as numbers if each of its entries is one in
    its plain form. So the names ``007``, ``3.10`` and ``nan`` do not change.

    Raises
    ------
    WolvesError
        If the column speaker is missing, or a speaker has two lines.
    """
    table = read_foreign(path).renamed({"speaker": ("model", "speakers")})
    table.require("speaker", example="labels have the columns speaker, family, training")
    columns = {c: _values(table.text(c)) for c in table.columns if c != "speaker"}
    found: dict[str, dict[str, str | float]] = {}
    for row, name in enumerate(table.text("speaker")):
        if name in found:
            raise WolvesError(
                f"the speaker {name!r} has two lines",
                where=path,
                line=table.lines[row],
                column="speaker",
                fix="give each speaker one line",
            )
        entries = {c: values[row] for c, values in columns.items()}
        found[name] = {c: entry for c, entry in entries.items() if entry != ""}
    return found


def with_labels(tables: Sequence[Observations], labels: Labels, where: Path) -> list[Observations]:
    """The tables with these labels for their speakers.

    Raises
    ------
    WolvesError
        If a label belongs to a speaker that is in none of the tables.
    """
    speakers: Collection[str] = [name for table in tables for name in table.speakers]
    unknown = [name for name in labels if name not in speakers]
    if unknown:
        raise WolvesError(
            f"no table contains the speaker {unknown[0]!r}",
            where=where,
            column="speaker",
            fix=nearest(unknown[0], speakers),
        )
    return [
        replace(table, meta={**table.meta, "labels": _joined(table.meta.get("labels", {}), labels)})
        for table in tables
    ]


def write_labels(observations: Observations, folder: Path) -> None:
    """Write the labels of a table into the fit of its only speaker."""
    if observations.meta.get("labels", {}).get(observations.speakers[0]):
        write_atomic(folder / FILE, json.dumps(labels_of(observations), indent=1) + "\n")


def _joined(first: Labels, last: Labels) -> dict[str, dict[str, str | float]]:
    names = dict.fromkeys([*first, *last])
    return {name: {**first.get(name, {}), **last.get(name, {})} for name in names}


def _values(entries: Sequence[str]) -> list[str | float]:
    """The entries of a column: numbers where all of them are, and no two texts are one number."""
    given = {entry for entry in entries if entry != ""}
    numbers = {entry: _number(entry) for entry in given if _PLAIN.fullmatch(entry)}
    if len(numbers) < len(given) or len(set(numbers.values())) < len(given):
        return list(entries)
    return [numbers.get(entry, entry) for entry in entries]


def _number(entry: str) -> float:
    number = float(entry)
    return int(number) if number.is_integer() else number
