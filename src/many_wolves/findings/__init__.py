"""From fits to statements: what effort, goals, training and people change, with uncertainty."""

from many_wolves.findings.dynamics import Run, runs
from many_wolves.findings.members import Member, members
from many_wolves.findings.stated import Findings, quantities_of, state
from many_wolves.findings.statement import DRAWS, Statement, percent, table
from many_wolves.findings.tables import TITLES, matrix

__all__ = [
    "DRAWS",
    "TITLES",
    "Findings",
    "Member",
    "Run",
    "Statement",
    "matrix",
    "members",
    "percent",
    "quantities_of",
    "runs",
    "state",
    "table",
]
