"""What speakers answered, as tables: the input of every fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import pandas as pd

from many_wolves.records import Check

MAIN = "counts"
"""Name of the main table where a family gives it no other."""
COUNT = "count"
"""Column that says how many answers a row stands for; one where a table lacks it."""


@dataclass(frozen=True)
class Observations:
    """Answers of one or more speakers in the tables of a task family.

    Parameters
    ----------
    family
        Task family.
    tables
        Data frames by name. The main one has the column ``speaker`` and, where a row
        stands for several answers (or for expected ones), a real-valued ``count``.
        Politeness: ``counts`` (speaker, goal, framing, state, utterance, count),
        ``literal`` (speaker, utterance, state, yes, n) and ``placed``.
    main
        Name of the table that is fitted.
    excluded
        What was left out: speaker, the factors, status, n, example.
    checks
        Whether each speaker did the task.
    meta
        How the tables were made: task, scoring, sources with fingerprints, versions.
    """

    family: str
    tables: Mapping[str, pd.DataFrame]
    main: str = MAIN
    excluded: pd.DataFrame = field(default_factory=pd.DataFrame)
    checks: tuple[Check, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_rows(
        cls,
        family: str,
        rows: pd.DataFrame,
        aside: Mapping[str, pd.DataFrame] | None = None,
        **more: Any,
    ) -> Self:
        """Observations with ``rows`` as the main table and further tables ``aside``.

        ``more`` are the fields ``excluded``, ``checks`` and ``meta``.
        """
        return cls(family, {MAIN: rows, **(aside or {})}, **more)

    @property
    def rows(self) -> pd.DataFrame:
        """The main table."""
        return self.tables[self.main]

    @property
    def aside(self) -> dict[str, pd.DataFrame]:
        """All tables but the main one, by name."""
        return {name: frame for name, frame in self.tables.items() if name != self.main}

    @property
    def speakers(self) -> list[str]:
        """Names of the speakers, in the order of the main table."""
        return list(dict.fromkeys(self.rows["speaker"]))

    @property
    def total(self) -> float:
        """Number of answers in the main table."""
        return float(self.rows[COUNT].sum()) if COUNT in self.rows else float(len(self.rows))

    @property
    def task(self) -> str:
        """The task that the tables are of; empty where they do not say."""
        return str(self.meta.get("task") or "")

    @property
    def where(self) -> str:
        """File of the main table, for messages; words where there is none."""
        return str(self.meta.get("path", "the table of choices"))

    def of(self, speaker: str) -> Observations:
        """The part that belongs to one speaker."""

        def part(frame: pd.DataFrame) -> pd.DataFrame:
            column = next((name for name in ("speaker", "model") if name in frame), None)
            if column is None:
                return frame
            return frame[frame[column] == speaker].reset_index(drop=True)

        return replace(
            self,
            tables={name: part(frame) for name, frame in self.tables.items()},
            excluded=part(self.excluded),
            checks=tuple(c for c in self.checks if c.speaker == speaker),
        )

    def having(self, **tables: pd.DataFrame) -> Observations:
        """The same with some tables replaced or added."""
        return replace(self, tables={**self.tables, **tables})
