"""Sessions as arrays that a fit stores next to its draws, for reports."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.families.markets.model.parts import Array
from many_wolves.families.markets.rules.actions import CONDITION_WORDS
from many_wolves.families.markets.rules.parameters import MECHANISMS, ROLES
from many_wolves.observations import Observations

KEPT: Mapping[str, tuple[str, ...]] = {
    "declarations": (
        "session", "round", "role", "stage", "condition", "mechanism", "value", "declared", "low",
        "high", "tax", "held", "buyer_share", "buyers", "chosen",
    ),
    "trades": ("session", "round", "condition", "number", "price", "share_price"),
    "payoffs": ("session", "round", "participant", "role", "efficiency", "payoff", "euro"),
}  # fmt: skip
"""Columns of the tables that a fit keeps."""
WORDS: Mapping[str, Sequence[str]] = {
    "role": ROLES,
    "stage": ("first", "final"),
    "condition": CONDITION_WORDS,
    "mechanism": MECHANISMS,
}
"""Columns of words, which are kept as numbers, from 0."""

Observed = dict[str, tuple[tuple[str, ...], Array]]


def kept_sessions(observations: Observations) -> tuple[dict[str, Sequence[Any]], Observed]:
    """Coordinates and observed variables of a fit: tables of the speaker's sessions.

    Sessions are numbered from 0. The coordinate ``rules`` holds the rules as JSON, if
    the tables name them.
    """
    payoffs = observations.rows
    names = list(dict.fromkeys(map(str, payoffs["session"]))) if "session" in payoffs else []
    place = {name: number for number, name in enumerate(names)}
    coords: dict[str, Sequence[Any]] = {}
    observed: Observed = {}
    for name, columns in KEPT.items():
        frame = observations.tables.get(name, pd.DataFrame())
        if name == "trades" and len(frame):
            frame = _with_worth(frame, payoffs)
        if not len(frame) or not set(columns) <= set(frame.columns):
            continue
        own = frame[frame["session"].astype(str).isin(place)]
        values = [_numbers(own[column], column, place) for column in columns]
        coords |= {f"{name}_row": range(len(own)), f"{name}_column": columns}
        observed[name] = ((f"{name}_row", f"{name}_column"), np.stack(values, axis=-1))
    rules = observations.meta.get("rules", ())
    if rules:
        coords["rules"] = [json.dumps(one["rules"], sort_keys=True) for one in rules]
        sessions = np.array([float(one["sessions"]) for one in rules])
        observed["sessions"] = (("rules",), sessions)
    return coords, observed


def _with_worth(trades: pd.DataFrame, payoffs: pd.DataFrame) -> pd.DataFrame:
    """Trades of the chosen condition, with what a share paid in the end."""
    keys = ["session", "round", "condition"]
    worth = payoffs[[*keys, "share_price"]].drop_duplicates(keys)
    return trades.merge(worth, on=keys)


def _numbers(column: pd.Series, name: str, place: Mapping[str, int]) -> Array:
    if name == "session":
        return np.array([place[str(session)] for session in column], float)
    if name in WORDS:
        codes = {word: number for number, word in enumerate(WORDS[name])}
        return np.array([codes.get(word, np.nan) for word in column], float)
    return np.asarray(pd.to_numeric(column), float)
