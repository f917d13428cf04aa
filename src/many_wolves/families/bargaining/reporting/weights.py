"""Sections on `values` and `kind-words`: weights in words, tables and a triangle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from many_wolves.families.bargaining.reporting.parts import model_of, numbers, table_of
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.section import Section, Table
from many_wolves.figures.simplex import simplex
from many_wolves.figures.theme import COLOURS, Width

_DRAWN = {
    "values": ("own gain, an even split and a deal for its own sake", "messages"),
    "kind-words": ("own gain, taking the standing price and kind words", "choices"),
}
"""Model -> what its weights are of, and what it was fitted to."""


def pays(fit: Fitted) -> str:
    """The share of the pie that a speaker gives up to close a deal, in words."""
    draws = fit.values("posterior", "pays_to_close").to_numpy().ravel()
    low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975])
    capped = " More than 100 % means that it closes at any price." if high > 1 else ""
    return (
        f"{fit.label} gives up {middle:.0%} of the pie to close a deal rather than leave "
        f"(w_deal / w_own; 95 % interval {low:.0%} to {high:.0%}).{capped}"
    )


def triangle(fits: Sequence[Fitted], width: Width = "one") -> Figure:
    """Three weights in a triangle: own gain, a deal, and an even split or kind words."""
    corners = [str(name) for name in fits[0].values("posterior", "w")["weight"].to_numpy()]
    means, clouds = [], []
    # With more speakers than colours, each has its own panel.
    apart = len(fits) > len(COLOURS)
    for fit in fits:
        at = {
            "group": "posterior mean" if apart else fit.label,
            "panel": fit.label if apart else "",
        }
        draws = fit.values("posterior", "w").transpose("chain", "draw", "weight")
        flat = pd.DataFrame(draws.to_numpy().reshape(-1, 3), columns=corners)
        clouds.append(flat.iloc[:: max(len(flat) // 300, 1)].assign(**at))
        means.append(flat.mean().to_frame().T.assign(**at))
    words, what = _DRAWN[model_of(fits[0])]
    return simplex(
        pd.concat(means), pd.concat(clouds), corners=corners,
        groups=["posterior mean"] if apart else [f.label for f in fits],
        panels=[f.label for f in fits] if apart else [""], width=width,
        caption=f"Weights of {words}: posterior means over clouds of draws. "
        + numbers(fits, what),
    )  # fmt: skip


def values_sections(fit: Fitted) -> list[Section]:
    """Weights of own gain, an even split and agreement."""
    names = ["w", "w_group", "pays_to_close", "precision", "hope", "sharpness", "breakdown",
             "contrast"]  # fmt: skip
    rows = fit.summary[fit.summary["parameter"].isin(names)]
    table = Table(table_of(rows), "Posterior means with 95 % highest-density intervals.")
    return [Section("values", "Weights", (pays(fit),), (table,), (triangle([fit]),))]


def words_sections(fit: Fitted) -> list[Section]:
    """Weights of own gain, the standing price and kind words."""
    rows = fit.summary[fit.summary["parameter"].isin(["w", "w_group", "precision"])]
    table = Table(table_of(rows), "Posterior means with 95 % highest-density intervals.")
    return [Section("words", "Kind words against gain", (), (table,), (triangle([fit]),))]
