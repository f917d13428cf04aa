"""Messages of one speaker as decisions: where the game stood in shares of the pie, and the move."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.model.levels import Levels
from many_wolves.families.bargaining.moves import OTHER_GOODS, REVERSED, ROLES
from many_wolves.observations import Observations
from many_wolves.outcomes import Array

NEEDED = (
    "speaker", "group", "participant", "role", "chain", "game", "ask", "bid", "step",
    "round", "own_before", "standing", "move", "price",
)  # fmt: skip
"""Columns without which no model of moves can be fitted."""
_FILLED: dict[str, Any] = {
    "arm": "none", "branch": 0, "partner": "", "good": "", "cost": np.nan, "value": np.nan,
    "outside": 0.0, "rounds": 10, "announced": "no", "form": "free", "rule": "", "menu": "",
    "standing_before": np.nan, "other_conceded": np.nan, "flags": "", "status": "answered",
}  # fmt: skip
"""Columns that a foreign table may lack, and their defaults."""
_NUMBERS = ("cost", "value", "ask", "bid", "step", "outside", "own_before", "standing",
            "standing_before", "other_conceded", "price")  # fmt: skip


@dataclass(frozen=True)
class Decisions:
    """Moves of one speaker, in the order of the table.

    Parameters
    ----------
    frame
        The rows: columns of ``turns``, numbers as numbers, missing ones NaN.
    where
        The file, for messages.
    """

    frame: pd.DataFrame
    where: str = ""

    def __len__(self) -> int:
        return len(self.frame)

    def part(self, chosen: Any) -> Decisions:
        """Some of the rows."""
        return Decisions(self.frame[np.asarray(chosen)].reset_index(drop=True), self.where)

    @cached_property
    def levels(self) -> Levels:
        """Role prompts, chains and games."""
        return Levels.of(self.frame)

    @property
    def seller(self) -> Any:
        """(N,) whether the speaker sells."""
        return (self.frame["role"] == "seller").to_numpy()

    @cached_property
    def low(self) -> Array:
        """(N,) price at which the seller's share is 0."""
        known = self.frame[["cost", "value"]].notna().all(axis=1)
        return np.where(known, self.frame["cost"], self.frame["bid"]).astype(float)

    @cached_property
    def pie(self) -> Array:
        """(N,) price at which the seller's share is 1 less that at which it is 0."""
        known = self.frame[["cost", "value"]].notna().all(axis=1)
        high = np.where(known, self.frame["value"], self.frame["ask"]).astype(float)
        return high - self.low

    def share(self, column: str) -> Array:
        """(N,) the speaker's share at the price in a column; NaN without one."""
        seller = (self.frame[column].to_numpy(dtype=float) - self.low) / self.pie
        return np.where(self.seller, seller, 1 - seller)

    @cached_property
    def own(self) -> Array:
        """(N,) share that the speaker demanded before."""
        return self.share("own_before")

    @cached_property
    def offered(self) -> Array:
        """(N,) share that the other side's standing price leaves."""
        return self.share("standing")

    @cached_property
    def offered_before(self) -> Array:
        """(N,) the same when the speaker last wrote."""
        return self.share("standing_before")

    @cached_property
    def demand(self) -> Array:
        """(N,) share that the speaker's offer demands; NaN where it makes none."""
        return np.where(self.frame["move"] == "offer", self.share("price"), np.nan)

    @cached_property
    def step(self) -> Array:
        """(N,) one step of the grid, as a share of the pie."""
        return self.frame["step"].to_numpy(dtype=float) / self.pie

    @cached_property
    def outside(self) -> Array:
        """(N,) payoff without a deal, as a share of the pie."""
        return self.frame["outside"].to_numpy(dtype=float) / self.pie

    @property
    def round(self) -> Array:
        """(N,) number of the speaker's message."""
        return self.frame["round"].to_numpy(dtype=float)

    @property
    def rounds(self) -> Array:
        """(N,) messages of each side at most."""
        return self.frame["rounds"].to_numpy(dtype=float)

    @property
    def announced(self) -> Any:
        """(N,) whether that is known."""
        return (self.frame["announced"] == "yes").to_numpy()

    @property
    def is_move(self) -> Any:
        """(N,) whether the message makes a move that a model of moves describes.

        Talk, unread messages, offers of other goods and messages in the other role do not.
        """
        flags = self.frame["flags"].str
        moved = self.frame["move"].isin(["offer", "accept", "walk"])
        odd = flags.contains(OTHER_GOODS, regex=False) | flags.contains(REVERSED, regex=False)
        return (moved & ~odd).to_numpy()

    @property
    def is_probe(self) -> Any:
        """(N,) whether the game is a probe of one message."""
        return self.frame["rule"].isin(["told", "last"]).to_numpy()


def read_decisions(observations: Observations, task: str = "haggle") -> Decisions:
    """The messages of one speaker.

    Raises
    ------
    WolvesError
        If the table has no rows, a column is missing, or a number in it is none.
    """
    frame = _turns(observations)
    where = observations.where
    missing = [name for name in NEEDED if name not in frame]
    if missing:
        raise WolvesError(
            f"expected the columns {', '.join(NEEDED)}; {', '.join(missing)} missing",
            where=where,
            column=missing[0],
            fix="give the table turns.csv of `wolves choices`, or one with these columns",
        )
    if frame.empty:
        raise WolvesError("the table contains no messages", where=where, fix="collect some games")
    other = np.flatnonzero(~frame["role"].isin(ROLES))
    if len(other):
        raise WolvesError(
            f"expected the role {' or '.join(ROLES)}, found {frame['role'].iloc[other[0]]!r}",
            where=where,
            line=int(other[0]) + 2,
            column="role",
            fix="write the speaker's role in this game",
        )
    filled = {name: value for name, value in _FILLED.items() if name not in frame}
    frame = frame.assign(**filled).reset_index(drop=True)
    for name in _NUMBERS:
        frame[name] = _number(frame[name], name, where)
    for name in ("flags", "menu", "arm", "rule", "announced", "group", "move"):
        frame[name] = frame[name].fillna("").astype(str)
    return Decisions(frame, where)


def _turns(observations: Observations) -> pd.DataFrame:
    """The table of turns, by its name or as the main one."""
    return observations.tables.get("turns", observations.rows)


def _number(column: pd.Series, name: str, where: str) -> pd.Series:
    found = pd.to_numeric(column.replace("", np.nan), errors="coerce")
    wrong = (found.isna() & column.replace("", np.nan).notna()) | np.isinf(found)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise WolvesError(
            f"expected a number in {name}, found {column.iloc[at]!r}",
            where=where,
            line=at + 2,
            column=name,
            fix="write digits, with a point before decimals, or nothing",
        )
    return found
