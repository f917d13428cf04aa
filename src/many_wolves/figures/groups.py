"""Estimates by group with intervals, and observed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import COLOURS, MUTED, Width, theme

ACROSS = {"one": 2, "two": 3}
"""Panels side by side."""


def by_group(
    frame: pd.DataFrame,
    *,
    name: str,
    title: str,
    labels: Mapping[str, str],
    groups: Sequence[str],
    limits: tuple[float, float] | None = (0.0, 1.0),
    observed: str = "",
    note: str = "",
    width: Width = "two",
) -> Figure:
    """Posterior means and intervals of quantities, one panel each, one row per group.

    Parameters
    ----------
    frame
        parameter, group, mean, hdi_low, hdi_high; also observed (may be NaN) if
        ``observed`` describes it.
    name, title
        Stem of the files, and heading.
    labels
        Heading of each parameter's panel; its keys select and order parameters.
    groups
        Order of the groups, the first at the top.
    limits
        Limits of the axis; None gives each panel its own.
    observed
        Description of the open diamonds for the caption; empty for none.
    note
        Further sentences for the caption.
    width
        One or two columns.
    """
    import plotnine as p9

    part = frame[frame["parameter"].isin(list(labels)) & frame["group"].isin(list(groups))]
    data = part.assign(
        panel=pd.Categorical(part["parameter"].map(labels), list(labels.values()), ordered=True),
        row=pd.Categorical(part["group"], list(reversed(list(groups))), ordered=True),
    )
    across = min(len(labels), ACROSS[width])
    plot = (
        p9.ggplot(data, p9.aes("mean", "row"))
        + p9.geom_segment(
            p9.aes(x="hdi_low", xend="hdi_high", yend="row"), size=0.7, color=COLOURS[0]
        )
        + p9.geom_point(size=1.7, color=COLOURS[0])
        + p9.facet_wrap("panel", ncol=across, scales="fixed" if limits else "free_x")
        + p9.labs(x="posterior mean", y="")
        + theme()
    )
    if limits is not None:
        plot = plot + p9.coord_cartesian(xlim=limits)
    if observed:
        marks = data.dropna(subset=["observed"])
        plot = plot + p9.geom_point(
            p9.aes("observed", "row"), data=marks, shape="D", fill="none", color=MUTED,
            size=2.1, stroke=0.6,
        )  # fmt: skip
    lines = -(-len(labels) // across)
    caption = "Posterior means (points) with 95 % highest-density intervals (lines)."
    if observed:
        caption += f" Open diamonds: {observed}."
    kept = ["parameter", "group", "mean", "hdi_low", "hdi_high"]
    return Figure(
        name=name,
        title=title,
        plot=plot,
        data=data[[*kept, *(["observed"] if observed else [])]].reset_index(drop=True),
        caption=f"{caption} {note}".strip(),
        alt=_alt(data, labels),
        width=width,
        height_mm=16 + lines * (12 + 5.5 * len(groups)),
    )


def _alt(data: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """The means in words."""
    parts = []
    for name, heading in labels.items():
        own = data[data["parameter"] == name]
        values = ", ".join(f"{g} {m:.2f}" for g, m in zip(own["group"], own["mean"], strict=True))
        parts.append(f"{heading}: {values}")
    return "Posterior means by group. " + "; ".join(parts) + "."
