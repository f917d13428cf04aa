"""Choices against posterior predictions, all cells in one panel."""

from __future__ import annotations

from many_wolves.families.politeness.figures import frames
from many_wolves.figures.agreement import agreement
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.theme import Width


def choice_agreement(fit: Fitted, width: Width = "one") -> Figure:
    """Scatter of observed on predicted proportions, with r² over the cells."""
    frame = frames.cells(fit)
    n = frame.drop_duplicates(["condition", "state"])["n"].sum()
    return agreement(
        frame.rename(columns={"condition": "group"}), groups=fit.conditions, n=float(n), width=width
    )
