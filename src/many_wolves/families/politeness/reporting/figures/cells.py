"""Choices against posterior predictions, cell by cell."""

from __future__ import annotations

import pandas as pd

from many_wolves.families.politeness.reporting.figures import frames
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.theme import COLOURS, Width, theme

OBSERVED = "#bdbdbd"


def choice_cells(fit: Fitted, width: Width = "two") -> Figure:
    """One panel per condition and state: bars are observed, points predicted.

    Parameters
    ----------
    fit
        A fit with posterior predictions.
    width
        One or two columns.
    """
    import plotnine as p9

    frame = frames.cells(fit)
    levels, names = frames.states(fit), frames.utterances(fit)
    labels = dict(zip(levels, frames.state_names(levels), strict=True))
    data = frame.assign(
        state=pd.Categorical(frame["state"].map(labels), list(labels.values()), ordered=True),
        condition=pd.Categorical(frame["condition"], fit.conditions, ordered=True),
        utterance=pd.Categorical(frame["utterance"], names[::-1], ordered=True),
    )
    plot = (
        p9.ggplot(data, p9.aes(y="utterance", group=1))
        + p9.geom_segment(
            p9.aes(x=0, xend="observed", yend="utterance"), color=OBSERVED, size=2.6, lineend="butt"
        )
        + p9.geom_segment(
            p9.aes(x="low", xend="high", yend="utterance"), color=COLOURS[0], size=0.55
        )
        + p9.geom_point(p9.aes(x="predicted"), color=COLOURS[0], size=1.1)
        + p9.facet_grid("condition", "state")
        + p9.coord_cartesian(xlim=(0, 1))
        + p9.scale_x_continuous(breaks=[0, 0.5, 1], labels=["0", ".5", "1"])
        + p9.labs(x="proportion of choices", y="")
        + theme(7 if width == "two" else 6)
    )
    inside = ((frame["observed"] >= frame["low"]) & (frame["observed"] <= frame["high"])).mean()
    n = frame.drop_duplicates(["condition", "state"])["n"].sum()
    return Figure(
        name="cells",
        title="Choices and predictions, cell by cell",
        plot=plot,
        data=frame,
        caption=(
            "Bars: observed proportion of each utterance, by goal (rows) and true state "
            f"(columns), {len(frame)} cells, n = {n:,.0f} choices. Points and lines: mean and "
            f"95 % equal-tailed interval of the posterior predictions; {100 * inside:.0f} % of "
            "the bars end within their interval."
        ),
        alt=_alt(frame, labels),
        width=width,
        height_mm=14 + 32 * len(fit.conditions),
    )


def _alt(frame: pd.DataFrame, labels: dict[int, str]) -> str:
    """The utterance chosen most often in each panel, and the one predicted."""
    parts = []
    for (condition, state), cell in frame.groupby(["condition", "state"], sort=False):
        seen = cell.sort_values("observed").iloc[-1]
        foreseen = cell.sort_values("predicted").iloc[-1]
        parts.append(
            f"{condition}, {labels[int(str(state))]}: chosen most {seen['utterance']} "
            f"({100 * seen['observed']:.0f} %), predicted {foreseen['utterance']} "
            f"({100 * foreseen['predicted']:.0f} %)"
        )
    return "; ".join(parts) + "."
