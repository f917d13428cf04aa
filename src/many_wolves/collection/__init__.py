"""Plan, ask, journal, resume: what makes answers of trials, and loses none."""

from many_wolves.collection.journal import Journal, peek
from many_wolves.collection.plan import Plan, explain, make_plan, other_settings
from many_wolves.collection.play import AT_ONCE, Seat, play
from many_wolves.collection.run import Collected, collect
from many_wolves.collection.trials import Trials, read_trials
from many_wolves.collection.turns import TurnJournal

__all__ = [
    "AT_ONCE",
    "Collected",
    "Journal",
    "Plan",
    "Seat",
    "Trials",
    "TurnJournal",
    "collect",
    "explain",
    "make_plan",
    "other_settings",
    "peek",
    "play",
    "read_trials",
]
