"""Scatter plots with intervals on both axes: maps and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.lineage import Kin, marks
from many_wolves.figures.theme import (
    BAND,
    MUTED,
    Width,
    group_scales,
    legend_columns,
    legend_mm,
    tagged,
    theme,
)

BINS = {"up to 5 %": "#ffffff", "to 50 %": "#9ecae1", "to 95 %": "#3182bd", "above": "#08306b"}
"""Colours of probabilities: darker means larger, in colour and in grey print."""
FILLED = ("o", "s", "^", "D", "v")
"""Shapes that can be filled."""


def chart(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    fill: str,
    panels: Sequence[str],
    groups: Sequence[str],
    corner: pd.DataFrame,
    caption: str,
    name: str,
    title: str,
    kin: Kin | None = None,
    width: Width = "two",
) -> Figure:
    """Groups in a plane, with a fill colour for a probability; one panel per condition.

    Parameters
    ----------
    frame
        group, panel, the columns ``x`` and ``y`` with their ``_low`` and ``_high``,
        and ``fill`` in [0, 1].
    x, y, fill
        Names of the columns; ``x`` and ``y`` are axis titles as well.
    panels, groups
        Order of the panels, and of the groups (shapes of the marks).
    corner
        panel, xmin, xmax, ymin, ymax: a rectangle behind the points.
    name, title, caption
        Stem of the files, heading, and caption.
    kin
        Groups that share a colour.
    width
        One or two columns.
    """
    import plotnine as p9

    headings = dict(zip(panels, tagged(panels), strict=True))

    def placed(rows: pd.DataFrame) -> pd.DataFrame:
        heading = rows["panel"].map(headings)
        return rows.assign(panel=pd.Categorical(heading, list(headings.values()), ordered=True))

    data = placed(frame).assign(
        group=pd.Categorical(frame["group"], list(groups), ordered=True),
        bin=pd.cut(frame[fill], [-0.01, 0.05, 0.5, 0.95, 1], labels=list(BINS)),
    )
    columns = legend_columns(groups, width)
    drawn = marks(groups, kin and replace(kin, base=frozenset()), FILLED)
    shapes, colours = (p9.guide_legend(title="", ncol=columns) for _ in range(2))
    region = p9.aes(xmin="xmin", xmax="xmax", ymin="ymin", ymax="ymax")
    plot = (
        p9.ggplot(data, p9.aes(x, y))
        + p9.geom_blank()
        + p9.geom_rect(region, data=placed(corner), inherit_aes=False, fill=BAND, alpha=0.6)
        + p9.geom_segment(p9.aes(x=f"{x}_low", xend=f"{x}_high", yend=y), size=0.3, color=MUTED)
        + p9.geom_segment(p9.aes(y=f"{y}_low", yend=f"{y}_high", xend=x), size=0.3, color=MUTED)
        + p9.geom_point(p9.aes(fill="bin", shape="group", color="group"), size=2.4, stroke=0.9)
        + p9.scale_fill_manual(values=BINS, limits=list(BINS), name=fill)
        + p9.scale_shape_manual(values=[m.shape for m in drawn], limits=list(groups))
        + p9.scale_color_manual(values=[m.colour for m in drawn], limits=list(groups))
        + p9.facet_wrap("panel", ncol=min(len(panels), 4 if width == "two" else 2))
        + p9.coord_fixed(xlim=(0, 1), ylim=(0, 1))
        + theme()
        + p9.guides(shape=shapes, color=colours,
                    fill=p9.guide_legend(override_aes={"shape": "o", "color": MUTED}))
        + p9.theme(legend_box="vertical", legend_title=p9.element_text(size=6.5))
    )  # fmt: skip
    across = min(len(panels), 4 if width == "two" else 2)
    side = (164 if width == "two" else 80) / across
    return Figure(
        name=name,
        title=title,
        plot=plot,
        data=frame,
        caption=caption,
        alt=_map_alt(frame, x, y, fill),
        width=width,
        height_mm=24 + (side + 5) * -(-len(panels) // across) + legend_mm(groups, width),
    )


def against(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    panels: Sequence[str],
    groups: Sequence[str],
    name: str,
    title: str,
    caption: str,
    width: Width = "two",
) -> Figure:
    """Proportions against those of a reference, one panel per speaker.

    Parameters
    ----------
    frame
        panel, group, and the columns ``x`` and ``y``.
    panels, groups
        Order of the panels (speakers) and of the marks (conditions).
    """
    import plotnine as p9

    headings = dict(zip(panels, tagged(panels), strict=True))
    data = frame.assign(
        panel=pd.Categorical(frame["panel"].map(headings), list(headings.values()), ordered=True),
        group=pd.Categorical(frame["group"], list(groups), ordered=True),
    )
    across = min(len(panels), 3 if width == "two" else 1)
    plot = (
        p9.ggplot(data, p9.aes(x, y, color="group", shape="group"))
        + p9.geom_abline(intercept=0, slope=1, color=MUTED, linetype="dashed", size=0.4)
        + p9.geom_point(size=1.5, fill="none", stroke=0.6)
        + p9.facet_wrap("panel", ncol=across)
        + p9.coord_fixed(xlim=(0, 1), ylim=(0, 1))
        + group_scales(groups)
        + p9.guides(fill="none")
        + theme()
    )
    side = (150 if width == "two" else 78) / max(across, 2 if width == "two" else 1)
    said = []
    for panel, part in frame.groupby("panel", sort=False):
        said.append(f"{panel}: r = {part[x].corr(part[y]):.2f} over {len(part)} cells")
    return Figure(
        name=name,
        title=title,
        plot=plot,
        data=frame,
        caption=f"{caption} {'; '.join(said)}.",
        alt=f"Scatter, {x} against {y}. " + "; ".join(said) + ".",
        width=width,
        height_mm=20 + (side + 6) * -(-len(panels) // across),
    )


def _map_alt(frame: pd.DataFrame, x: str, y: str, fill: str) -> str:
    rows = [
        f"{row['group']}, {row['panel']}: "
        + ", ".join(f"{name} {row[name]:.2f}" for name in (x, y, fill))
        for _, row in frame.head(16).iterrows()
    ]
    more = f" {len(frame) - 16} more are drawn." if len(frame) > 16 else ""
    return "; ".join(rows) + "." + more
