"""One measure per task family, plotted against each other for every speaker."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import Width, group_scales, legend, legend_mm, tagged, theme

COLUMNS = ("speaker", "panel", "x", "x_low", "x_high", "y", "y_low", "y_high")
ACROSS = {"one": 1, "two": 2}
"""Panels side by side."""


def across(points: pd.DataFrame, *, x: str, caption: str, width: Width = "two") -> Figure:
    """One point per speaker, with intervals on both axes; one panel per second task.

    Parameters
    ----------
    points
        A frame with ``COLUMNS``; ``panel`` describes y in words.
    x
        Description of x in words.
    caption
        n, and the kind of the intervals.
    """
    import plotnine as p9

    panels: Sequence[str] = list(dict.fromkeys(points["panel"]))
    speakers = list(dict.fromkeys(points["speaker"]))
    headings = dict(zip(panels, tagged(panels), strict=True))
    data = points.assign(
        speaker=pd.Categorical(points["speaker"], speakers, ordered=True),
        panel=pd.Categorical(points["panel"].map(headings), [*headings.values()], ordered=True),
    )
    plot = (
        p9.ggplot(data, p9.aes("x", "y", color="speaker", shape="speaker", fill="speaker"))
        + p9.geom_linerange(p9.aes(ymin="y_low", ymax="y_high"), size=0.5)
        + p9.geom_segment(p9.aes(x="x_low", xend="x_high", yend="y"), size=0.5)
        + p9.geom_point(size=1.9)
        + p9.facet_wrap("panel", ncol=min(len(panels), ACROSS[width]))
        + p9.coord_cartesian(xlim=(0, 1), ylim=(0, 1))
        + p9.labs(x=x, y="in the other task")
        + group_scales(speakers)
        + legend(speakers, width)
        + theme()
    )
    said = [
        f"{row['speaker']}: {x} {row['x']:.2f}, {row['panel']} {row['y']:.2f}"
        for row in points.head(16).to_dict("records")
    ]
    lines = -(-len(panels) // min(len(panels), ACROSS[width]))
    return Figure(
        name="across",
        title="Across tasks",
        plot=plot,
        data=points[list(COLUMNS)],
        caption=caption,
        alt="; ".join(said) + ".",
        width=width,
        height_mm=18 + 58 * lines + legend_mm(speakers, width),
    )
