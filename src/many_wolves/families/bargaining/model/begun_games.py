"""The games that ``outcomes`` describes, from the table of games."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Observations
from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.model.effects import Covariates, arm_columns, role_column
from many_wolves.families.bargaining.model.levels import Levels
from many_wolves.families.bargaining.model.shared import Index
from many_wolves.families.bargaining.simulation import outcomes as words
from many_wolves.outcomes import Array

_NEEDED = ("speaker", "role", "chain", "game", "ask", "bid", "step", "rounds", "ended", "price",
           "last_round")  # fmt: skip
_FILLED: dict[str, Any] = {
    "group": "", "participant": 1, "partner": "", "arm": "none", "branch": 0, "cost": np.nan,
    "value": np.nan, "rule": "", "seat": "speaker",
}  # fmt: skip


@dataclass(frozen=True)
class Games:
    """Games that are fitted.

    Parameters
    ----------
    frame
        The rows.
    at
        What is known of each before it is played.
    last, ended
        (N,) last round; 0 deal, 1 left, 2 cut.
    share
        (N,) share of the deal; NaN without one.
    covariates
        Design matrix.
    levels
        Groups, role prompts, chains.
    partners, partner
        Names of partners, and that of each game.
    skipped
        How many games had no place in the model, by reason.
    where
        The file.
    outside
        How many deals lie outside the range of shares, and count to its outermost steps.
    """

    frame: pd.DataFrame
    at: words.Ends
    last: Index
    ended: Index
    share: Array
    covariates: Covariates
    levels: Levels
    partners: tuple[str, ...]
    partner: Index
    skipped: Mapping[str, int]
    where: str
    outside: int = 0

    @property
    def as_words(self) -> Index:
        """(N,) how games ended, as the simulator counts: 1 deal, 0 left, -1 cut."""
        return np.array([1, 0, -1])[self.ended]


def read_games(observations: Observations, *, arms: bool = True) -> Games:
    """The games of one speaker; of a game with itself, its first seat.

    Raises
    ------
    WolvesError
        If the table of games or one of its columns is missing.
    """
    frame = observations.tables.get("games")
    where = observations.where
    if frame is None:
        raise WolvesError(
            "expected the table games, found none",
            where=where,
            fix="give the folder of `wolves choices`, or games.csv",
        )
    missing = [name for name in _NEEDED if name not in frame]
    if missing:
        raise WolvesError(
            f"expected the columns {', '.join(_NEEDED)}; {', '.join(missing)} missing",
            where=where,
            column=missing[0],
            fix="give games.csv of `wolves choices`, or a table with these columns",
        )
    frame = frame.assign(**{k: v for k, v in _FILLED.items() if k not in frame})
    for name in ("cost", "value", "ask", "bid", "step", "price"):
        frame[name] = pd.to_numeric(frame[name].replace("", np.nan), errors="coerce")
    skipped: dict[str, int] = {}
    kept = _kept(frame, skipped)
    frame = frame[kept].reset_index(drop=True)
    if frame.empty:
        raise WolvesError("the table contains no games", where=where, fix="collect some games")
    return _games(frame, skipped, where, arms=arms)


def _kept(frame: pd.DataFrame, skipped: dict[str, int]) -> Any:
    """Which rows are fitted."""
    probes = frame["rule"].isin(["told", "last"])
    unfinished = frame["ended"] == "unfinished"
    keys = ["chain", "branch", "game"]
    # Where a speaker meets itself, both seats have a row of one and the same game.
    own = frame["partner"].astype(str) == frame["speaker"].astype(str)
    twice = own & frame.duplicated(keys)
    skipped["probes"] = int(probes.sum())
    skipped["not finished"] = int((unfinished & ~probes).sum())
    skipped["the same game from the other seat"] = int((twice & ~probes & ~unfinished).sum())
    return ~(probes | unfinished | twice)


def _games(frame: pd.DataFrame, skipped: dict[str, int], where: str, *, arms: bool) -> Games:
    seller = (frame["role"] == "seller").to_numpy()
    known = frame[["cost", "value"]].notna().all(axis=1)
    low = np.where(known, frame["cost"], frame["bid"]).astype(float)
    high = np.where(known, frame["value"], frame["ask"]).astype(float)

    def share(price: pd.Series) -> Array:
        found: Array = (price.to_numpy(dtype=float) - low) / (high - low)
        return np.where(seller, found, 1 - found)

    step = frame["step"].to_numpy(dtype=float) / (high - low)
    half = np.full(len(frame), 0.5)
    bid, ask = share(frame["bid"]), share(frame["ask"])
    # In own terms, so that giving in means the same in both roles.
    atoms = np.column_stack([half, np.where(seller, bid, ask), np.where(seller, ask, bid)])
    for column in (1, 2):
        outside = (atoms[:, column] <= words.LOW) | (atoms[:, column] >= words.HIGH)
        atoms[outside | (np.abs(atoms[:, column] - 0.5) < step), column] = np.nan
    columns = {"seller": role_column(frame["role"])}
    columns |= arm_columns(frame) if arms else {}
    covariates = Covariates.of(columns)
    rounds = frame["rounds"].astype(int).to_numpy()
    last = np.clip(frame["last_round"].astype(int).to_numpy(), 1, None)
    ended = np.select([frame["ended"] == "deal", frame["ended"] == "walked"], [0, 1], 2)
    partners = tuple(dict.fromkeys(frame["partner"].astype(str)))
    reached = np.where(ended == 0, share(frame["price"]), np.nan)
    # The bid is a price that a side has named, so it is on the grid.
    origin = np.where(np.isfinite(bid), bid, half)
    ends = words.Ends(covariates.matrix, np.maximum(rounds, last), step, origin, atoms)
    return Games(
        frame=frame,
        at=ends,
        last=last.astype(np.int64),
        ended=ended.astype(np.int64),
        share=ends.within(reached),
        covariates=covariates,
        levels=Levels.of(frame),
        partners=partners,
        partner=np.array([partners.index(str(p)) for p in frame["partner"]], dtype=np.int64),
        skipped=skipped,
        where=where,
        outside=int(((reached < words.LOW) | (reached > words.HIGH)).sum()),
    )
