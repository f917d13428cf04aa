"""Rounds of repeated games: read, checked, and seen from the player's side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.levels import Levels
from many_wolves.observations import Observations
from many_wolves.tables import refuse_first

COLUMNS = ("group", "participant", "partner", "game", "round", "own", "other")
"""Columns of a table of rounds besides the speaker; ``count`` repeats a row."""
ANNOUNCED = "announced"
"""Value of the column ``length`` if players knew the number of rounds."""
MOVES = ("C", "D")
CONTEXTS = ("start", "CC", "CD", "DC", "DD")
"""Contexts: the first round, or own move and the other's in the previous round."""


@dataclass(frozen=True)
class Rounds:
    """Rounds in the order played.

    Parameters
    ----------
    frame
        COLUMNS, and ``context`` (an index into CONTEXTS) and ``last`` (the final round).
    levels
        Participants within groups.
    participant
        (rows,) index of each row's participant.
    """

    frame: pd.DataFrame
    levels: Levels
    participant: np.ndarray


def read_rounds(table: Observations) -> Rounds:
    """The rounds of one speaker.

    Raises
    ------
    WolvesError
        If a column is missing, a move is neither C nor D, or a game lacks a round.
    """
    where = str(table.meta.get("path", "the table of rounds"))
    frame = table.rows.reset_index(drop=True)
    missing = [c for c in COLUMNS if c not in frame]
    if missing:
        raise WolvesError(
            f"expected the columns {', '.join(COLUMNS)}; {', '.join(missing)} missing",
            where=where,
            column=missing[0],
            fix="give a table with one row per round, such as task-data/dilemmas/reference/"
            "phelps_dilemma_rounds.csv",
        )
    if frame.empty:
        raise WolvesError("the table contains no rounds", where=where, fix="collect some games")
    frame = frame.assign(
        group=frame["group"].fillna("").astype(str), participant=frame["participant"].astype(str)
    )
    frame["line"] = np.arange(len(frame)) + 2
    frame["round"] = _whole(frame["round"], where)
    frame["other"] = frame["other"].where(frame["other"] != "")
    _check_moves(frame, where)
    frame = frame.sort_values(["game", "round"], kind="stable").reset_index(drop=True)
    _check_order(frame, where)
    frame = _with_contexts(frame)
    pairs = list(zip(frame["group"], frame["participant"], strict=True))
    first = frame.sort_values("line")
    levels = Levels.of(list(zip(first["group"], first["participant"], strict=True)))
    index = {pair: number for number, pair in enumerate(levels.participants)}
    return Rounds(frame, levels, np.array([index[pair] for pair in pairs]))


def _whole(rounds: pd.Series, where: str) -> pd.Series:
    numbers = pd.to_numeric(rounds, errors="coerce")
    refuse_first(
        numbers.isna() | (numbers % 1 != 0),
        rounds,
        "the number of a round",
        where=where,
        fix="number the rounds of each game 1, 2, 3, ...",
    )
    return numbers.astype(int)


def _check_moves(frame: pd.DataFrame, where: str) -> None:
    """Refuse what is not a move; the other's may be missing in a game's last round."""
    for column in ("own", "other"):
        bad = ~frame[column].isin(MOVES)
        if column == "other":
            last = frame["round"] == frame.groupby("game")["round"].transform("max")
            bad &= ~(last & frame["other"].isna())
        refuse_first(
            bad,
            frame[column],
            "the move C or D",
            where=where,
            fix="write C for cooperation and D for defection. Leave out rounds without a move; "
            "only the other's move in a game's last round can be empty",
        )


def _check_order(frame: pd.DataFrame, where: str) -> None:
    """Rounds of a game count up from one, without a gap."""
    expected = frame.groupby("game", sort=False).cumcount() + 1
    bad = (frame["round"] != expected).to_numpy()
    if bad.any():
        row = frame.iloc[int(np.flatnonzero(bad)[0])]
        raise WolvesError(
            f"game {row['game']}: expected its round {expected[bad].iloc[0]}, found "
            f"round {row['round']}",
            where=where,
            line=int(row["line"]),
            column="round",
            fix="give every game its rounds 1, 2, 3, ..., each once; games of different "
            "players need different names",
        )


def _with_contexts(frame: pd.DataFrame) -> pd.DataFrame:
    before = frame.groupby("game", sort=False)[["own", "other"]].shift()
    words = (before["own"] + before["other"]).fillna(CONTEXTS[0])
    return frame.assign(
        context=words.map({c: i for i, c in enumerate(CONTEXTS)}).astype(int),
        last=(frame["round"] == _agreed(frame)) & (frame["round"] > 1),
    )


def _agreed(frame: pd.DataFrame) -> pd.Series:
    """The round that players knew to be the last; zero where they knew of none."""
    if "rounds" not in frame:
        # A game that is shorter than the longest broke off.
        return pd.Series(int(frame["round"].max()), index=frame.index)
    agreed = pd.to_numeric(frame["rounds"], errors="coerce").fillna(0)
    return agreed.where(frame["length"] == ANNOUNCED, 0) if "length" in frame else agreed


def replayed(table: Observations, frame: pd.DataFrame, own: np.ndarray) -> pd.DataFrame:
    """The table's rows with other moves of the player's own, in the order of ``frame``."""
    found = table.rows.reset_index(drop=True).copy()
    at = frame["line"].to_numpy() - 2
    moves = found["own"].to_numpy(dtype=object).copy()
    moves[at] = np.asarray(MOVES, dtype=object)[own]
    found["own"] = moves
    return found
