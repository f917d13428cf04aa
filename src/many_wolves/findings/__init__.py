"""Derives statements from fits: effects of effort, goals and training, distance from people."""

from many_wolves.findings.dynamics import Run, runs
from many_wolves.findings.fits import Member, members
from many_wolves.findings.plots import lead_figure, plots
from many_wolves.findings.run import (
    Findings,
    has_findings,
    quantities_of,
    quantities_of_family,
    state,
)
from many_wolves.findings.statement import DRAWS, Statement, percent, table
from many_wolves.findings.tables import matrix

__all__ = [
    "DRAWS",
    "Findings",
    "Member",
    "Run",
    "Statement",
    "has_findings",
    "lead_figure",
    "matrix",
    "members",
    "percent",
    "plots",
    "quantities_of",
    "quantities_of_family",
    "runs",
    "state",
    "table",
]
