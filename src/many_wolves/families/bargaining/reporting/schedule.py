"""Sections on `aspiration`: its opening, bottom and exponent."""

from __future__ import annotations

from many_wolves.families.bargaining.reporting.parts import SCHEDULE, numbers, table_of
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.groups import by_group
from many_wolves.figures.section import Section, Table


def sections(fit: Fitted) -> list[Section]:
    """Opening, bottom and exponent."""
    names = [*SCHEDULE, "reciprocity", "demand_spread", "precision", "contrast"]
    rows = fit.summary[fit.summary["parameter"].isin(names)]
    frame = rows.rename(columns={"condition": "group"})
    groups = list(dict.fromkeys(frame[frame["parameter"] == "opening"]["group"]))
    figure = by_group(
        frame, name="schedule", title="The falling aspiration", labels=SCHEDULE, groups=groups,
        limits=None, note=numbers([fit], "messages"),
    )  # fmt: skip
    table = Table(table_of(rows), "Posterior means with 95 % highest-density intervals.")
    words = (
        "Opening and bottom are shares of the pie at the first and the last message. "
        "An exponent below 1 concedes late (Boulware), above 1 early (conceder)."
    )
    return [Section("schedule", "The falling aspiration", (words,), (table,), (figure,))]
