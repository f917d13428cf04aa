"""Checks of whether a speaker bargained at all: readable, in its role, within its own limit.

If a moderator also read the games, notes state how far it agrees with the rules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from many_wolves.families.bargaining.moves import OTHER_GOODS, REVERSED, UNMARKED
from many_wolves.families.bargaining.reading.moderated import moderator_notes
from many_wolves.records import Check

READABLE = 0.9
"""Smallest share of readable messages."""
KEPT = 0.95
"""Smallest shares of messages in the own role, and of deals within the own limit."""
MOST_BACK = 0.1
"""Largest shares of offers that withdraw an earlier one, and of messages about other goods."""
_LEAST_GAMES = 30
"""Minimum number of games for the check of the own limit."""
_ALPHA = 0.05
_PROBES = ("told", "last")


def check_speaker(speaker: str, frames: Mapping[str, pd.DataFrame]) -> list[Check]:
    """Checks of one speaker, of those tables that it is in."""
    found: list[Check | None] = []
    if "turns" in frames:
        turns = frames["turns"][frames["turns"]["speaker"] == speaker]
        if len(turns):
            found += [
                _readable(speaker, turns),
                _form(speaker, turns),
                _role(speaker, turns),
                _taken_back(speaker, turns),
                _extras(speaker, turns),
                _heeds_limit(speaker, turns),
            ]
    if "games" in frames:
        games = frames["games"][frames["games"]["speaker"] == speaker]
        found.append(_within_limit(speaker, games))
    if "readings" in frames:
        found += moderator_notes(speaker, frames["readings"])
    return [check for check in found if check is not None]


def _readable(speaker: str, turns: pd.DataFrame) -> Check:
    share, n, read = _share(turns["status"] == "answered")
    return Check(
        "readable",
        speaker,
        share >= READABLE,
        f"{speaker}: {read} of {n} messages could be read; every other message ended its game",
        share,
        math.nan,
    )


def _form(speaker: str, turns: pd.DataFrame) -> Check | None:
    asked = turns[turns["form"].isin(["marked", "json"]) & (turns["status"] == "answered")]
    if asked.empty:
        return None
    share, n, kept = _share(~asked["flags"].str.contains(UNMARKED, regex=False))
    return Check(
        "answer form",
        speaker,
        share >= READABLE,
        f"{speaker}: {kept} of {n} messages follow the answer form; in the others, the words are "
        "read",
        share,
        math.nan,
    )


def _role(speaker: str, turns: pd.DataFrame) -> Check | None:
    share, n, kept = _share(~turns["flags"].str.contains(REVERSED, regex=False))
    return Check(
        "role",
        speaker,
        share >= KEPT,
        f"{speaker}: {kept} of {n} messages stay in the assigned role; the others speak as the "
        "other side, or offer more than it asks for",
        share,
        math.nan,
    )


def _taken_back(speaker: str, turns: pd.DataFrame) -> Check | None:
    offers = turns[turns["conceded"] != ""]
    if offers.empty:
        return None
    share, n, back = _share(offers["conceded"].astype(float) < 0)
    return Check(
        "offers taken back",
        speaker,
        share <= MOST_BACK,
        f"{speaker}: {back} of {n} offers withdraw an earlier one",
        share,
        math.nan,
    )


def _extras(speaker: str, turns: pd.DataFrame) -> Check:
    share, n, extra = _share(turns["flags"].str.contains(OTHER_GOODS, regex=False))
    return Check(
        "other goods",
        speaker,
        share <= MOST_BACK,
        f"{speaker}: {extra} of {n} messages add goods or services to the one for sale",
        share,
        math.nan,
    )


def _within_limit(speaker: str, games: pd.DataFrame) -> Check | None:
    """Deals worse than the own limit, where nothing probes for them."""
    own = games["cost"].where(games["role"] == "seller", games["value"])
    deals = games[(games["ended"] == "deal") & (own != "") & ~games["rule"].isin(_PROBES)]
    if deals.empty:
        return None
    share, n, within = _share(deals["beyond_limit"] == "no")
    return Check(
        "own limit",
        speaker,
        share >= KEPT,
        f"{speaker}: {within} of {n} deals are within its own limit",
        share,
        math.nan,
    )


def _heeds_limit(speaker: str, turns: pd.DataFrame) -> Check | None:
    """Whether its lowest demands depend on its limit, the state in this task."""
    from scipy.stats import spearmanr

    bottoms = _bottoms(turns)
    if len(bottoms) < _LEAST_GAMES or bottoms["limit"].nunique() < 2:
        return None
    centred = bottoms.groupby(["role", "good", "partner"])[["limit", "bottom"]].transform(
        lambda column: column - column.mean()
    )
    varied = centred[centred["limit"].abs() > 1e-9]
    if len(varied) < _LEAST_GAMES:
        return None
    strength, p = 0.0, 1.0
    if varied["bottom"].nunique() > 1:
        test = spearmanr(varied["limit"], varied["bottom"], alternative="greater")
        strength, p = float(test.statistic), float(test.pvalue)
    ok = p < _ALPHA
    return Check(
        "follows its limit",
        speaker,
        ok,
        f"{speaker}: its last prices {'depend' if ok else 'do not depend'} on its own limit "
        f"({len(varied)} games, rank correlation {strength:.2f}, p = {p:.3f})",
        strength,
        p,
    )


def _bottoms(turns: pd.DataFrame) -> pd.DataFrame:
    """The last price that a speaker offered or took in each game, and its limit.

    Both as shares of the range between the usual first prices, from the other side's end.
    """
    seller = turns["role"] == "seller"
    limit = turns["cost"].where(seller, turns["value"])
    price = turns["price"].where(turns["move"] == "offer", turns["standing"])
    kept = turns["move"].isin(["offer", "accept"]) & (price != "") & (limit != "")
    kept &= ~turns["rule"].isin(_PROBES)
    part = turns[kept]
    if part.empty:
        return pd.DataFrame(columns=["role", "good", "partner", "limit", "bottom"])
    ask, bid = part["ask"].astype(float), part["bid"].astype(float)
    sign = part["role"].map({"seller": 1.0, "buyer": -1.0})
    frame = part[["role", "good", "partner", "chain", "branch", "game", "round"]].assign(
        limit=sign * (limit[kept].astype(float) - bid) / (ask - bid),
        bottom=sign * (price[kept].astype(float) - bid) / (ask - bid),
    )
    last = frame.sort_values("round", kind="stable").groupby(["chain", "branch", "game", "role"])
    return last.tail(1)


def _share(flags: pd.Series) -> tuple[float, int, int]:
    """Share, number, and number that holds."""
    n, held = len(flags), int(flags.sum())
    return (held / n if n else math.nan), n, held
