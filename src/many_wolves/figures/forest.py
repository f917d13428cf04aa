"""Forest plots: effects, or parameters of many speakers, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import (
    LETTER_MM,
    MUTED,
    Width,
    group_scales,
    legend,
    legend_mm,
    tagged,
    theme,
)


def forest(
    frame: pd.DataFrame,
    *,
    name: str,
    title: str,
    panels: Sequence[str],
    groups: Sequence[str],
    axis: str,
    caption: str,
    zero: bool = True,
    columns: int = 4,
    ticks: Sequence[float] = (),
    width: Width = "two",
) -> Figure:
    """One row per label, one panel per quantity, one mark per group.

    Parameters
    ----------
    frame
        panel, row, group, mean, low, high; rows are drawn in the order of the frame.
    name, title
        Stem of the files, heading.
    panels, groups
        Order of the panels and of the groups.
    axis
        Title of the horizontal axis.
    caption
        Caption: what is drawn, n, and the kind of intervals.
    zero
        Whether zero is marked: for effects, not for parameters.
    columns
        Maximum number of panels side by side in a two-column figure.
    ticks
        Ticks of the horizontal axis.
    width
        One or two columns.
    """
    import plotnine as p9

    rows = list(dict.fromkeys(frame["row"]))
    headings = dict(zip(panels, tagged(panels), strict=True))
    data = frame.assign(
        heading=pd.Categorical(frame["panel"].map(headings), list(headings.values()), ordered=True),
        row=pd.Categorical(frame["row"], rows[::-1], ordered=True),
        group=pd.Categorical(frame["group"], list(groups), ordered=True),
    )
    beside = LETTER_MM * max(map(len, rows))
    across = min(len(panels), columns if width == "two" else 2)
    apart = p9.position_dodge(width=0.7 if len(groups) > 1 else 0.01)
    plot = p9.ggplot(data, p9.aes("row", "mean", color="group", shape="group"))
    if zero:
        plot = plot + p9.geom_hline(yintercept=0, color=MUTED, size=0.4, linetype="dashed")
    plot = (
        plot
        + p9.geom_linerange(p9.aes(ymin="low", ymax="high"), position=apart, size=0.6)
        + p9.geom_point(position=apart, size=1.6)
        + p9.facet_wrap("heading", ncol=across)
        + p9.coord_flip()
        + p9.labs(x="", y=axis)
        + group_scales(groups)
        + legend(groups, width, beside)
        + theme()
    )
    if ticks:
        plot = plot + p9.scale_y_continuous(breaks=list(ticks))
    if len(groups) == 1:
        plot = plot + p9.theme(legend_position="none")
    down = -(-len(panels) // across)
    marks = frame.groupby(["panel", "row"], sort=False)["group"].nunique().max()
    row = 2.2 + 1.6 * marks
    return Figure(
        name=name,
        title=title,
        plot=plot,
        data=frame,
        caption=caption,
        alt=_alt(frame),
        width=width,
        height_mm=20 + legend_mm(groups, width, beside) + down * (12 + row * len(rows)),
    )


def _alt(frame: pd.DataFrame) -> str:
    """The first numbers in words."""
    said = []
    for row in frame.head(16).to_dict("records"):
        who = ", ".join(str(row[name]) for name in ("panel", "row", "group") if row[name])
        said.append(f"{who}: {row['mean']:.2f} ({row['low']:.2f} to {row['high']:.2f})")
    more = f" {len(frame) - 16} more are drawn." if len(frame) > 16 else ""
    return "; ".join(said) + "." + more
