"""The shipped data and their cards."""

from __future__ import annotations

from dataclasses import dataclass

from many_wolves import families
from many_wolves.errors import WolvesError
from many_wolves.files import shipped
from many_wolves.reference_data import DataSet, data_sets
from many_wolves.reference_data.references import FOLDER
from many_wolves.sources import nearest
from many_wolves.workflows.calls import shown

COLUMNS = ("name", "task", "people", "answers", "title")
"""Columns of ``listed``."""


@dataclass(frozen=True)
class Shipped:
    """A table that ``--data`` takes, or a data set for figures.

    Parameters
    ----------
    name
        As ``--data`` takes it.
    task
        Its task; empty if no model can be fitted to it.
    people
        ``people``, ``models`` or ``mixed``; empty if its card does not say.
    answers
        Number of answers; None if unknown.
    title
        Description in one line.
    """

    name: str
    task: str
    people: str
    answers: int | None
    title: str

    @property
    def shown_answers(self) -> str:
        """The number of answers as text; empty if unknown."""
        return "" if self.answers is None else f"{self.answers:,}"


def listed() -> list[Shipped]:
    """All shipped data: first those for models, by family, then those for figures.

    Raises
    ------
    WolvesError
        If a card is wrong.
    """
    found = []
    cards = data_sets(shipped(FOLDER))
    of_name = {name: (own, table) for own in cards.values() for name, table in own.fitted.items()}
    for name, (_, reference) in families.references().items():
        own, table = of_name.get(name, (None, None))
        answers = round(table.answers) if table is not None and table.answers else None
        people = own.card.people if own is not None else ""
        found.append(Shipped(name, reference.task, people, answers, reference.title))
    offered = {one.name for one in found}
    for own in cards.values():
        if not offered & set(own.fitted):
            task = " ".join(dict.fromkeys(t.task for t in own.card.tables if t.task))
            found.append(Shipped(own.name, task, own.card.people, None, own.card.title))
    return found


def data_set(name: str) -> DataSet:
    """The data set that has this name or contains a table with this name.

    Raises
    ------
    WolvesError
        If there is none, or its family provides no card in a file.
    """
    cards = data_sets(shipped(FOLDER))
    for own in cards.values():
        if name == own.name or name in own.fitted:
            return own
    known = [*cards, *(table for own in cards.values() for table in own.fitted)]
    raise WolvesError(
        f"no shipped data are called {name!r}", fix=nearest(name, list(dict.fromkeys(known)))
    )


def told(name: str) -> str:
    """The card of a data set as text.

    Raises
    ------
    WolvesError
        If there is none with that name.
    """
    own = data_set(name)
    card = own.card
    fields = {
        "who answered": card.answered_by,
        "n": card.n,
        "settings": card.settings,
        "date": card.date,
        "publication": card.citation,
        "from": card.origin,
        "licence": card.licence,
    }
    lines = [f"{card.name}: {card.title}", ""]
    lines += [f"{word}: {text}" for word, text in fields.items()]
    for heading, points in (
        ("known faults", card.faults),
        ("not known", card.unknown),
        ("reproduced", card.reproduced),
    ):
        lines += ["", f"{heading}:", *(f"- {point}" for point in points)] if points else []
    return "\n".join([*lines, "", "tables:", *_tables(own)])


def _tables(own: DataSet) -> list[str]:
    offered = families.references()
    lines = []
    for table in own.card.tables:
        size = f"{table.rows:,} rows"
        size += f", {table.answers:,.0f} answers" if table.answers else ""
        lines.append(f"- {shown(own.path(table))} ({size}): {table.what}")
        name = table.name or own.name
        if table.task and name in offered:
            several = not table.speaker
            lines.append(f"  wolves fit --data {name}{' --speaker NAME' if several else ''}")
            lines += [f"  wolves fit-all --data {name}"] if several else []
    return lines
