"""The three weights of every speaker in a triangle, people in black."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from many_wolves.families.politeness.references import SPEAKER
from many_wolves.families.politeness.reporting.figures import frames
from many_wolves.families.politeness.reporting.reference import goal_of
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.lineage import kin_of
from many_wolves.figures.simplex import simplex
from many_wolves.figures.theme import Width

WEIGHTS = ("w_inf", "w_soc", "w_pres")
CLOUD = 150
"""Number of draws to show per speaker and condition."""


def weight_triangle(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """Posterior means of (w_inf, w_soc, w_pres) over clouds of draws, one panel per condition."""
    shown = [fit for fit in fits if not lacks_weights(fit)]
    models = [fit for fit in shown if fit.speaker != SPEAKER]
    panels = list(dict.fromkeys(c for fit in (models or shown) for c in fit.conditions))
    means, clouds = [], []
    for fit in shown:
        for panel, condition in _placed(fit, panels):
            drawn = _draws(fit, condition)
            here = {"group": fit.label, "panel": panel}
            means.append(here | dict(zip(WEIGHTS, drawn.mean(axis=0), strict=True)))
            thin = drawn[:: max(len(drawn) // CLOUD, 1)][:CLOUD]
            clouds.append(pd.DataFrame(thin, columns=list(WEIGHTS)).assign(**here))
    people = next((fit.label for fit in shown if fit.speaker == SPEAKER), "")
    kin = kin_of(shown)
    return simplex(
        pd.DataFrame(means),
        pd.concat(clouds, ignore_index=True),
        corners=WEIGHTS,
        groups=[fit.label for fit in shown],
        panels=panels,
        caption="Posterior means (large marks) of the three weights, which sum to one, over "
        f"{CLOUD} posterior draws each (dots). Lines at a quarter, a half and three quarters."
        + (" Black stars: people under the same goal." if people and models else "")
        + f" {kin.note}" * bool(kin.note)
        + f" {frames.choice_counts(shown)}",
        reference=people,
        kin=kin,
        width=width,
    )


def lacks_weights(fit: Fitted) -> bool:
    """Whether a fit lacks one of the three weights."""
    return not all(fit.has("posterior", name) for name in WEIGHTS)


def _placed(fit: Fitted, panels: Sequence[str]) -> list[tuple[str, str]]:
    """(panel, condition) of a fit: people are in every panel of their goal."""
    if fit.speaker != SPEAKER:
        return [(c, c) for c in fit.conditions]
    return [(p, goal_of(p)) for p in panels if goal_of(p) in fit.conditions]


def _draws(fit: Fitted, condition: str) -> np.ndarray:
    columns = [
        fit.values("posterior", name).sel(condition=condition).to_numpy().ravel()
        for name in WEIGHTS
    ]
    return np.column_stack(columns)
