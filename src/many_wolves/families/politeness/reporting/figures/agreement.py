"""Choices against posterior predictions, with all cells in one panel per speaker."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.families.politeness.reporting.figures import frames
from many_wolves.figures.agreement import agreement
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.theme import Width


def choice_agreement(fit: Fitted, width: Width = "one") -> Figure:
    """Scatter of observed on predicted proportions, with r² over the cells."""
    return agreement(_cells(fit), groups=fit.conditions, n=_asked(fit), width=width)


def study_agreement(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """The same, one panel per speaker."""
    frame = pd.concat([_cells(fit).assign(panel=fit.label) for fit in fits], ignore_index=True)
    groups = list(dict.fromkeys(c for fit in fits for c in fit.conditions))
    panels = [fit.label for fit in fits]
    n = sum(_asked(fit) for fit in fits)
    return agreement(frame, groups=groups, n=n, panels=panels, width=width)


def _cells(fit: Fitted) -> pd.DataFrame:
    return frames.cells(fit).rename(columns={"condition": "group"})


def _asked(fit: Fitted) -> float:
    return float(fit.values("observed_data", "counts").sum())
