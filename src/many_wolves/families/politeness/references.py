"""Data that ship with the family; light to import."""

from __future__ import annotations

from collections.abc import Mapping

from many_wolves.contracts import Observations, Reference
from many_wolves.files import shipped

CITATION = (
    "Yoon, Tessler, Goodman & Frank (2020), Polite speech emerges from competing social goals, "
    "Open Mind 4"
)
SPEAKER = "people"


def references() -> Mapping[str, Reference]:
    """The choices of 203 people (Yoon et al. 2020)."""
    return {
        "yoon2020": Reference(
            name="yoon2020",
            title="203 people (Yoon et al. 2020)",
            task="politeness",
            load=_yoon2020,
            card={
                "source": CITATION,
                "answers": "2,436 choices of 203 people, 1,568 judgments of 49 people",
            },
            speaker=SPEAKER,
            files=lambda: (shipped("task-data/human"),),
            lacks=("position_bias",),
        )
    }


def _yoon2020() -> Observations:
    from many_wolves.families.politeness.human import human_table

    return human_table()
