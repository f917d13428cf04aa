"""Estimates over sizes on a logarithmic axis, with the band of a scaling law."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import (
    Width,
    group_scales,
    legend,
    legend_mm,
    ribbon_alpha,
    tagged,
    theme,
)
from many_wolves.figures.trajectory import counts


def law(
    points: pd.DataFrame,
    band: pd.DataFrame,
    *,
    panels: Sequence[str],
    axis: str,
    caption: str,
    width: Width = "two",
) -> Figure:
    """One mark per model, one ribbon per family, one panel per quantity.

    Parameters
    ----------
    points
        group, panel, size, mean, low, high.
    band
        The predictions of the laws, with the same columns.
    panels
        Order of the panels.
    axis
        The unit of ``size``.
    caption
        What is drawn, n, and the kind of the intervals.
    """
    import plotnine as p9

    groups = list(dict.fromkeys(points["group"]))
    headings = dict(zip(panels, tagged(panels), strict=True))

    def placed(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(
            group=pd.Categorical(rows["group"], groups, ordered=True),
            panel=pd.Categorical(rows["panel"].map(headings), [*headings.values()], ordered=True),
        )

    plot = (
        p9.ggplot(placed(points), p9.aes("size", "mean", color="group", shape="group"))
        + p9.geom_ribbon(
            p9.aes("size", ymin="low", ymax="high", fill="group"),
            data=placed(band), inherit_aes=False, alpha=ribbon_alpha(len(groups)),
        )
        + p9.geom_line(p9.aes(group="group"), data=placed(band), size=0.5)
        + p9.geom_linerange(p9.aes(ymin="low", ymax="high"), size=0.5)
        + p9.geom_point(size=1.6)
        + p9.facet_wrap("panel", ncol=min(len(panels), 4 if width == "two" else 2))
        + p9.scale_x_log10(labels=counts)
        + p9.coord_cartesian(ylim=(0, 1))
        + p9.labs(x=axis, y="posterior mean")
        + group_scales(groups)
        + legend(groups, width)
        + theme()
    )  # fmt: skip
    if len(groups) == 1:
        plot = plot + p9.theme(legend_position="none")
    said = [
        f"{row['panel']}, {counts([row['size']])[0]}: {row['mean']:.2f}"
        for row in points.head(16).to_dict("records")
    ]
    down = -(-len(panels) // min(len(panels), 4 if width == "two" else 2))
    return Figure(
        name="scaling",
        title="Scaling laws",
        plot=plot,
        data=pd.concat([points.assign(drawn="point"), band.assign(drawn="band")]),
        caption=caption,
        alt="; ".join(said) + ".",
        width=width,
        height_mm=18 + 44 * down + legend_mm(groups, width),
    )
