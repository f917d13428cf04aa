"""Speakers: one protocol, one module per backend; no speaker depends on a task family."""

from many_wolves.speakers.feed import Feed
from many_wolves.speakers.protocol import Request, Speaker
from many_wolves.speakers.simulated import SimulatedSpeaker

__all__ = ["Feed", "Request", "SimulatedSpeaker", "Speaker"]
