"""What survives of published improvement by feedback when games without a deal count.

    python benchmarks/bargaining_claims.py

Fu et al. (2023) report the mean price of deals over five rounds of feedback; a chain ended at its
first game without a deal. Shipped are the mean price, the deals and the games begun in every
round (`fu2023_published_rounds.csv`). The share of the pie (ask 20, bid 10) per game begun is
the share of a deal times the deals per game. Intervals hold the uncertainty of the deal rates
alone (Beta posteriors under Jeffreys' prior): no spread of prices was published.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from many_wolves.files import shipped

ASK, BID = 20.0, 10.0
DRAWS = 20_000


def rounds() -> pd.DataFrame:
    """The published rounds with share (of a deal), rate (deals per game), per_game (product)."""
    table = pd.read_csv(shipped("task-data/bargaining/reference/fu2023_published_rounds.csv"))
    seller = (table["mean_price"] - BID) / (ASK - BID)
    table["share"] = np.where(table["role"] == "seller", seller, 1 - seller)
    table["rate"] = table["deals"] / table["reached"]
    table["per_game"] = table["share"] * table["rate"]
    return table


def changes(table: pd.DataFrame, seed: int = 1) -> pd.DataFrame:
    """By engine and role, from the first round to the last: of a deal, and of a game begun."""
    rng = np.random.default_rng(seed)
    rows = []
    for (engine, role), own in table.groupby(["engine", "role"], sort=False):
        first, last = (
            own[own["round"] == 1].iloc[0],
            own[own["round"] == own["round"].max()].iloc[0],
        )
        ends = [
            r["share"] * rng.beta(r["deals"] + 0.5, r["reached"] - r["deals"] + 0.5, DRAWS)
            for r in (first, last)
        ]
        low, high = np.quantile(ends[1] - ends[0], [0.025, 0.975])
        verdict = "up" if low > 0 else "down" if high < 0 else "not told apart"
        rows.append(
            {
                "engine": engine,
                "role": role,
                "share of a deal": f"{first['share']:.2f} -> {last['share']:.2f}",
                "deals per game": f"{first['rate']:.2f} -> {last['rate']:.2f}",
                "share per game": f"{first['per_game']:.2f} -> {last['per_game']:.2f}",
                "change": last["per_game"] - first["per_game"],
                "low": low,
                "high": high,
                "verdict": verdict,
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Print every round, then the changes."""
    table = rounds()
    for name in ("share", "rate", "per_game"):
        wide = table.pivot_table(index=["engine", "role"], columns="round", values=name, sort=False)
        print(f"{name}:\n{wide.round(2).to_string()}\n")
    print(changes(table).round(2).to_string(index=False))


if __name__ == "__main__":
    main()
