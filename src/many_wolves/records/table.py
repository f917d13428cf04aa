"""Choices of speakers, counted, and whether they did the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd


@dataclass(frozen=True, slots=True)
class Check:
    """A statement about a speaker's choices, with the numbers it rests on.

    ``ok`` False means that the speaker did not do the task in this respect.
    """

    name: str
    speaker: str
    ok: bool
    statement: str
    statistic: float
    p_value: float


@dataclass(frozen=True)
class ChoiceTable:
    """Choices of one or more speakers, counted.

    Parameters
    ----------
    family
        Task family.
    counts
        One row a cell; columns are the family's factors, ``speaker`` first and
        ``count`` (real-valued: expected counts are allowed) last. Politeness:
        speaker, goal, framing, state, utterance, count.
    aside
        Further tables of the family by name. Politeness: ``literal`` with
        speaker, utterance, state, yes, n.
    excluded
        What was left out: speaker, the factors, status, n, example.
    checks
        Whether each speaker did the task.
    meta
        How the table was made: scoring, sources with fingerprints, versions.
    """

    family: str
    counts: pd.DataFrame
    aside: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    excluded: pd.DataFrame = field(default_factory=pd.DataFrame)
    checks: tuple[Check, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def speakers(self) -> list[str]:
        """Names of the speakers, in the order of the table."""
        return list(dict.fromkeys(self.counts["speaker"]))

    def of(self, speaker: str) -> ChoiceTable:
        """The part of the table that belongs to one speaker."""

        def part(frame: pd.DataFrame) -> pd.DataFrame:
            column = next((name for name in ("speaker", "model") if name in frame), None)
            if column is None:
                return frame
            return frame[frame[column] == speaker].reset_index(drop=True)

        return replace(
            self,
            counts=part(self.counts),
            aside={name: part(frame) for name, frame in self.aside.items()},
            excluded=part(self.excluded),
            checks=tuple(c for c in self.checks if c.speaker == speaker),
        )
