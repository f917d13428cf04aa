"""The theme and the plotnine figures, one per module; no module depends on a task family."""

from many_wolves.figures.backend import usable_backend
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted, read_all, read_fitted
from many_wolves.figures.save import save
from many_wolves.figures.section import FamilyReport, Plot, Section, Table

__all__ = [
    "FamilyReport",
    "Figure",
    "Fitted",
    "Plot",
    "Section",
    "Table",
    "read_all",
    "read_fitted",
    "save",
]

usable_backend()
