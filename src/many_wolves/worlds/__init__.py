"""The sources of questions: one protocol for vignettes, games and experiment servers."""

from many_wolves.worlds.episodic import EpisodicWorld, TakeTurns, one_turn
from many_wolves.worlds.protocol import (
    COMPLETE,
    LOST,
    SPEAKER,
    UNANSWERED,
    Episode,
    Extent,
    Observation,
    Receipt,
    Session,
    Turn,
    World,
)

__all__ = [
    "COMPLETE",
    "LOST",
    "SPEAKER",
    "UNANSWERED",
    "Episode",
    "EpisodicWorld",
    "Extent",
    "Observation",
    "Receipt",
    "Session",
    "TakeTurns",
    "Turn",
    "World",
    "one_turn",
]
