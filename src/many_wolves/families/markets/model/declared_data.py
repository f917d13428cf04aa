"""Declarations as arrays: final ones, and first ones in pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.markets.model.parts import Array, Ints, given_rows, numbered, rows_of
from many_wolves.observations import Observations

FINAL_POINTS, FIRST_POINTS = 41, 21
"""Grid points of a final declaration, and of each declaration of a first pair."""
LOWEST, HIGHEST = 0.4, 1.3
"""The grid goes from .4 of the band's low end to 1.3 of its high end."""
COLUMNS = (
    "session", "round", "participant", "stage", "condition", "value", "declared", "low", "high",
    "tax", "given", "mechanism", "held", "buyer_share", "lead", "lead_sd", "buyers",
)  # fmt: skip
NO_DECLARATIONS = "fit a speaker that played an owner or the developer"


@dataclass(frozen=True)
class Declarations:
    """Declarations of one speaker.

    Parameters
    ----------
    participants
        Names of the participants (session and seat), (J,).
    who, value, low, high, tax, share, chosen
        Final declarations, (N,): participant, value and band in points, effective tax, buyers'
        share of the gap, and the chosen grid point from 0. The effective tax is the rate
        times one minus the seat's share of all tax shares.
    first_who, first_value, first_low, first_high, first_tax, first_share, first_chosen
        First declarations, (F,) and (F, 2): the last dimension is the condition.
    pivots
        Whether the declared sums choose the condition, (F,).
    lead, lead_sd
        Mean and standard deviation of the sum of the others' ``d1 - d0`` that their bands imply.
    taxes
        Tax rates on final declarations, before own shares flow back.
    outside
        Number of declarations outside the grid, which are left out.
    labels
        One label for each row: final ones, then first ones.
    rows, first_rows
        Their rows in the table, (N,) and (F, 2).
    """

    participants: tuple[str, ...]
    who: Ints
    value: Array
    low: Array
    high: Array
    tax: Array
    share: Array
    chosen: Ints
    first_who: Ints
    first_value: Array
    first_low: Array
    first_high: Array
    first_tax: Array
    first_share: Array
    first_chosen: Ints
    pivots: npt.NDArray[np.bool_]
    lead: Array
    lead_sd: Array
    taxes: tuple[float, ...]
    outside: int
    labels: tuple[str, ...]
    rows: Ints
    first_rows: Ints

    def markups(self) -> Array:
        """Declaration over value, less 1: of a first pair, the mean of both, (N + F,)."""
        final = declared(self.chosen, self.low, self.high, FINAL_POINTS) / self.value - 1
        points = declared(self.first_chosen, self.first_low, self.first_high, FIRST_POINTS)
        first = (points / self.first_value - 1).mean(axis=1)
        return np.concatenate([final, first])


def declared(chosen: Ints, low: Array, high: Array, points: int) -> Array:
    """Points of the grid in points of the game, in the shape of ``chosen``."""
    start, end = LOWEST * low, HIGHEST * high
    amounts: Array = start + (end - start) * chosen / (points - 1)
    return amounts


def nearest(amount: Array, low: Array, high: Array, points: int) -> Ints:
    """Nearest grid point; -1 outside the grid."""
    start, end = LOWEST * low, HIGHEST * high
    at = np.round((amount - start) / (end - start) * (points - 1)).astype(int)
    outside = (at < 0) | (at >= points)
    return np.where(outside, -1, at)


def read_declarations(observations: Observations, first: bool = True) -> Declarations:
    """Declarations that were given (no defaults), of one speaker.

    Parameters
    ----------
    observations
        With the table ``declarations``.
    first
        Whether first declarations are read too.

    Raises
    ------
    WolvesError
        If nobody declared, or a column is missing.
    """
    rows = rows_of(observations, "declarations", COLUMNS, missing=NO_DECLARATIONS)
    given = given_rows(rows)
    final_taxes = given.loc[given["stage"] == "final", "tax"]
    kept = np.where(given["stage"] == "final", 1 - given["held"], 1.0)
    given = given.assign(tax=given["tax"] * kept)
    participants, _ = numbered(given["who"])
    place = {name: n for n, name in enumerate(participants)}
    final, out_final = _finals(given, place)
    pairs, out_first = _pairs(given if first else given.iloc[:0], place)
    if not len(final["who"]) and not len(pairs["first_who"]):
        raise WolvesError(
            "expected declarations within the grid, found none",
            where=observations.where,
            fix=NO_DECLARATIONS,
        )
    labels = (*final.pop("labels"), *pairs.pop("labels"))
    return Declarations(
        participants,
        **final,
        **pairs,
        taxes=tuple(sorted(set(final_taxes.round(4)))),
        outside=out_final + out_first,
        labels=labels,
    )


def _finals(given: pd.DataFrame, place: Mapping[str, int]) -> tuple[dict[str, Any], int]:
    rows = given[given["stage"] == "final"]
    value, low, high = (rows[name].to_numpy(float) for name in ("value", "low", "high"))
    chosen = nearest(rows["declared"].to_numpy(float), low, high, FINAL_POINTS)
    kept = chosen >= 0
    rows, chosen = rows[kept], chosen[kept]
    return {
        "who": rows["who"].map(place).to_numpy(int),
        "value": value[kept],
        "low": low[kept],
        "high": high[kept],
        "tax": rows["tax"].to_numpy(float),
        "share": rows["buyer_share"].to_numpy(float),
        "chosen": chosen,
        "rows": rows["row"].to_numpy(int),
        "labels": [f"{w} | {r} | final" for w, r in zip(rows["who"], rows["round"], strict=True)],
    }, int((~kept).sum())


def _pairs(given: pd.DataFrame, place: Mapping[str, int]) -> tuple[dict[str, Any], int]:
    """First declarations: one row for each participant and round, both conditions."""
    rows = given[given["stage"] == "first"].sort_values(
        ["session", "round", "participant", "condition"], kind="stable"
    )
    keys = ["session", "round", "participant"]
    whole = rows.groupby(keys)["condition"].transform("size") == 2
    without = rows[whole & (rows["condition"] == "no_project")]
    project = rows[whole & (rows["condition"] == "project")]

    def both(name: str) -> Array:
        return np.stack([without[name].to_numpy(float), project[name].to_numpy(float)], axis=-1)

    low, high = both("low"), both("high")
    chosen = nearest(both("declared"), low, high, FIRST_POINTS)
    kept = (chosen >= 0).all(axis=1)
    named = without[kept]
    return {
        "first_who": named["who"].map(place).to_numpy(int),
        "first_value": both("value")[kept],
        "first_low": low[kept],
        "first_high": high[kept],
        "first_tax": named["tax"].to_numpy(float),
        "first_share": named["buyer_share"].to_numpy(float),
        "first_chosen": chosen[kept],
        "first_rows": both("row")[kept].astype(int),
        "pivots": (named["mechanism"] == "harberger").to_numpy(bool),
        "lead": named["lead"].to_numpy(float),
        "lead_sd": named["lead_sd"].to_numpy(float),
        "labels": [f"{w} | {r} | first" for w, r in zip(named["who"], named["round"], strict=True)],
    }, int((~kept).sum())


def with_declarations(observations: Observations, data: Declarations) -> Observations:
    """The table with the answers of ``data`` in the places that these came from."""
    frame = observations.tables["declarations"].copy()
    amounts = frame["declared"].to_numpy(float).copy()
    amounts[data.rows] = declared(data.chosen, data.low, data.high, FINAL_POINTS)
    first = declared(data.first_chosen, data.first_low, data.first_high, FIRST_POINTS)
    amounts[data.first_rows.reshape(-1)] = first.reshape(-1)
    return observations.having(declarations=frame.assign(declared=amounts))
