"""Collects answers to trials: planning, asking, journalling, resuming."""

from many_wolves.collection.episode_index import TurnJournal
from many_wolves.collection.episode_state import EpisodeState
from many_wolves.collection.journal import Journal, peek
from many_wolves.collection.plan import Plan, answers_to, explain, make_plan, other_settings
from many_wolves.collection.run import AT_ONCE, Collected, collect, play
from many_wolves.collection.speaker_thread import Seat
from many_wolves.collection.trials import Trials, read_trials

__all__ = [
    "AT_ONCE",
    "Collected",
    "EpisodeState",
    "Journal",
    "Plan",
    "Seat",
    "Trials",
    "TurnJournal",
    "answers_to",
    "collect",
    "explain",
    "make_plan",
    "other_settings",
    "peek",
    "play",
    "read_trials",
]
