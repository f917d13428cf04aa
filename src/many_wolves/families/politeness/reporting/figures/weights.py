"""Utility weights by speaker and goal, with people drawn in."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.families.politeness.reading.human import PUBLISHED
from many_wolves.families.politeness.reporting.figures import frames
from many_wolves.families.politeness.reporting.reference import (
    JOINT,
    beside,
    human_weights,
    is_human,
    is_reference,
    matched,
    treatment,
)
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.lineage import kin_of
from many_wolves.figures.theme import Width
from many_wolves.figures.weights import weights

LABELS = {
    "w_inf": "w_inf: be informative",
    "w_soc": "w_soc: be kind",
    "w_pres": "w_pres: self-presentation",
    "phi": "phi: projected goal",
}


def utility_weights(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """Weights and projected phi of every speaker, and of people.

    A fit of people among several ``fits`` is the band, if it treats literal meanings as the other
    fits do, or is the reference. Alone, the reference is drawn as points, together with the
    published values. Without a fit of people, the band is the shipped reference.
    """
    band = beside(fits)
    shown = [fit for fit in fits if fit is not band] or list(fits)
    alone = len(shown) == 1 and is_reference(shown[0])
    frame = pd.concat([frames.weight_rows(fit, list(LABELS)) for fit in shown], ignore_index=True)
    conditions = list(dict.fromkeys(c for fit in shown for c in fit.conditions))
    present = {name: LABELS[name] for name in LABELS if name in set(frame["parameter"])}
    reference = None
    if not alone:
        rows = frames.weight_rows(band, list(LABELS)) if band else human_weights()
        reference = matched(rows, conditions)
    used = treatment(band) if band else JOINT
    differ = any(treatment(fit) != used for fit in shown if not is_human(fit))
    warning = (
        " Literal meanings of people and of speakers were estimated differently, which changes "
        "the weights."
    )
    return weights(
        frame,
        labels=present,
        conditions=conditions,
        reference=reference,
        reference_name=f"203 people (Yoon et al. 2020, refitted; literal meanings: {used})",
        marks=PUBLISHED.rename(columns={"published": "value"}) if alone else None,
        marks_name="values published by Yoon et al. (2020), from chains that had not mixed",
        note=frames.choice_counts(shown) + warning * differ,
        title="Utility weights by speaker and goal",
        kin=kin_of(shown),
        width=width,
    )
