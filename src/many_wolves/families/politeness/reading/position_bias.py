"""Positions of options: the table ``placed`` and its arrays.

Columns: speaker, goal, framing, state, order (a number for each order in which the
options were shown), utterance, place (from 1), count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.reading.validate import require_columns, require_numbers
from many_wolves.observations import Observations

COLUMNS = ("goal", "state", "order", "utterance", "place", "count")


@dataclass(frozen=True)
class Placed:
    """Choices by the order in which the options were shown.

    Parameters
    ----------
    orders
        Labels of the orders.
    place
        (O, U) place of each option in each order, from zero.
    counts
        (O, C, U, S) choices.
    """

    orders: tuple[Any, ...]
    place: npt.NDArray[np.int64]
    counts: Array

    def data(self) -> dict[str, Any]:
        """Stan data; places count from one there."""
        return {
            "O": len(self.orders),
            "place": (self.place + 1).tolist() if self.orders else self.place,
            "placed": self.counts.tolist() if self.orders else self.counts,
            "placed_total": np.rint(self.counts.sum(axis=2)).astype(int).tolist()
            if self.orders
            else np.zeros((0, *self.counts.shape[1:2], *self.counts.shape[3:]), dtype=int),
        }


def no_orders(conditions: int, utterances: int, states: int) -> Placed:
    """Placeholder for the orders without a position bias."""
    return Placed(
        (),
        np.zeros((0, utterances), dtype=np.int64),
        np.zeros((0, conditions, utterances, states)),
    )


def read_placed(
    table: Observations,
    conditions: Sequence[str],
    utterances: Sequence[str],
    states: Sequence[int],
    where: str,
) -> Placed:
    """The choices of a table by order.

    Parameters
    ----------
    table
        Observations of one speaker, with the further table ``placed``.
    conditions, utterances, states
        Labels of the axes of the fit.
    where
        File of the table, for messages.

    Raises
    ------
    WolvesError
        If the table does not record positions, an order lacks an option, or the counts differ from
        those of ``counts.csv``.
    """
    placed = table.aside.get("placed")
    if placed is None or not len(placed):
        raise WolvesError(
            "this table does not record the position of each option",
            where=where,
            fix="make it again with `wolves choices`, which writes placed.csv; "
            "or leave --position-bias out",
        )
    require_columns(placed, COLUMNS, where)
    require_numbers(placed, ("state", "place", "count"), where, whole=("state", "place"))
    frame = placed.assign(condition=_conditions(placed, conditions))
    frame = frame[frame["condition"].isin(conditions)]
    orders = tuple(dict.fromkeys(frame["order"]))
    place = _places(frame, orders, utterances, where)
    index = pd.MultiIndex.from_product([orders, conditions, utterances, states])
    keys = ["order", "condition", "utterance", "state"]
    summed = frame.groupby(keys)["count"].sum().reindex(index, fill_value=0.0)
    shape = (len(orders), len(conditions), len(utterances), len(states))
    return Placed(orders, place, summed.to_numpy(dtype=float).reshape(shape))


def check_same(placed: Placed, counts: Array, where: str) -> None:
    """Reject choices by order that do not add up to the counts (C, U, S)."""
    if not np.allclose(placed.counts.sum(axis=0), counts, rtol=1e-6, atol=1e-6):
        raise WolvesError(
            f"the choices by position add up to {placed.counts.sum():g}, those in counts.csv to "
            f"{counts.sum():g}, or they differ in a cell",
            where=where,
            column="count",
            fix="make both again with `wolves choices`, or leave --position-bias out",
        )


def _conditions(placed: pd.DataFrame, conditions: Sequence[str]) -> pd.Series[str]:
    goals = placed["goal"].astype(str)
    framed = "framing" in placed and any("/" in condition for condition in conditions)
    return goals + "/" + placed["framing"].astype(str) if framed else goals


def _places(
    frame: pd.DataFrame, orders: Sequence[Any], utterances: Sequence[str], where: str
) -> npt.NDArray[np.int64]:
    """(O, U) places from zero; every order must show every option once."""
    listed = frame[["order", "utterance", "place"]].drop_duplicates()
    for order, part in listed.groupby("order", sort=False):
        shown = sorted(part["utterance"]) == sorted(utterances)
        if not shown or sorted(part["place"]) != list(range(1, len(utterances) + 1)):
            raise WolvesError(
                f"order {order} does not show each of the {len(utterances)} options in a "
                "separate place",
                where=where,
                column="place",
                fix="position bias needs the same options in every trial; "
                "make the table again with `wolves choices`, or leave --position-bias out",
            )
    table = listed.set_index(["order", "utterance"])["place"]
    found: npt.NDArray[np.int64] = np.array(
        [[int(table[order, u]) - 1 for u in utterances] for order in orders], dtype=np.int64
    )
    return found
