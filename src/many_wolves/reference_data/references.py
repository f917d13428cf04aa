"""From the cards of a family to the references that it offers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from many_wolves.contracts import Observations, Reference
from many_wolves.files import shipped
from many_wolves.reference_data.cards import DataSet, TableCard, data_sets
from many_wolves.store.shape import WIDE

FOLDER = "task-data/reference"
Reader = Callable[[Path, str], Observations]
"""Reads a CSV file as a table of a task."""


def references_of(
    family: str, read: Reader, *, lacks: tuple[str, ...] = (), folder: Path | None = None
) -> dict[str, Reference]:
    """The data of one family that ship, by the names that ``--data`` takes.

    Parameters
    ----------
    family
        Name of the family.
    read
        The family's reader of CSV files.
    lacks
        Options of cognitive models that none of the data allow.
    folder
        Where the data sets are; those of the project if not given.

    Raises
    ------
    WolvesError
        If a card is wrong.
    """
    known = data_sets(folder or shipped(FOLDER))
    return {
        name: Reference(
            name=name,
            title=own.card.title if len(own.fitted) == 1 else f"{own.name}: {table.what}",
            task=table.task,
            load=partial(load, own, table, read),
            card=own.facts(),
            speaker=table.speaker,
            files=partial(_files, own, table),
            speakers=partial(_speakers, own, table),
            lacks=lacks,
        )
        for own in known.values()
        if own.card.family == family
        for name, table in own.fitted.items()
    }


def load(own: DataSet, table: TableCard, read: Reader) -> Observations:
    """The observations of one table, with its source in ``meta``.

    Its reader knows the layout of the file, but not what its columns leave open.
    """
    found = read(own.path(table), table.task)
    notes = [note for note in found.meta.get("notes", ()) if not note.startswith(WIDE)]
    told = {
        "source": own.card.citation,
        "answers": own.card.n,
        "licence": own.card.licence,
        "answered_by": own.card.people,
        "labels": table.labels,
    }
    return replace(found, meta={**found.meta, **told, "notes": notes})


def _speakers(own: DataSet, table: TableCard) -> tuple[str, ...]:
    with own.path(table).open(newline="") as file:
        rows = csv.DictReader(file)
        named = [column for column in ("speaker", "model") if column in (rows.fieldnames or ())]
        return tuple(dict.fromkeys(row[named[0]] for row in rows)) if named else ()


def _files(own: DataSet, table: TableCard) -> tuple[Path, ...]:
    return (own.path(table).parent,)
