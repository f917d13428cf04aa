"""Measures of sessions: markups, turnover, efficiency, prices, payoffs and their inequality.

Every measure takes tables in the columns of ``model.sessions.KEPT``, so that the speaker's
sessions and those of scripted players go through the same code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t as student

EQUAL = 0.01
"""A declaration this close to the value, as a share of it, is counted as truthful."""
FEW_SESSIONS = 3
"""An interval needs so many sessions: rounds of one session depend on each other."""
BINS = (-np.inf, 0.0, 0.25, 0.5, 0.75, 1.0, np.inf)
"""Ends of the classes of a declaration's percentile in its band."""

Tables = Mapping[str, pd.DataFrame]


def gini(values: npt.ArrayLike) -> float:
    """Gini coefficient: mean absolute difference over twice the mean.

    NaN if a value is negative or all are 0, because the coefficient is undefined then.
    """
    x = np.sort(np.asarray(values, dtype=float))
    if not x.size or x[0] < 0 or x.sum() == 0:
        return float("nan")
    n = x.size
    ranks = np.arange(1, n + 1)
    return float((2 * ranks - n - 1) @ x / (n * x.sum()))


def mean_over_sessions(frame: pd.DataFrame, column: str) -> tuple[float, float, float]:
    """Mean of the sessions' means with its 95 % t interval; NaN ends with few sessions."""
    means = frame.groupby("session")[column].mean().to_numpy(float)
    n = means.size
    middle = float(means.mean()) if n else float("nan")
    if n < FEW_SESSIONS:
        return middle, float("nan"), float("nan")
    half = float(student.ppf(0.975, n - 1) * means.std(ddof=1) / np.sqrt(n))
    return middle, middle - half, middle + half


def final_declarations(tables: Tables) -> pd.DataFrame:
    """Final declarations with markup, percentile, whether bought, and the truthful rate."""
    frame = tables.get("declarations", pd.DataFrame(columns=["stage"]))
    final = frame[frame["stage"] == "final"]
    if not len(final):
        return final
    return with_markups(final).assign(
        percentile=(final["declared"] - final["low"]) / (final["high"] - final["low"]),
        bought=(final["buyers"] > 0).astype(float),
        truthful=final["tax"] * (1 - final["held"]) / final["buyer_share"],
    )


def with_markups(frame: pd.DataFrame) -> pd.DataFrame:
    """Declarations with the markup: declared over true value, less 1."""
    return frame.assign(markup=frame["declared"] / frame["value"] - 1)


def markups(tables: Tables) -> pd.DataFrame:
    """Markups by stage, role and tax: role, stage, tax, n, mean, low, high, over, under."""
    frame = tables.get("declarations", pd.DataFrame())
    if not len(frame):
        return frame
    rows = []
    for (stage, role, tax), part in with_markups(frame).groupby(["stage", "role", "tax"]):
        mean, low, high = mean_over_sessions(part, "markup")
        rows.append(
            {
                "stage": stage,
                "role": role,
                "tax": tax,
                "n": len(part),
                "mean": mean,
                "low": low,
                "high": high,
                "over": float((part["markup"] > EQUAL).mean()),
                "under": float((part["markup"] < -EQUAL).mean()),
            }
        )
    return pd.DataFrame(rows)


def turnover(tables: Tables) -> pd.DataFrame:
    """Share of lots bought finally, by role and class of percentile.

    Columns: role, percentile (mean of the class), bought, n, truthful (the rate that keeps
    declarations true).
    """
    final = final_declarations(tables)
    if not len(final):
        return final
    classes = pd.cut(final["percentile"], list(BINS), labels=False)
    grouped = final.assign(bin=classes).groupby(["role", "bin"], as_index=False)
    return grouped.agg(
        percentile=("percentile", "mean"),
        bought=("bought", "mean"),
        n=("bought", "size"),
        truthful=("truthful", "mean"),
    )


def rounds(tables: Tables) -> pd.DataFrame:
    """Rounds: session, round, efficiency, and whether the better condition was chosen."""
    frame = tables.get("payoffs", pd.DataFrame())
    if not len(frame):
        return frame
    each = frame.drop_duplicates(["session", "round"])[["session", "round", "efficiency"]]
    return each.assign(right=(each["efficiency"] > 1 - 1e-9).astype(float))


def price_paths(tables: Tables) -> pd.DataFrame:
    """Trades: session, round, number, and price over what a share paid in the end (``ratio``)."""
    frame = tables.get("trades", pd.DataFrame())
    if not len(frame):
        return frame
    paid = frame[frame["share_price"] > 0]
    return paid.assign(ratio=paid["price"] / paid["share_price"]).sort_values(
        ["session", "round", "number"]
    )


def payoffs(tables: Tables, roles: Sequence[str]) -> pd.DataFrame:
    """Euro by role, and by all: role, n, mean, low, high, gini.

    The Gini coefficient is over participants, each with its mean over the rounds.
    """
    frame = tables.get("payoffs", pd.DataFrame())
    rows = []
    for role in (*roles, "all"):
        part = frame if role == "all" else frame[frame["role"] == role] if len(frame) else frame
        if not len(part):
            continue
        mean, low, high = mean_over_sessions(part, "euro")
        each = part.groupby(["session", "participant"])["euro"].mean()
        rows.append(
            {"role": role, "n": len(each), "mean": mean, "low": low, "high": high,
             "gini": gini(each)}
        )  # fmt: skip
    return pd.DataFrame(rows)
