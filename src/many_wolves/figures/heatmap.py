"""A table of probabilities as shaded cells with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from many_wolves.figures.theme import HIGH, LOW, theme

if TYPE_CHECKING:
    import plotnine as p9


def heat(
    frame: pd.DataFrame,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    x: str,
    y: str,
    panels: Sequence[str] = (),
    panel_columns: int = 4,
) -> p9.ggplot:
    """A heat map with the number printed in each cell, one panel per level of ``panel``.

    Parameters
    ----------
    frame
        row, column, value in [0, 1], and panel if there are several.
    rows, columns
        Order of the rows from the top, and of the columns from the left.
    x, y
        Axis titles.
    panels
        Order of the panels; empty for one panel.
    panel_columns
        Panels side by side.
    """
    import plotnine as p9

    data = frame.assign(
        row=pd.Categorical(frame["row"], list(reversed(rows)), ordered=True),
        column=pd.Categorical(frame["column"], list(columns), ordered=True),
        text=[f"{v:.2f}".removeprefix("0") if v < 0.995 else "1" for v in frame["value"]],
        dark=frame["value"] > 0.5,
    )
    if panels:
        data["panel"] = pd.Categorical(data["panel"], list(panels), ordered=True)
    plot = (
        p9.ggplot(data, p9.aes("column", "row", fill="value", group=1))
        + p9.geom_tile(color="white", size=0.6)
        + p9.geom_text(p9.aes(label="text", color="dark"), size=6, show_legend=False)
        + p9.scale_fill_gradient(low=LOW, high=HIGH, limits=(0, 1))
        + p9.scale_color_manual(values={True: "white", False: "#222222"}, guide=None)
        + p9.scale_x_discrete(expand=(0, 0))
        + p9.scale_y_discrete(expand=(0, 0))
        + p9.labs(x=x, y=y)
        + theme()
        + p9.theme(legend_position="none", panel_grid_major=p9.element_blank())
    )
    return plot + p9.facet_wrap("panel", ncol=panel_columns) if panels else plot
