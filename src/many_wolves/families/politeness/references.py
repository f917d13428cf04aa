"""Shipped data of the family; imports little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from many_wolves.contracts import Observations, Reference
from many_wolves.files import shipped
from many_wolves.reference_data import references_of

CITATION = (
    "Yoon, Tessler, Goodman & Frank (2020), Polite speech emerges from competing social goals, "
    "Open Mind 4"
)
SPEAKER = "people"
FIRST = "yoon2020"
"""The data with which other speakers are compared."""


def references() -> Mapping[str, Reference]:
    """Choices of people and language models; the 203 people of Yoon et al. (2020) first."""
    known = references_of("politeness", _read, lacks=("position_bias",))
    people = replace(
        known[FIRST],
        title="203 people (Yoon et al. 2020)",
        load=_yoon2020,
        card={
            **known[FIRST].card,
            "source": CITATION,
            "answers": "2,436 choices of 203 people, 1,568 judgments of 49 people",
        },
        files=lambda: (shipped("task-data/human"),),
    )
    return {FIRST: people, **{name: one for name, one in known.items() if name != FIRST}}


def _yoon2020() -> Observations:
    from many_wolves.families.politeness.reading.from_csv import checked
    from many_wolves.families.politeness.reading.human import human_table

    return checked(human_table())


def _read(path: Path, task: str) -> Observations:
    from many_wolves.families.politeness.reading.from_csv import from_csv

    return from_csv(path, task)
