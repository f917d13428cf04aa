"""Objectives of rules: efficiency, revenue, welfare, and the worst case over exploiters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t as student

from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.simulation.agents import Agent
from many_wolves.families.markets.simulation.play import Cast, play_session, seat_players

Array = npt.NDArray[np.float64]
Values = Mapping[str, Array]
"""Objective -> its value in each session."""
Exploiters = Mapping[str, tuple[str, Agent]]
"""Name -> role whose first seat it takes, and the player."""
WORST = "worst_case"


class Estimate(NamedTuple):
    """Mean over sessions, and its 95 % t interval."""

    mean: float
    low: float
    high: float


def estimate(values: npt.ArrayLike) -> Estimate:
    """Mean over sessions with its interval, which has no bounds for one session."""
    x = np.asarray(values, float)
    if x.size < 2:
        return Estimate(float(x.mean()) if x.size else np.nan, np.nan, np.nan)
    half = student.ppf(0.975, x.size - 1) * x.std(ddof=1) / np.sqrt(x.size)
    return Estimate(float(x.mean()), float(x.mean() - half), float(x.mean() + half))


def welfare(payoffs: npt.ArrayLike) -> float:
    """Mean payoff, weighted by equality: ``mean (1 - Gini)``, in points.

    It is the mean of the lower of two payoffs over all pairs of seats, so it is defined for
    negative payoffs as well.

    References
    ----------
    Sen, A. (1976). Real national income. *Review of Economic Studies, 43*(1), 19-39.
    """
    x = np.sort(np.asarray(payoffs, float))
    weights = 2 * np.arange(x.size, 0, -1) - 1
    return float(weights @ x / x.size**2)


def of_session(session: Session) -> dict[str, float]:
    """Efficiency, revenue (all taxes) and welfare, as means over the paid rounds."""
    rounds = [r for r in session.rounds if r.number > 0]
    taxes = [sum(a.first_tax + a.final_tax for a in r.accounts.values()) for r in rounds]
    return {
        "efficiency": float(np.mean([r.efficiency for r in rounds])),
        "revenue": float(np.mean(taxes)),
        "welfare": float(
            np.mean([welfare([a.payoff for a in r.accounts.values()]) for r in rounds])
        ),
    }


def played_values(rules: Rules, cast: Cast, exploiters: Exploiters, seeds: Iterable[int]) -> Values:
    """Objectives of rules in sessions of a cast, and welfare with the worst exploiter.

    Parameters
    ----------
    rules, cast
        The rules, and who plays.
    exploiters
        Players who replace the first seat of a role, one at a time. The worst case is the lowest
        mean over the sessions, with one of them or with none.
    seeds
        Of the sessions.
    """
    listed = list(seeds)
    seated = seat_players(rules, cast)
    found = [of_session(play_session(rules, seated, seed)) for seed in listed]
    values = {name: np.array([one[name] for one in found]) for name in found[0]}
    worst = [values["welfare"]]
    for role, agent in exploiters.values():
        seats = [seat for seat in rules.seats if rules.role(seat) == role]
        if seats:
            players = {**seated, seats[0]: agent}
            sessions = [of_session(play_session(rules, players, seed)) for seed in listed]
            worst.append(np.array([one["welfare"] for one in sessions]))
    values[WORST] = min(worst, key=lambda x: float(x.mean()))
    return values


def table_values(payoffs: pd.DataFrame) -> Values:
    """Efficiency, revenue and welfare from a table of payoffs, by session.

    Parameters
    ----------
    payoffs
        Columns session, round, efficiency, first_tax, final_tax, payoff.
    """
    rows = []
    paid = payoffs[payoffs["round"] > 0]
    for _, part in paid.groupby("session"):
        each = [
            (
                one["efficiency"].iloc[0],
                one["first_tax"].sum() + one["final_tax"].sum(),
                welfare(one["payoff"]),
            )
            for _, one in part.groupby("round")
        ]
        rows.append(np.mean(each, axis=0))
    table = np.array(rows, float).reshape(-1, 3)
    return {name: table[:, i] for i, name in enumerate(("efficiency", "revenue", "welfare"))}
