"""The influence of each part of the data on each weight."""

from __future__ import annotations

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import COLOURS, MUTED, Width, theme

MUCH = 2.0


def influence_figure(table: pd.DataFrame, by: str, width: Width = "two") -> Figure:
    """Shift of each parameter when a part is left out, one row per speaker.

    Parameters
    ----------
    table
        speaker, left_out, parameter, condition, shift.
    by
        The kind of part that is left out, in one word.
    """
    import plotnine as p9

    data = table[["speaker", "left_out", "parameter", "condition", "shift"]].copy()
    data["parameter"] = pd.Categorical(
        data["parameter"], categories=list(dict.fromkeys(data["parameter"]))
    )
    data["speaker"] = pd.Categorical(
        data["speaker"], categories=list(dict.fromkeys(data["speaker"]))[::-1]
    )
    most = data.iloc[int(data["shift"].abs().to_numpy().argmax())]
    plot = (
        p9.ggplot(data, p9.aes("shift", "speaker"))
        + p9.geom_vline(xintercept=[-MUCH, MUCH], color=MUTED, size=0.3, linetype="dashed")
        + p9.geom_vline(xintercept=0, color=MUTED, size=0.3)
        + p9.geom_point(color=COLOURS[0], size=0.9, alpha=0.5)
        + p9.facet_wrap("parameter", nrow=1)
        + p9.labs(x="shift in posterior standard deviations", y="")
        + theme()
    )
    worst = f"{most['parameter']} {most['condition']}".strip()
    return Figure(
        name="influence-figure",
        title=f"Influence of one {by}",
        plot=plot,
        data=data,
        caption=(
            f"Change of each posterior mean without one {by}, in posterior standard "
            f"deviations; one point per {by} and condition. Dashed: two standard deviations."
        ),
        alt=(
            f"Points around zero. The largest shift, {most['shift']:+.1f}, is in {worst} of "
            f"{most['speaker']} without {most['left_out']}."
        ),
        width=width,
        height_mm=30 + 6 * data["speaker"].nunique(),
    )
