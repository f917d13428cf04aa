"""The answers of speakers as tables: the input of every fit."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from many_wolves.records import Check
from many_wolves.records.check import summary
from many_wolves.secrets import refuse_secrets

if TYPE_CHECKING:
    import pandas as pd

MAIN = "counts"
"""Name of the main table where a family gives it no other."""
SHOWN = 8
"""Maximum number of values to list for a column; of more, only their number is shown."""
COUNT = "count"
"""Column with the number of answers that a row represents; 1 if a table lacks it."""


def _no_rows() -> pd.DataFrame:
    # pandas takes longer to import than everything that a command without tables needs.
    import pandas as pd

    return pd.DataFrame()


@dataclass(frozen=True, repr=False)
class Observations:
    """Answers of one or more speakers in the tables of a task family.

    Parameters
    ----------
    family
        Task family.
    tables
        Data frames by name. The main one has the column ``speaker`` and, if a row represents
        several answers (or expected ones), a real-valued ``count``.
        Politeness: ``counts`` (speaker, goal, framing, state, utterance, count),
        ``literal`` (speaker, utterance, state, yes, n) and ``placed``.
    main
        Name of the table that is fitted.
    excluded
        Excluded answers: speaker, the factors, status, n, example.
    checks
        Checks of whether each speaker did the task.
    meta
        Provenance of the tables: task, scoring, sources with fingerprints, versions.
    """

    family: str
    tables: Mapping[str, pd.DataFrame]
    main: str = MAIN
    excluded: pd.DataFrame = field(default_factory=_no_rows)
    checks: tuple[Check, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for frame in self.tables.values():
            if "speaker" in frame:
                refuse_secrets(map(str, frame["speaker"].unique()), where=self.where)

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
    def counts(self) -> pd.DataFrame:
        """The former name of ``rows``."""
        return self.rows

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
        """The task of the tables; empty if it is not recorded."""
        return str(self.meta.get("task") or "")

    @property
    def where(self) -> str:
        """File of the main table for messages, or a description if there is none."""
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
        """A copy with some tables replaced or added."""
        return replace(self, tables={**self.tables, **tables})

    def __repr__(self) -> str:
        who = self.speakers[0] if len(self.speakers) == 1 else f"{len(self.speakers)} speakers"
        return f"Observations({self.family!r}, {who!r}, {self.total:,.0f} answers)"

    def _repr_html_(self) -> str:
        """Answers and failed checks per speaker, and the values of the main table's columns."""
        import pandas as pd

        total = [self.of(name).total for name in self.speakers]
        rows = pd.DataFrame(
            {
                "speaker": self.speakers,
                "answers": [f"{n:,.0f}" for n in total],
                "checks": [self._verdict(name) for name in self.speakers],
            }
        )
        held = [
            f"<b>{html.escape(str(column))}</b>: {html.escape(_held(self.rows[column]))}"
            for column in self.rows
            if column not in ("speaker", "model", COUNT)
        ]
        tables = ", ".join(f"{name} ({len(frame):,} rows)" for name, frame in self.tables.items())
        return (
            f"<p>Answers of the task family <b>{html.escape(self.family)}</b>; tables: "
            f"{html.escape(tables)}.</p>{rows.to_html(index=False)}<p>{'; '.join(held)}</p>"
        )

    def _verdict(self, speaker: str) -> str:
        own = [check for check in self.checks if check.speaker == speaker]
        if not own:
            return "not checked"
        words = summary(own)
        return f"passed {len(own)}" if words == "ok" else words


def _held(column: pd.Series) -> str:
    """The values of a column in words: all of them if there are few."""
    values = list(dict.fromkeys(map(str, column)))
    if len(values) <= SHOWN:
        return ", ".join(values)
    return f"{len(values)} values, such as {values[0]}"
