"""Sections on `concession`: rates of moves, and fractions of the gap."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.families.bargaining.reporting import curves
from many_wolves.families.bargaining.reporting.parts import (
    HEADINGS,
    MOVES,
    numbers,
    row_name,
    table_of,
)
from many_wolves.figures.figure import Figure, both_widths
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.groups import by_group
from many_wolves.figures.section import Section, Table
from many_wolves.figures.theme import Width


def moves_of_speakers(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """Rates of each kind of move by speaker and group, with what was observed."""
    parts = []
    for fit in fits:
        rows = fit.summary[fit.summary["parameter"] == "rate"]
        group = [str(c).rpartition("/")[0] for c in rows["condition"]]
        move = [str(c).rpartition("/")[2] for c in rows["condition"]]
        seen = _observed_rates(fit)
        parts.append(rows.assign(
            parameter=move,
            group=[row_name(fit, g, len(fits), several=len(set(group)) > 1) for g in group],
            observed=[seen[g, m] for g, m in zip(group, move, strict=True)],
        ))  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    return by_group(
        frame, name="moves", title="Next moves", labels=MOVES,
        groups=list(dict.fromkeys(frame["group"])), observed="observed share of moves",
        note=numbers(fits, "moves"), width=width,
    )  # fmt: skip


def fractions_of_speakers(fits: Sequence[Fitted], width: Width = "one") -> Figure:
    """The fraction of the gap that a concession gives up, people next to models."""
    parts = []
    for fit in fits:
        rows = fit.summary[fit.summary["parameter"] == "middle_fraction"]
        several = len(rows) > 1
        names = [row_name(fit, g, len(fits), several=several) for g in rows["condition"]]
        parts.append(rows.assign(group=names))
    frame = pd.concat(parts, ignore_index=True)
    return by_group(
        frame, name="fractions", title="Fraction of the gap that a concession gives up",
        labels={"middle_fraction": HEADINGS["middle_fraction"]},
        groups=list(dict.fromkeys(frame["group"])),
        note="Concessions that split the gap are counted separately. " + numbers(fits, "moves"),
        width=width,
    )  # fmt: skip


def sections(fit: Fitted) -> list[Section]:
    """Rates of moves, fractions, prices and acceptance."""
    rows = fit.summary[fit.summary["parameter"].isin(["middle_fraction", "size_scale"])]
    figures = (both_widths(lambda w: moves_of_speakers([fit], w)), fractions_of_speakers([fit]))
    table = Table(table_of(rows), "Posterior means with 95 % highest-density intervals.")
    done = (curves.trajectories(fit), curves.acceptance_curve(fit))
    return [
        Section("moves", "Next moves", (), (table,), figures),
        Section("seen", "Observed prices and acceptance", (), (), done),
    ]


def _observed_rates(fit: Fitted) -> dict[tuple[str, str], float]:
    counts = fit.values("observed_data", "counts")
    of = fit.values("observed_data", "episode_group").to_numpy().astype(int)
    groups = [str(g) for g in fit.values("posterior", "rate")["group"].to_numpy()]
    found = {}
    for number, group in enumerate(groups):
        own = counts.to_numpy()[of == number].sum(axis=0)
        for name, n in zip(counts["move"].to_numpy(), own, strict=True):
            found[group, str(name)] = float(n / own.sum())
    return found
