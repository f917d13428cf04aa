"""Choices of speakers against choices of people, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.families.politeness.reading.human import human_table
from many_wolves.families.politeness.reporting.figures import frames
from many_wolves.families.politeness.reporting.reference import goal_of, is_human
from many_wolves.figures.chart import against
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.theme import Width

HUMAN = "proportion of people"
MODEL = "proportion of the speaker"


def human_choices(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """Observed proportions of each speaker against those of people, for shared cells."""
    frame = pd.concat([_beside(fit) for fit in _comparable(fits)], ignore_index=True)
    speakers = list(dict.fromkeys(frame["panel"]))
    return against(
        frame,
        x=HUMAN,
        y=MODEL,
        panels=speakers,
        groups=list(dict.fromkeys(frame["group"])),
        name="human_choices",
        title="Choices of speakers against choices of people",
        caption=f"One point per cell of goal, state and utterance; {len(speakers)} speakers and "
        "203 people (2,436 choices, Yoon et al. 2020). On the dashed line, both proportions are "
        "equal.",
        width=width,
    )


def lacks_people(fits: Sequence[Fitted]) -> str:
    """Why the figure cannot be drawn; empty if it can."""
    if any(True for _ in _comparable(fits)):
        return ""
    return "no speaker was asked under a goal and on the scale of the human data"


def _comparable(fits: Sequence[Fitted]) -> list[Fitted]:
    return [fit for fit in fits if not is_human(fit) and len(_beside(fit))]


def _beside(fit: Fitted) -> pd.DataFrame:
    counts = human_table().rows
    total = counts.groupby(["goal", "state"])["count"].transform("sum")
    people = counts.assign(**{HUMAN: counts["count"] / total})
    cells = frames.cells(fit).rename(columns={"observed": MODEL})
    cells["goal"] = cells["condition"].map(goal_of)
    if frames.states(fit) != sorted(people["state"].unique()):
        return cells.iloc[:0]
    both = cells.merge(people[["goal", "state", "utterance", HUMAN]])
    both = both.assign(panel=fit.label, group=both["condition"])
    return both[["panel", "group", "state", "utterance", HUMAN, MODEL]]
