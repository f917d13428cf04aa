"""Tables of games in the forms in which others publish them, as rounds and replies.

Strategy-method tables have the least amount that a responder accepts. Full tables
of replies have a player's move after every history, and transitions a move after the last
two. Rates without counts cannot be fitted.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.store.foreign_csv import ForeignTable

NAMES: dict[str, tuple[str, ...]] = {
    "count": ("counts", "freq", "frequency"),
    "group": ("groups", "condition", "treatment"),
    "participant": ("participant_id", "subject", "subject_id", "player", "player_id", "worker_id"),
    "game": ("games", "match", "match_id", "supergame", "interaction"),
    "round": ("period", "round_number"),
    "own": (
        *("own_move", "own_choice", "own_action", "my_move", "my_choice"),
        *("move", "choice", "action", "decision", "coop", "cooperate", "cooperated"),
    ),
    "other": (
        *("other_move", "other_choice", "other_action", "others_move", "partner_move"),
        *("partner_choice", "opponent_move", "opponent_choice", "opponent_action"),
        *("other_coop", "other_cooperated", "partner_coop", "opponent_coop", "ocoop"),
    ),
    "endowment": ("stake", "pie", "budget"),
    "offer": ("offered", "amount_offered"),
    "accepted": ("accept", "response", "reply"),
    "least": ("mao", "least_accepted", "minimum_accepted", "min_accept"),
}
"""Column -> its names in other software."""
NUMBERS = ("count", "given", "give", "offer", "least", "endowment", "round", "rounds")
"""Numeric columns; entries may be missing."""
MOVES: dict[str, tuple[str, ...]] = {
    "C": ("cooperate", "cooperates", "cooperated", "cooperation", "coop"),
    "D": ("defect", "defects", "defected", "defection"),
}
REPLIES: dict[str, float] = {
    **dict.fromkeys(("accept", "accepts", "accepted", "true", "yes", "1", "1.0"), 1.0),
    **dict.fromkeys(("reject", "rejects", "rejected", "false", "no", "0", "0.0"), 0.0),
}
COOPERATIONS = {form: "CD"[reply == 0.0] for form, reply in REPLIES.items()}
"""Entries of a column that says whether a player cooperated."""
RATES = ("rate", "cooperation", "fraction", "share", "percent", "percentage", "proportion")
COUNTED = frozenset({"count", "own", "given", "give", "offer", "accepted", "served"})
"""Columns that hold choices, so that a column called ``share`` is a condition."""
OFFERS = 20
"""Steps of the stake at which a least accepted amount is read as a reply."""
REPLY_TABLE_NOTE = (
    "The table gives a move after every history of the other's moves: each history counts once, "
    "whatever its probability."
)
LEAST_NOTE = (
    "Least accepted amounts were read as replies to offers at every twentieth of the stake. One "
    "stated amount counts as one reply, spread over these offers, so intervals are "
    "conservative."
)


def as_rows(table: ForeignTable) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rows of rounds, gifts, offers or replies, and notes on them.

    Raises
    ------
    WolvesError
        If an entry is not what its column holds, or the table has rates without counts.
    """
    named = table.renamed(NAMES)
    columns = set(named.columns)
    frame = typed(named, _cooperations(table, named))
    notes = named.notes
    if {"own_before", "other_before", "own"} <= columns:
        return rounds_of_transitions(frame, named), notes
    if {"others_moves", "own"} <= columns:
        return rounds_of_reply_table(frame, named), (*notes, REPLY_TABLE_NOTE)
    if "least" in columns and "offer" not in columns:
        return replies_of_least(frame, named), (*notes, LEAST_NOTE)
    refuse_rates(named)
    if {"own", "other", "round"} <= columns:
        frame, told = told_apart(frame, named)
        notes = (*notes, *told)
    return frame, notes


def _cooperations(table: ForeignTable, named: ForeignTable) -> frozenset[str]:
    """Columns of moves that say by their name that one, or TRUE, is cooperation."""
    pairs = zip(table.columns, named.columns, strict=True)
    return frozenset(new for old, new in pairs if "coop" in old.casefold())


def told_apart(frame: pd.DataFrame, table: ForeignTable) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rounds with every column that identifies them, and one number for each game.

    Parameters
    ----------
    frame
        own, other and round; group, participant, partner and game where the table has them.

    Returns
    -------
    tuple
        The rounds, and notes. A table without ``game`` has one game for each player and partner.
        Games that several players number alike get a number for each player.

    Raises
    ------
    WolvesError
        If a player has a round twice, and no column tells the games apart.
    """
    given = [c for c in ("group", "participant", "partner") if c in frame]
    lacking = [c for c in ("group", "participant", "partner", "game") if c not in frame]
    found = frame.assign(
        group=frame.get("group", ""),
        participant=frame.get("participant", "1"),
        partner=frame.get("partner", ""),
    )
    who = [c for c in ("speaker", "model") if c in found] + ["group", "participant", "partner"]
    by = [*who, "game"] if "game" in found else who
    twice = found.duplicated([*by, "round"]) & found["round"].notna()
    if "game" not in found and twice.any():
        raise WolvesError(
            f"the table has a round twice for one player, and no column that tells games apart "
            f"(found {', '.join(table.columns)})",
            where=table.where,
            line=table.lines[int(twice.to_numpy().argmax())],
            column="game",
            fix="add a column game with the number of the game in each row",
        )
    notes = []
    if lacking:
        whose = f"by {' and '.join(given)}" if given else "as one player's"
        notes.append(f"Games are identified {whose}; the table has no {' or '.join(lacking)}.")
    if "game" not in found or (not twice.any() and found.duplicated(["game", "round"]).any()):
        found["game"] = found.groupby(by, sort=False, dropna=False).ngroup()
    return found, tuple(notes)


def typed(table: ForeignTable, cooperations: Collection[str] = ()) -> pd.DataFrame:
    """The table with numbers as numbers and moves as C and D; names stay as they are.

    Parameters
    ----------
    cooperations
        Columns of moves in which one, TRUE and yes are cooperation.
    """
    frame = table.frame.copy()
    for column in NUMBERS:
        if column in frame:
            frame[column] = table.numbers(column, missing=True)
    forms = {form: move for move, words in MOVES.items() for form in (move.casefold(), *words)}
    for column in ("own", "other", "own_before", "other_before"):
        if column in frame:
            read = forms | (COOPERATIONS if column in cooperations else {})
            frame[column] = [read.get(entry.casefold(), entry) for entry in frame[column]]
    if "accepted" in frame:
        frame["accepted"] = [
            np.nan if entry == "" else REPLIES.get(entry.casefold(), entry)
            for entry in frame["accepted"]
        ]
    if "game" in frame and all(_is_number(entry) for entry in frame["game"]):
        frame["game"] = frame["game"].astype(int)
    return frame


def rounds_of_transitions(frame: pd.DataFrame, table: ForeignTable) -> pd.DataFrame:
    """Two rounds for each kind of transition: what went before, and the move after it.

    Parameters
    ----------
    frame
        own_before, other_before, own and count; with ``round`` 2, what went before was
        the opening and counts as one.

    Returns
    -------
    pandas.DataFrame
        Rounds; the other's last move is empty, and a first round that did not open the game has
        the count 0.

    Raises
    ------
    WolvesError
        If the count is missing, or a move is neither C nor D.
    """
    _require(table, "count")
    for column in ("own_before", "other_before", "own"):
        _refuse_moves(frame[column], table, column)
    kept = frame[frame["count"] > 0].reset_index(drop=True)
    kept = kept.assign(game=np.arange(len(kept)))
    opened = kept["round"] == 2 if "round" in kept else pd.Series(False, index=kept.index)
    base = _identified(kept, table)
    before = base.assign(
        round=1,
        own=kept["own_before"],
        other=kept["other_before"],
        count=kept["count"].where(opened, 0.0),
    )
    after = base.assign(round=2, own=kept["own"], other="", count=kept["count"])
    rows = pd.concat([before, after]).sort_values(["game", "round"], kind="stable")
    # Nobody knew the second round to be the last.
    return rows.reset_index(drop=True).assign(rounds=0)


def rounds_of_reply_table(frame: pd.DataFrame, table: ForeignTable) -> pd.DataFrame:
    """The games that a full table of replies holds, each decision counted once.

    Parameters
    ----------
    frame
        For each player (``model``): ``others_moves``, the other's moves so far as a word of C
        and D, and ``own``, the move after them.

    Returns
    -------
    pandas.DataFrame
        One game for each longest history; a decision that several games share has its
        part of the count in each. The other's last move is empty.

    Raises
    ------
    WolvesError
        If a history has no move, or two.
    """
    _refuse_moves(frame["own"], table, "own")
    players = frame["model"] if "model" in frame else pd.Series("", index=frame.index)
    parts = []
    for player in dict.fromkeys(players):
        rows = frame[players == player]
        replies = _replies(rows, table)
        longest = max(map(len, replies))
        histories = [h for h in replies if len(h) == longest]
        for game, history in enumerate(histories):
            own = [replies[history[:r]] for r in range(longest + 1)]
            parts.append(
                pd.DataFrame(
                    {
                        "model": player,
                        "game": game,
                        "round": range(1, longest + 2),
                        "own": own,
                        "other": [*history, ""],
                        "count": [2.0 ** (r - longest) for r in range(longest + 1)],
                    }
                )
            )
    rounds = pd.concat(parts, ignore_index=True)
    identified = _identified(rounds, table)
    return identified.assign(**rounds[["round", "own", "other", "count"]], rounds=0)


def replies_of_least(frame: pd.DataFrame, table: ForeignTable) -> pd.DataFrame:
    """Replies to offers from least accepted amounts (strategy method).

    Parameters
    ----------
    frame
        endowment, ``least`` and count, one row for each amount.

    Returns
    -------
    pandas.DataFrame
        Replies to offers of 0, 1/20, 2/20, ... of the stake, each with its share of the count.
        So a person's statement adds up to one reply.

    Raises
    ------
    WolvesError
        If an amount lies outside the stake.
    """
    _require(table, "endowment")
    count = frame["count"] if "count" in frame else pd.Series(1.0, index=frame.index)
    over = (frame["least"] > frame["endowment"]) | frame["least"].isna()
    if over.any():
        at = int(over.to_numpy().argmax())
        raise WolvesError(
            f"expected an amount within the stake of {frame['endowment'].iloc[at]:g}, found "
            f"{table.text('least')[at]!r}",
            where=table.where,
            line=table.lines[at],
            column="least",
            fix="correct the amount, or the column endowment",
        )
    steps = np.arange(OFFERS + 1) / OFFERS
    rows = frame.loc[frame.index.repeat(len(steps))].reset_index(drop=True)
    offer = rows["endowment"].to_numpy() * np.tile(steps, len(frame))
    shared = np.repeat(count.to_numpy(dtype=float), len(steps)) / len(steps)
    accepted = (offer >= rows["least"].to_numpy() - 1e-9).astype(float)
    replies = rows.drop(columns=["least", "count"], errors="ignore").assign(
        role="responder", offer=offer, accepted=accepted, count=shared
    )
    keys = [c for c in replies.columns if c != "count"]
    summed: pd.DataFrame = (
        replies.groupby(keys, sort=False, dropna=False)["count"].sum().reset_index()
    )
    return summed


def refuse_rates(table: ForeignTable) -> None:
    """Refuse rates without counts, which are for figures.

    Raises
    ------
    WolvesError
        If the table has a column of rates, and neither counts nor moves.
    """
    columns = {column.casefold(): column for column in table.columns}
    rate = next((name for word, name in columns.items() if word in RATES), None)
    rate = rate or next((n for w, n in columns.items() if w.endswith(RATES)), None)
    if rate is None or COUNTED & set(columns):
        return
    raise WolvesError(
        f"the table gives rates ({rate}) without the number of choices; a fit needs counts",
        where=table.where,
        line=1,
        column=rate,
        fix="add the column count; rates alone can only be shown in figures",
    )


def _replies(rows: pd.DataFrame, table: ForeignTable) -> dict[str, str]:
    """History of the other's moves -> own move; every beginning of a history is there."""
    found: dict[str, str] = {}
    for at, history, own in zip(rows.index, rows["others_moves"], rows["own"], strict=True):
        before = "".join(c for c in history.upper() if c in "CD")
        if before in found:
            raise WolvesError(
                f"the history {before or 'before the first move'!r} has two moves",
                where=table.where,
                line=table.lines[at],
                column="others_moves",
                fix="keep one row for each history",
            )
        found[before] = own
    missing = {h[:k] for h in found for k in range(len(h))} - set(found)
    if missing:
        raise WolvesError(
            f"the history {min(missing, key=len) or 'before the first move'!r} has no move, and "
            "longer ones have",
            where=table.where,
            column="others_moves",
            fix="give a move after every history, the empty one included",
        )
    return found


def _identified(rows: pd.DataFrame, table: ForeignTable) -> pd.DataFrame:
    """model (if there is one), group, participant, partner and game of each row."""
    found = rows[["model"]] if "model" in rows else pd.DataFrame(index=rows.index)
    return found.assign(
        group=rows.get("group", ""),
        participant=rows.get("participant", "1"),
        partner=rows.get("partner", ""),
        game=rows["game"],
    )


def _refuse_moves(moves: pd.Series, table: ForeignTable, column: str) -> None:
    bad = ~moves.isin(list(MOVES)).to_numpy()
    if bad.any():
        at = int(bad.argmax())
        raise WolvesError(
            f"expected the move C or D, found {table.text(column)[at]!r}",
            where=table.where,
            line=table.lines[at],
            column=column,
            fix="write C or D",
        )


def _require(table: ForeignTable, column: str) -> None:
    table.require(column, example="docs/explanation/game-models.md lists all columns")


def _is_number(entry: str) -> bool:
    return entry.isascii() and entry.isdigit() and str(int(entry)) == entry
