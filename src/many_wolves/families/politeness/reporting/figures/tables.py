"""The tables of the recursion: inferences of a listener (L1), choices of the speaker (S2)."""

from __future__ import annotations

import pandas as pd

from many_wolves.families.politeness.reporting.figures import frames
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted, interval_frame
from many_wolves.figures.heatmap import heat
from many_wolves.figures.theme import Width


def listener_table(fit: Fitted, width: Width = "one") -> Figure:
    """P_L1(state | utterance) at the posterior, as shaded cells."""
    frame = interval_frame(fit.values("posterior", "l1_state"))
    levels, names = frames.states(fit), frames.utterances(fit)
    columns = [str(s) for s in levels]
    data = frame.rename(columns={"utterance": "row", "mean": "value"})
    data = data.assign(column=data["state"].astype(int).astype(str))
    unit = frames.state_unit(levels)
    best = frame.loc[frame.groupby("utterance", sort=False)["mean"].idxmax()]
    return Figure(
        name="listener",
        title="What a pragmatic listener infers (L1)",
        plot=heat(data, rows=names, columns=columns, x=f"inferred state ({unit})", y=""),
        data=frame,
        caption=(
            "Posterior mean of P(state | utterance) of the pragmatic listener; rows sum to one. "
            "95 % highest-density intervals are in the data behind the figure."
        ),
        alt="Most probable state: " + _pairs(best, "utterance", "state") + ".",
        width=width,
        height_mm=14 + 6.2 * len(names),
    )


def speaker_table(fit: Fitted, width: Width = "two") -> Figure:
    """P(utterance | state) of the fitted speaker at the posterior, one panel a condition."""
    frame = interval_frame(fit.values("posterior", "s2"))
    levels, names = frames.states(fit), frames.utterances(fit)
    data = frame.rename(columns={"utterance": "row", "mean": "value", "condition": "panel"})
    data = data.assign(column=data["state"].astype(int).astype(str))
    across = min(len(fit.conditions), 4 if width == "two" else 2)
    plot = heat(
        data,
        rows=names,
        columns=[str(s) for s in levels],
        x=f"true state ({frames.state_unit(levels)})",
        y="",
        panels=fit.conditions,
        panel_columns=across,
    )
    best = frame.loc[frame.groupby(["condition", "state"], sort=False)["mean"].idxmax()]
    parts = [
        f"{condition}: {_pairs(part, 'state', 'utterance')}"
        for condition, part in best.groupby("condition", sort=False)
    ]
    return Figure(
        name="speaker",
        title="What the speaker says",
        plot=plot,
        data=frame,
        caption=(
            "Posterior mean of P(utterance | state) of the speaker, by goal; columns sum to one. "
            "95 % highest-density intervals are in the data behind the figure."
        ),
        alt="Most probable utterance by state. " + ". ".join(parts) + ".",
        width=width,
        height_mm=16 + 6.2 * len(names) * -(-len(fit.conditions) // across),
    )


def _pairs(frame: pd.DataFrame, left: str, right: str) -> str:
    pairs = zip(frame[left], frame[right], frame["mean"], strict=True)
    return ", ".join(f"{a} {b} ({p:.2f})" for a, b, p in pairs)
