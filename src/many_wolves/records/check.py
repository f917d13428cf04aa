"""Whether a speaker did the task."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A statement about a speaker's answers, with the numbers it rests on.

    ``ok`` False means that the speaker did not do the task in this respect.
    """

    name: str
    speaker: str
    ok: bool
    statement: str
    statistic: float
    p_value: float
