"""Literal meanings: theta, and the literal judgments."""

from __future__ import annotations

import pandas as pd

from many_wolves.families.politeness.reporting.figures import frames
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.theme import COLOURS, MUTED, Width, theme


def literal_semantics(fit: Fitted, width: Width = "two") -> Figure:
    """One panel per utterance: posterior of theta and proportion of yes, by state."""
    import plotnine as p9

    frame = frames.meanings(fit)
    levels, names = frames.states(fit), frames.utterances(fit)
    data = frame.assign(
        utterance=pd.Categorical(frame["utterance"], names, ordered=True),
        state=pd.Categorical(frame["state"], levels, ordered=True),
    )
    judged = "observed" in frame and bool(frame["observed"].notna().any())
    plot = p9.ggplot(data, p9.aes("state", group=1))
    if judged:
        plot = plot + p9.geom_linerange(
            p9.aes(ymin="low", ymax="high"),
            color=MUTED, size=0.5, position=p9.position_nudge(x=0.14),
        )  # fmt: skip
        plot = plot + p9.geom_point(
            p9.aes(y="observed"), shape="D", fill="white", color=MUTED, size=1.4, stroke=0.5,
            position=p9.position_nudge(x=0.14),
        )  # fmt: skip
    plot = (
        plot
        + p9.geom_line(p9.aes(y="mean"), color=COLOURS[0], size=0.4, linetype="dotted")
        + p9.geom_linerange(p9.aes(ymin="hdi_low", ymax="hdi_high"), color=COLOURS[0], size=0.7)
        + p9.geom_point(p9.aes(y="mean"), color=COLOURS[0], size=1.4)
        + p9.facet_wrap("utterance", ncol=4 if width == "two" else 2)
        + p9.coord_cartesian(ylim=(0, 1))
        + p9.scale_y_continuous(breaks=[0, 0.5, 1])
        + p9.labs(x=f"true state ({frames.state_unit(levels)})", y="literally true")
        + theme()
    )
    rows = -(-len(names) // (4 if width == "two" else 2))
    return Figure(
        name="literal",
        title="What the utterances mean",
        plot=plot,
        data=frame,
        caption=_caption(fit, frame, judged),
        alt=_alt(frame, judged),
        width=width,
        height_mm=16 + 27 * rows,
    )


def _caption(fit: Fitted, frame: pd.DataFrame, judged: bool) -> str:
    text = (
        "Filled points and lines: posterior mean and 95 % highest-density interval of theta, the "
        "probability that the utterance is literally true of the state."
    )
    if not judged:
        return text + " This speaker gave no literal judgments."
    n = frame["n"].sum()
    return text + (
        " Open diamonds: proportion of yes in the literal task with 95 % Jeffreys intervals, "
        f"n = {n:,.0f} judgments."
    )


def _alt(frame: pd.DataFrame, judged: bool) -> str:
    parts = [
        f"{name}: " + ", ".join(f"{m:.2f}" for m in part.sort_values("state")["mean"])
        for name, part in frame.groupby("utterance", sort=False)
    ]
    text = "Posterior mean of theta by state, from the lowest. " + "; ".join(parts) + "."
    if not judged:
        return text
    gap = (frame["mean"] - frame["observed"]).abs()
    worst = frame.assign(gap=gap).sort_values("gap", na_position="first").iloc[-1]
    return text + (
        f" It differs most from the judgments for {worst['utterance']} in state {worst['state']}: "
        f"{worst['mean']:.2f} compared with {worst['observed']:.2f}."
    )
