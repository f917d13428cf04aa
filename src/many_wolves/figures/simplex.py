"""Three shares that sum to one, drawn in a triangle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.lineage import Kin, mark_scales
from many_wolves.figures.theme import (
    INK,
    MUTED,
    Width,
    legend,
    legend_mm,
    tagged,
    theme,
)

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 3**0.5 / 2]])


def simplex(
    means: pd.DataFrame,
    clouds: pd.DataFrame,
    *,
    corners: Sequence[str],
    groups: Sequence[str],
    panels: Sequence[str],
    caption: str,
    reference: str = "",
    kin: Kin | None = None,
    width: Width = "two",
) -> Figure:
    """Posterior means in a triangle, over clouds of draws; one panel per condition.

    Parameters
    ----------
    means
        group, panel and one column per corner, summing to one.
    clouds
        The same columns, one row per draw.
    corners
        The three columns, for the corners lower left, lower right and top.
    groups
        Order of the groups (speakers).
    panels
        Order of the panels (conditions); one without a name has no heading.
    caption
        Caption: what is drawn, and n.
    reference
        The group that is drawn in black.
    kin
        Groups that share a colour.
    width
        One or two columns.
    """
    import plotnine as p9

    headings = dict(zip(panels, tagged(panels) if len(panels) > 1 else panels, strict=True))

    def placed(rows: pd.DataFrame) -> pd.DataFrame:
        xy = rows[list(corners)].to_numpy() @ CORNERS
        return rows.assign(
            x=xy[:, 0],
            y=xy[:, 1],
            group=pd.Categorical(rows["group"], list(groups), ordered=True),
            panel=pd.Categorical(
                rows["panel"].map(headings), list(headings.values()), ordered=True
            ),
        )

    outline = pd.DataFrame(CORNERS[[0, 1, 2, 0]], columns=["x", "y"])
    names = pd.DataFrame(CORNERS, columns=["x", "y"]).assign(
        text=list(corners), y=CORNERS[:, 1] + [-0.07, -0.07, 0.07]
    )
    plain = {"inherit_aes": False, "show_legend": False}
    plot = (
        p9.ggplot(placed(means), p9.aes("x", "y", color="group", shape="group"))
        + p9.geom_segment(p9.aes("x", "y", xend="xend", yend="yend"), data=_grid(), size=0.2,
                          color="#dddddd", **plain)
        + p9.geom_path(p9.aes("x", "y"), data=outline, color=MUTED, size=0.5, **plain)
        + p9.geom_text(p9.aes("x", "y", label="text"), data=names, size=6.5, color=INK, **plain)
        + p9.geom_point(data=placed(clouds), size=0.5, alpha=0.35, stroke=0, show_legend=False)
        + p9.geom_point(p9.aes(fill="group"), size=2)
        + p9.geom_point(data=placed(means[means["group"] == reference]), size=3.2, shape="*",
                        color="black", show_legend=False)
        + p9.facet_wrap("panel", ncol=min(len(panels), 4 if width == "two" else 2))
        + p9.coord_fixed(xlim=(-0.12, 1.12), ylim=(-0.12, 0.98))
        + _scales(groups, reference, kin)
        + legend(groups, width)
        + theme()
        + p9.theme(axis_text=p9.element_blank(), axis_title=p9.element_blank(),
                   axis_ticks=p9.element_blank(), panel_grid=p9.element_blank(),
                   **({} if any(panels) else {"strip_text": p9.element_blank(),
                                              "strip_background": p9.element_blank()}))
    )  # fmt: skip
    across = min(len(panels), 4 if width == "two" else 2)
    side = (174 if width == "two" else 85) / across
    return Figure(
        name="simplex",
        title="The three weights in one triangle",
        plot=plot,
        data=means,
        caption=caption,
        alt=_alt(means, corners),
        width=width,
        height_mm=8 + side * -(-len(panels) // across) + legend_mm(groups, width),
    )


def _scales(groups: Sequence[str], reference: str, kin: Kin | None) -> list[Any]:
    """The scales of groups, the reference in black."""
    import plotnine as p9

    scales = mark_scales([g for g in groups if g != reference], kin)
    if reference not in groups:
        return list(scales)
    found = []
    for make, scale, own in zip(
        (p9.scale_color_manual, p9.scale_fill_manual, p9.scale_shape_manual),
        scales,
        ("#000000", "#000000", "*"),
        strict=True,
    ):
        rest = iter(scale.palette(len(groups) - 1)) if len(groups) > 1 else iter(())
        values = [own if g == reference else next(rest) for g in groups]
        found.append(make(values=values, limits=list(groups)))
    return found


def _grid() -> pd.DataFrame:
    """Grid lines at a quarter, a half and three quarters of each share."""
    lines = []
    for level in (0.25, 0.5, 0.75):
        for i in range(3):
            a, b = np.zeros(3), np.zeros(3)
            a[i] = b[i] = level
            a[(i + 1) % 3] = b[(i + 2) % 3] = 1 - level
            lines.append([*(a @ CORNERS), *(b @ CORNERS)])
    return pd.DataFrame(lines, columns=["x", "y", "xend", "yend"])


def _alt(means: pd.DataFrame, corners: Sequence[str]) -> str:
    rows = [
        f"{row['group']}, {row['panel']}: " + ", ".join(f"{c} {row[c]:.2f}" for c in corners)
        for _, row in means.head(16).iterrows()
    ]
    more = f" {len(means) - 16} more are drawn." if len(means) > 16 else ""
    return "; ".join(rows) + "." + more
