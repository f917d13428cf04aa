"""Weights over reasoning effort, one line per model."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.families.politeness.references import SPEAKER
from many_wolves.families.politeness.reporting.figures import frames
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted, short_models
from many_wolves.figures.forest import forest
from many_wolves.figures.theme import Width

PARAMETERS = ("phi", "w_inf", "w_soc", "w_pres")
ORDER = ("none", "minimal", "low", "medium", "high")


def weights_by_effort(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """Every parameter of every model at each effort, averaged over the goals."""
    rows = []
    models = short_models(_model(fit) for fit in _asked(fits))
    for fit in _asked(fits):
        for name in PARAMETERS:
            part = frames.weight_rows(fit, [name])
            if len(part):
                drawn = fit.values("posterior", name).mean("condition")
                low, high = drawn.quantile([0.025, 0.975]).to_numpy()
                rows.append(
                    {
                        "panel": name,
                        "row": _effort(fit),
                        "group": models[_model(fit)],
                        "mean": float(drawn.mean()),
                        "low": float(low),
                        "high": float(high),
                    }
                )
    frame = pd.DataFrame(rows)
    frame = frame.sort_values("row", key=lambda c: c.map(ORDER.index), kind="stable")
    return forest(
        frame,
        name="weights_by_effort",
        title="Weights by effort and model",
        panels=[p for p in PARAMETERS if p in set(frame["panel"])],
        groups=list(models.values()),
        axis="posterior mean over the goals",
        caption=f"Each parameter of {len(models)} models at each reasoning effort, averaged over "
        "the goals: posterior means with 95 % equal-tailed intervals.",
        zero=False,
        width=width,
    )


def lacks_efforts(fits: Sequence[Fitted]) -> str:
    """Why the figure cannot be drawn; empty if it can."""
    return "" if _asked(fits) else "no speaker was asked at several efforts"


def _asked(fits: Sequence[Fitted]) -> list[Fitted]:
    """Fits of models that were asked at several efforts."""
    models = [fit for fit in fits if fit.speaker != SPEAKER]
    return [
        fit for fit in models if len({_effort(o) for o in models if _model(o) == _model(fit)}) > 1
    ]


def _effort(fit: Fitted) -> str:
    return str(fit.labels.get("effort", "")) or ORDER[0]


def _model(fit: Fitted) -> str:
    return str(fit.labels.get("model", fit.speaker))
