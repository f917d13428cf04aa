"""The card of a data set: who answered, where it comes from, what is wrong with it.

A data set is a folder with tables of numbers and ``card.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from many_wolves.errors import WolvesError

if TYPE_CHECKING:
    import pandas as pd

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

CARD = "card.yaml"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class TableCard(BaseModel):
    """One table of a data set.

    Parameters
    ----------
    file
        Path of the table, from the card's folder.
    task
        The task that it is a table of; empty where no model takes it.
    name
        As ``--data`` takes it; the name of the data set if it is not given.
    speaker
        Whose answers they are, where they are of one speaker.
    what
        What a row is, and what the columns hold.
    rows
        Number of rows below the header.
    answers
        Number of answers that the table counts; None where it gives none.
    labels
        Speaker -> what findings compare by: ``family``, ``training``, ``parameters``, ...
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Text
    task: str = ""
    name: str = ""
    speaker: str = ""
    what: Text
    rows: Annotated[int, Field(gt=0)]
    answers: float | None = None
    labels: dict[str, dict[str, str | int | float]] = {}


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
    citation, origin, licence
        The publication; the repository with its commit; the licence as it is stated there.
    settings, date
        How the answers were asked for, and when.
    tables
        The tables.
    faults, unknown, reproduced
        What is wrong with the data; what is not known about them; which published figures
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
    origin: Text
    licence: Text
    settings: Text
    date: Text
    tables: Annotated[tuple[TableCard, ...], Field(min_length=1)]
    faults: tuple[Text, ...] = ()
    unknown: tuple[Text, ...] = ()
    reproduced: tuple[Text, ...] = ()


@dataclass(frozen=True)
class DataSet:
    """A data set on disk.

    Parameters
    ----------
    folder
        The folder of its card.
    card
        The card.
    """

    folder: Path
    card: Card

    @property
    def name(self) -> str:
        """Name of the data set."""
        return self.card.name

    @property
    def fitted(self) -> Mapping[str, TableCard]:
        """The tables that a model takes, by the name that ``--data`` takes."""
        return {table.name or self.name: table for table in self.card.tables if table.task}

    def path(self, table: TableCard) -> Path:
        """The path of one of its tables."""
        return (self.folder / table.file).resolve()

    def frame(self, table: TableCard) -> pd.DataFrame:
        """One of its tables as its file has it, every cell as text."""
        import pandas as pd

        return pd.read_csv(self.path(table), dtype=str, keep_default_na=False)

    def facts(self) -> dict[str, Any]:
        """The card as a mapping; ``source`` and ``answers`` are what reports print."""
        dumped = self.card.model_dump(mode="json")
        return {"source": self.card.citation, "answers": self.card.n, **dumped}


def read_card(path: Path) -> Card:
    """A card from its file.

    Raises
    ------
    WolvesError
        If it is not a YAML file with the fields of ``Card``, or a table of it is missing.
    """
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
        card = Card.model_validate(found)
    except OSError as fault:
        raise WolvesError(
            f"the card cannot be read: {fault.strerror}", where=path, fix="write the card"
        ) from fault
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise WolvesError(
            f"expected a YAML file: {fault}", where=path, fix="correct it at that place"
        ) from fault
    except ValidationError as fault:
        first = fault.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise WolvesError(
            f"{field or 'the card'}: {first['msg']}",
            where=path,
            column=field or None,
            fix="the cards in task-data/reference show every field",
        ) from fault
    for table in card.tables:
        if not (path.parent / table.file).exists():
            raise WolvesError(
                f"the table {table.file} is missing",
                where=path,
                column="tables",
                fix="add the table, or correct its path",
            )
    return card


@lru_cache(maxsize=8)
def data_sets(folder: Path) -> Mapping[str, DataSet]:
    """The data sets in the folders below one, by name.

    Raises
    ------
    WolvesError
        If a card is wrong, or two tables have one name.
    """
    found: dict[str, DataSet] = {}
    taken: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*/{CARD}")):
        own = DataSet(path.parent, read_card(path))
        for name in {own.name, *own.fitted}:
            if name in taken:
                raise WolvesError(
                    f"two data sets are called {name!r}",
                    where=path,
                    fix=f"rename one; the other is in {taken[name].parent}",
                )
            taken[name] = path
        found[own.name] = own
    return found
