"""Sections on `outcomes`: deals per game, shares, and how long games last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from many_wolves.families.bargaining.reporting import curves
from many_wolves.families.bargaining.reporting.parts import (
    OUTCOMES,
    numbers,
    row_name,
    table_of,
)
from many_wolves.figures.figure import Figure, both_widths
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.groups import by_group
from many_wolves.figures.section import Section, Table
from many_wolves.figures.theme import Width

NEVER_ALONE = (
    "The price of deals alone misleads: a hard bargainer gets better deals, but fewer of them. The "
    "share per game counts a game without a deal as zero."
)


def outcomes_figure(fit: Fitted, width: Width = "two") -> Figure:
    """Share of deals, deals per game, share per game: by arm and game, with what was seen."""
    return outcomes_of_speakers([fit], width)


def outcomes_of_speakers(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """The same of several speakers."""
    parts = []
    for fit in fits:
        rows = fit.summary[fit.summary["parameter"].isin(list(OUTCOMES))]
        seen, several = _observed_outcomes(fit), rows["condition"].nunique() > 1
        parts.append(rows.assign(
            group=[row_name(fit, c, len(fits), several=several) for c in rows["condition"]],
            observed=[seen[key] for key in zip(rows["parameter"], rows["condition"], strict=True)],
        ))  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    return by_group(
        frame, name="improvement", title="Outcomes of games", labels=OUTCOMES,
        groups=list(dict.fromkeys(frame["group"])),
        observed="observed values, with a game that was cut counting as no deal",
        note=numbers(fits, "games"), width=width,
    )  # fmt: skip


def sections(fit: Fitted) -> list[Section]:
    """Outcomes of games, and how long games last."""
    rows = fit.summary[fit.summary["parameter"].isin([*OUTCOMES, "contrast"])]
    table = Table(table_of(rows), "Posterior means with 95 % highest-density intervals.")
    return [
        Section("outcomes", "Outcomes of games", (NEVER_ALONE,), (table,),
                (both_widths(lambda w: outcomes_figure(fit, w)),)),
        Section("time", "Time to agreement", (), (),
                (both_widths(lambda w: curves.survival_curve([fit], w)),)),
    ]  # fmt: skip


def met_each_other(fits: Sequence[Fitted]) -> bool:
    """Whether some speaker was the partner of another one, as in a tournament."""
    names = {fit.label for fit in fits}
    met: set[str] = set()
    for fit in fits:
        partners = fit.values("posterior", "partner_at")["partner"].to_numpy()
        met |= {str(p).rsplit("/", 1)[-1] for p in partners}
    return bool(names & met)


def _observed_outcomes(fit: Fitted) -> dict[tuple[str, str], float]:
    deal = fit.values("observed_data", "counts").sel(end="deal").to_numpy() > 0
    share = fit.values("observed_data", "share_of_deal").to_numpy()
    of = fit.values("observed_data", "episode_condition").to_numpy().astype(int)
    names = [str(c) for c in fit.values("posterior", "deal_rate")["condition"].to_numpy()]
    found = {}
    for number, name in enumerate(names):
        own, known = of == number, np.isfinite(share)
        closed = own & deal & known
        found["deal_rate", name] = float(deal[own].mean())
        found["share", name] = float(share[closed].mean()) if closed.any() else float("nan")
        found["expected_share", name] = (
            found["deal_rate", name] * found["share", name] if closed.any() else 0.0
        )
    return found
