"""Reference data that ship with the project, and the card that says what each of them is.

A data set is a folder with tables of numbers and ``card.yaml``: who answered, where it comes
from, under which licence, with which settings, what is wrong with it, and what nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from many_wolves.errors import WolvesError

CARD = "card.yaml"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class TableCard(BaseModel):
    """One table of a data set.

    Parameters
    ----------
    file
        Path of the table, from the card's folder.
    task
        The task that it is a table of; empty where it is for figures alone.
    what
        What a row is, and what the columns hold.
    rows
        Number of rows below the header.
    answers
        Number of answers that the table counts; None where it gives none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Text
    task: str = ""
    what: Text
    rows: Annotated[int, Field(gt=0)]
    answers: float | None = None


class Card(BaseModel):
    """What is known of a data set.

    Parameters
    ----------
    name, title, family
        Name of the data set, a line about it, and the task family.
    people
        Whether people answered, models, or both (``mixed``).
    answered_by, n
        Who answered, and how many.
    citation, source, licence
        The publication; the repository with its commit; the licence as it is stated there.
    settings, date
        How the answers were asked for, and when.
    tables
        The tables.
    faults, unknown, reproduced
        What is wrong with the data; what nobody knows of them; which published figures
        were computed again from them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    title: Text
    family: Text
    people: Annotated[str, StringConstraints(pattern="^(people|models|mixed)$")]
    answered_by: Text
    n: Text
    citation: Text
    source: Text
    licence: Text
    settings: Text
    date: Text
    tables: Annotated[tuple[TableCard, ...], Field(min_length=1)]
    faults: tuple[Text, ...] = ()
    unknown: tuple[Text, ...] = ()
    reproduced: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Reference:
    """A data set on disk.

    Parameters
    ----------
    folder
        The folder of its card.
    """

    folder: Path

    @cached_property
    def card(self) -> Card:
        """The card.

        Raises
        ------
        WolvesError
            If it cannot be read, or a field is missing, unknown or wrong.
        """
        return read_card(self.folder / CARD)

    @property
    def name(self) -> str:
        """Name of the data set."""
        return self.card.name

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that a fit can be asked for, each once."""
        return tuple(dict.fromkeys(table.task for table in self.card.tables if table.task))

    def path(self, file: str) -> Path:
        """The path of one of its tables."""
        return (self.folder / file).resolve()

    def table_of(self, task: str | None = None) -> TableCard:
        """The first table of a task; of any task if none is named.

        Raises
        ------
        WolvesError
            If there is none.
        """
        for table in self.card.tables:
            if table.task and task in (None, table.task):
                return table
        known = ", ".join(self.tasks) or "none: its tables are for figures"
        raise WolvesError(
            f"the data set {self.name!r} has no table of "
            + (f"the task {task!r}" if task else "choices"),
            where=self.folder / CARD,
            mend=f"tasks of this data set: {known}",
        )

    def frames(self) -> Mapping[str, pd.DataFrame]:
        """The tables as they stand in the files, every cell as text, by file."""
        return {
            table.file: pd.read_csv(self.path(table.file), dtype=str, keep_default_na=False)
            for table in self.card.tables
        }


def read_card(path: Path) -> Card:
    """A card from its file.

    Raises
    ------
    WolvesError
        If it is no YAML file with the fields of ``Card``, or a table of it is missing.
    """
    try:
        card = Card.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as fault:
        raise WolvesError(
            f"the card cannot be read: {fault.strerror}", where=path, mend="write the card"
        ) from fault
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise WolvesError(
            f"expected a YAML file: {fault}", where=path, mend="correct it at that place"
        ) from fault
    except ValidationError as fault:
        first = fault.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise WolvesError(
            f"{field or 'the card'}: {first['msg']}",
            where=path,
            column=field or None,
            mend="see the cards in task-data/reference for every field",
        ) from fault
    for table in card.tables:
        if not (path.parent / table.file).exists():
            raise WolvesError(
                f"the table {table.file} is not there",
                where=path,
                column="tables",
                mend="put the table there, or correct its path",
            )
    return card


def references_in(folder: Path) -> dict[str, Reference]:
    """The data sets in the folders below one, by name.

    Raises
    ------
    WolvesError
        If a card is wrong, or two have one name.
    """
    found: dict[str, Reference] = {}
    for path in sorted(folder.glob(f"*/{CARD}")):
        reference = Reference(path.parent)
        if reference.name in found:
            raise WolvesError(
                f"two data sets are called {reference.name!r}",
                where=path,
                mend=f"rename one; the other is in {found[reference.name].folder}",
            )
        found[reference.name] = reference
    return found


