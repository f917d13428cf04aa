"""Parameters over training, with ribbons."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import (
    BAND,
    LINES,
    MUTED,
    Width,
    cycle,
    group_scales,
    legend,
    legend_columns,
    legend_mm,
    ribbon_alpha,
    tagged,
    theme,
)


def counts(values: Sequence[float]) -> list[str]:
    """Counts in short form: 500, 2k, 3M, 1.5B, 2T."""
    return [_count(float(v)) for v in values]


def trajectory(
    frame: pd.DataFrame,
    *,
    panels: Sequence[str],
    conditions: Sequence[str],
    axis: str,
    caption: str,
    reference: pd.DataFrame | None = None,
    width: Width = "two",
) -> Figure:
    """One line per run with its ribbon, one panel per parameter and condition.

    Parameters
    ----------
    frame
        run, panel, condition, at, mean, low, high.
    panels, conditions
        Order of the columns and of the rows of panels.
    axis
        The unit of ``at``: steps or tokens.
    caption
        What is drawn, n, and the kind of the intervals.
    reference
        panel, condition, mean, low, high: drawn as a grey band behind.
    width
        One or two columns.
    """
    import plotnine as p9

    runs = list(dict.fromkeys(frame["run"]))
    headings = dict(zip(panels, tagged(panels), strict=True))

    def placed(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(
            heading=pd.Categorical(
                rows["panel"].map(headings), list(headings.values()), ordered=True
            ),
            condition=pd.Categorical(rows["condition"], list(conditions), ordered=True),
        )

    data = placed(frame).assign(run=pd.Categorical(frame["run"], runs, ordered=True))
    plot = p9.ggplot(data, p9.aes("at", "mean", color="run", fill="run"))
    if reference is not None and len(reference):
        band = placed(reference)
        everywhere = p9.aes(ymin="low", ymax="high", xmin=-float("inf"), xmax=float("inf"))
        plot = (
            plot
            + p9.geom_blank()
            + p9.geom_rect(everywhere, data=band, inherit_aes=False, fill=BAND, alpha=0.7)
            + p9.geom_hline(p9.aes(yintercept="mean"), data=band, color=MUTED, size=0.3)
        )
    plot = (
        plot
        + p9.geom_ribbon(
            p9.aes(ymin="low", ymax="high"), alpha=ribbon_alpha(len(runs)), color="none"
        )
        + p9.geom_line(p9.aes(linetype="run"), size=0.6)
        + p9.geom_point(p9.aes(shape="run"), size=1.1)
        + p9.facet_grid("condition", "heading")
        + p9.coord_cartesian(ylim=(0, 1))
        + p9.scale_y_continuous(breaks=[0, 0.5, 1], labels=["0", ".5", "1"])
        + p9.scale_x_continuous(labels=counts)
        + p9.scale_linetype_manual(values=cycle(LINES, len(runs)), limits=runs)
        + p9.labs(x=axis, y="posterior mean")
        + group_scales(runs)
        + legend(runs, width)
        + p9.guides(linetype=p9.guide_legend(ncol=legend_columns(runs, width)))
        + theme()
    )
    if len(runs) == 1:
        plot = plot + p9.theme(legend_position="none")
    return Figure(
        name="trajectories",
        title="Weights over training",
        plot=plot,
        data=frame,
        caption=caption,
        alt=_alt(frame, runs),
        width=width,
        height_mm=26 + 24 * len(conditions) + legend_mm(runs, width),
    )


def _count(value: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _alt(frame: pd.DataFrame, runs: Sequence[str]) -> str:
    said = []
    for (run, panel, condition), part in frame.groupby(
        ["run", "panel", "condition"], sort=False, observed=True
    ):
        first, last = part.iloc[0], part.iloc[-1]
        said.append(f"{run}, {panel}, {condition}: {first['mean']:.2f} to {last['mean']:.2f}")
    more = f"; {len(said) - 16} more lines" if len(said) > 16 else ""
    return f"{len(runs)} training runs. " + "; ".join(said[:16]) + more + "."
