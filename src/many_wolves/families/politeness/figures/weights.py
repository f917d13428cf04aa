"""Utility weights by speaker and goal, with people drawn in."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.families.politeness.figures import frames
from many_wolves.families.politeness.reference import human_weights, is_human, matched
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.theme import Width
from many_wolves.figures.weights import weights

LABELS = {
    "w_inf": "w_inf: be informative",
    "w_soc": "w_soc: be kind",
    "w_pres": "w_pres: seem so",
    "phi": "phi: informativeness shown",
}


def utility_weights(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """Weights and projected phi of every speaker, beside people.

    People among ``fits`` are the band and are not drawn a second time, unless
    they are the only ones; without them the band is the reference that ships with
    the project.
    """
    people = [fit for fit in fits if is_human(fit)]
    others = [fit for fit in fits if not is_human(fit)]
    shown = others or people
    frame = pd.concat([frames.weight_rows(fit, list(LABELS)) for fit in shown], ignore_index=True)
    conditions = list(dict.fromkeys(c for fit in shown for c in fit.conditions))
    reference = None
    if others:
        rows = frames.weight_rows(people[0], list(LABELS)) if people else human_weights()
        reference = matched(rows, conditions)
    counts = ", ".join(f"{fit.label} n = {fit.info.get('choices', 0):,.0f}" for fit in shown)
    return weights(
        frame,
        labels=LABELS,
        conditions=conditions,
        reference=reference,
        reference_name="203 people (Yoon et al. 2020, refitted)",
        note=f"Choices: {counts}.",
        width=width,
    )
