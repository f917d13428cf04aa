"""Who answers: one protocol, one module a backend; no speaker knows a task family."""

from many_wolves.speakers.feed import Feed
from many_wolves.speakers.protocol import Request, Speaker
from many_wolves.speakers.simulated import SimulatedSpeaker

__all__ = ["Feed", "Request", "SimulatedSpeaker", "Speaker"]
