"""Observed proportions against predicted ones, one point per cell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import MUTED, Width, group_scales, theme
from many_wolves.outcomes import r_squared


def agreement(
    frame: pd.DataFrame,
    *,
    groups: Sequence[str],
    n: float,
    panels: Sequence[str] = (),
    width: Width = "one",
) -> Figure:
    """Choice proportions against posterior predictions, with r² in each panel.

    Parameters
    ----------
    frame
        group, predicted, low, high, observed: proportions; ``low`` and ``high``
        bound the 95 % predictive interval. With ``panels``, panel as well.
    groups
        Order of the groups (conditions) in the legend.
    n
        Number of choices, for the caption.
    panels
        Order of the panels (speakers); empty for one panel.
    width
        One or two columns.
    """
    import plotnine as p9

    order = list(panels) or [""]
    data = frame.assign(
        group=pd.Categorical(frame["group"], list(groups), ordered=True),
        panel=pd.Categorical(frame["panel"] if panels else [""] * len(frame), order, ordered=True),
    )
    top = max(float(data[["observed", "high"]].max().max()) * 1.04, 0.1)
    said = {str(name): _statement(part) for name, part in data.groupby("panel", observed=True)}
    note = pd.DataFrame(
        {
            "panel": pd.Categorical(order, order, ordered=True),
            "text": [said[name] for name in order],
            "x": 0.02 * top,
            "y": 0.96 * top,
        }
    )
    plot = (
        p9.ggplot(data, p9.aes("predicted", "observed", color="group", shape="group"))
        + p9.geom_abline(intercept=0, slope=1, color=MUTED, linetype="dashed", size=0.4)
        + p9.geom_segment(
            p9.aes(x="low", xend="high", yend="observed"), size=0.45, alpha=0.55, show_legend=False
        )
        + p9.geom_point(size=1.5, fill="none", stroke=0.6)
        + p9.geom_text(
            data=note,
            mapping=p9.aes("x", "y", label="text"), inherit_aes=False, ha="left", size=7.5,
        )
        + p9.coord_fixed(xlim=(0, top), ylim=(0, top))
        + p9.labs(x="predicted proportion", y="observed proportion")
        + group_scales(groups)
        + theme()
    )  # fmt: skip
    across = min(len(order), 3 if width == "two" else 1)
    if panels:
        plot = plot + p9.facet_wrap("panel", ncol=across)
    inside = ((data["observed"] >= data["low"]) & (data["observed"] <= data["high"])).mean()
    words = "; ".join(f"{name}: {text}" if name else text for name, text in said.items())
    side = (150 / across if across > 1 else 62) + (6 if panels else 0)
    return Figure(
        name="agreement_by_speaker" if panels else "agreement",
        title="Choices against posterior predictions",
        plot=plot,
        data=frame,
        caption=(
            f"One point per cell ({len(data):,} cells, n = {n:,.0f} choices): the observed "
            "proportion against the mean of the posterior predictions, with 95 % equal-tailed "
            f"predictive intervals. {'' if panels else f'{words}; '}{100 * inside:.0f} % of the "
            "cells are inside their interval."
        ),
        alt=(
            f"Scatter of {len(data)} cells around the diagonal, {words}, "
            f"{100 * inside:.0f} % of them inside their predictive interval."
        ),
        width=width,
        height_mm=20 + side * -(-len(order) // across),
    )


def _statement(part: pd.DataFrame) -> str:
    r2 = r_squared(part["observed"], part["predicted"])
    return "r² is undefined" if math.isnan(r2) else f"r² = {r2:.3f}"
