"""Plan, ask, journal, resume: what makes answers of trials, and loses none."""

from many_wolves.collection.journal import Journal, peek
from many_wolves.collection.plan import Plan, explain, make_plan, other_settings
from many_wolves.collection.run import Collected, collect
from many_wolves.collection.trials import read_trials

__all__ = [
    "Collected",
    "Journal",
    "Plan",
    "collect",
    "explain",
    "make_plan",
    "other_settings",
    "peek",
    "read_trials",
]
