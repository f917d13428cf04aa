"""Observed proportions against predicted ones, one point a cell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import MUTED, Width, group_scales, theme


def r_squared(predicted: pd.Series, observed: pd.Series) -> float:
    """Squared Pearson correlation; NaN where one of the two does not vary."""
    if predicted.nunique() < 2 or observed.nunique() < 2:
        return float("nan")
    return float(predicted.corr(observed) ** 2)


def agreement(
    frame: pd.DataFrame,
    *,
    groups: Sequence[str],
    n: float,
    r2: float | None = None,
    width: Width = "one",
) -> Figure:
    """Choice proportions against posterior predictions.

    Parameters
    ----------
    frame
        group, predicted, low, high, observed: proportions; ``low`` and ``high``
        bound the 95 % predictive interval.
    groups
        Order of the groups (conditions) in the legend.
    n
        Number of choices, for the caption.
    r2
        Squared correlation to state; computed from the frame when None.
    width
        One or two columns.
    """
    import plotnine as p9

    data = frame.assign(group=pd.Categorical(frame["group"], list(groups), ordered=True))
    r2 = r_squared(data["predicted"], data["observed"]) if r2 is None else r2
    inside = ((data["observed"] >= data["low"]) & (data["observed"] <= data["high"])).mean()
    top = max(float(data[["observed", "high"]].max().max()) * 1.04, 0.1)
    statement = "r² cannot be stated" if math.isnan(r2) else f"r² = {r2:.3f}"
    plot = (
        p9.ggplot(data, p9.aes("predicted", "observed", color="group", shape="group"))
        + p9.geom_abline(intercept=0, slope=1, color=MUTED, linetype="dashed", size=0.4)
        + p9.geom_segment(
            p9.aes(x="low", xend="high", yend="observed"), size=0.45, alpha=0.55, show_legend=False
        )
        + p9.geom_point(size=1.5, fill="none", stroke=0.6)
        + p9.annotate("text", x=0.02 * top, y=0.97 * top, label=statement, ha="left", size=7.5)
        + p9.coord_fixed(xlim=(0, top), ylim=(0, top))
        + p9.labs(x="predicted proportion", y="observed proportion")
        + group_scales(groups)
        + theme()
    )
    return Figure(
        name="agreement",
        title="Choices against posterior predictions",
        plot=plot,
        data=frame,
        caption=(
            f"One point a cell ({len(data)} cells, n = {n:g} choices): the observed proportion "
            f"against the mean of the posterior predictions, with 95 % equal-tailed predictive "
            f"intervals. {statement}; {inside:.0%} of the cells lie inside their interval."
        ),
        alt=(
            f"Scatter of {len(data)} cells around the diagonal, {statement}, "
            f"{inside:.0%} of them inside their predictive interval."
        ),
        width=width,
        height_mm=82 if width == "one" else 120,
    )
