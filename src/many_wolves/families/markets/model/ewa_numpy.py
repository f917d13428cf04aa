"""Learning over rounds from payoffs of declarations: data, equations, simulation, in NumPy.

References
----------
Camerer, C., & Ho, T. H. (1999). Experience-weighted attraction learning in normal form games.
*Econometrica, 67*(4), 827-874.
Ho, T. H., Wang, X., & Camerer, C. F. (2008). Individual differences in EWA learning with partial
payoff information. *The Economic Journal, 118*(525), 37-59.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, log_softmax

from many_wolves.errors import WolvesError
from many_wolves.families.markets.model.declared_data import COLUMNS, NO_DECLARATIONS
from many_wolves.families.markets.model.declared_numpy import money
from many_wolves.families.markets.model.limits import (
    Limits,
    Scale,
    choice_information,
    limits,
    middles,
)
from many_wolves.families.markets.model.options import EwaOptions
from many_wolves.families.markets.model.parts import Array, Ints, given_rows, rows_of
from many_wolves.observations import Observations

MARKUPS: tuple[float, ...] = (-0.6, -0.4, -0.25, -0.12, -0.03, 0.03, 0.12, 0.25, 0.4)
"""Middles of the bins: declaration over value, less 1."""
MOST = 0.6
"""Markups farther than this from all bins are left out."""
PRIOR_TAKEOVER, PRIOR_SLOPE, PRIOR_LOSS = 0.0, float(np.exp(0.7)), float(np.exp(0.3))
"""The declared-value model at its prior mean gives the attractions before the first round."""


@dataclass(frozen=True)
class Courses:
    """Final declarations of participants over rounds.

    Parameters
    ----------
    participants
        Names, (P,).
    rounds
        Number of rounds of each, (P,).
    chosen
        Bin of each declaration, (P, T); 0 after the last round.
    payoff
        What each bin would have earned with the purchases as they were, in 10,000 points,
        (P, T, K).
    start
        Attractions before the first round, (P, K).
    there
        Whether there is a declaration, (P, T).
    rows
        Place in the table, (P, T); -1 where there is none.
    value
        Values, (P, T).
    outside
        Declarations too far from all bins.
    """

    participants: tuple[str, ...]
    rounds: Ints
    chosen: Ints
    payoff: Array
    start: Array
    there: npt.NDArray[np.bool_]
    rows: Ints
    value: Array
    outside: int


@dataclass(frozen=True)
class Learner:
    """Parameters: memory, weight on foregone payoffs, growth of experience, precision.

    Without ``past`` nothing is learned, whatever the others are.
    """

    phi: float = 0.8
    delta: float = 0.5
    kappa: float = 0.0
    lambda_: float = 1.0
    past: bool = True


def attractions(learner: Learner, data: Courses, chosen: Ints) -> Array:
    """Attractions before each round, (P, T, K), given what was chosen before.

    ``N(t) = phi (1 - kappa) N(t-1) + 1``,
    ``A_j(t) = [phi N(t-1) A_j(t-1) + (delta + (1 - delta) I_j) pi_j(t)] / N(t)``.
    """
    people, rounds = chosen.shape
    found = np.empty((people, rounds, len(MARKUPS)))
    attraction, experience = data.start.copy(), 1.0
    for t in range(rounds):
        found[:, t] = attraction
        grown = learner.phi * (1 - learner.kappa) * experience + 1
        counted = learner.delta * data.payoff[:, t]
        at = (np.arange(people), chosen[:, t])
        counted[at] = data.payoff[:, t][at]
        if learner.past:
            attraction = (learner.phi * experience * attraction + counted) / grown
            experience = grown
    return found


def log_likelihood(learner: Learner, data: Courses, chosen: Ints) -> Array:
    """Log-probability of each choice, (P, T)."""
    log_p = log_softmax(learner.lambda_ * attractions(learner, data, chosen), axis=2)
    found: Array = np.take_along_axis(log_p, chosen[:, :, None], axis=2)[:, :, 0]
    return found


def draw(learner: Learner, data: Courses, rng: np.random.Generator) -> Ints:
    """Choices round by round, (P, T)."""
    chosen = np.zeros_like(data.chosen)
    for t in range(chosen.shape[1]):
        utility = learner.lambda_ * attractions(learner, data, chosen)[:, t]
        chosen[:, t] = np.argmax(utility + rng.gumbel(size=utility.shape), axis=1)
    return np.where(data.there, chosen, 0)


def draw_learner(rng: np.random.Generator, options: EwaOptions) -> Learner:
    """Parameters from the prior; without memory phi and delta are 0."""
    fixed = float(options.growth == "one")
    phi, delta, kappa = rng.beta(8, 2), rng.beta(2, 2), rng.beta(1, 1)
    return Learner(
        phi=phi if options.past else 0.0,
        delta=delta if options.past and options.foregone else 0.0,
        kappa=kappa if options.past and options.growth == "estimated" else fixed,
        lambda_=float(np.exp(rng.normal())),
        past=options.past,
    )


def learner_of(given: Mapping[str, Any], options: EwaOptions) -> Learner:
    """Parameters by name."""
    fixed = float(options.growth == "one")
    return Learner(
        phi=float(given.get("phi", 0.0)),
        delta=float(given.get("delta", 0.0)),
        kappa=float(given.get("kappa", fixed)),
        lambda_=float(given["lambda"]),
        past=options.past,
    )


def read_courses(observations: Observations) -> Courses:
    """Final declarations of one speaker, by participant and round; practice is experience too.

    Raises
    ------
    WolvesError
        If no participant declares in two rounds, or a column is missing.
    """
    found = rows_of(observations, "declarations", COLUMNS, missing=NO_DECLARATIONS, practice=True)
    rows = given_rows(found)
    rows = rows[rows["stage"] == "final"]
    apart = np.abs((rows["declared"] / rows["value"] - 1).to_numpy()[:, None] - np.array(MARKUPS))
    near = apart.min(axis=1) <= MOST
    rows = rows.assign(bin=apart.argmin(axis=1))[near].sort_values(["who", "round"], kind="stable")
    groups = [(str(who), part) for who, part in rows.groupby("who", sort=False) if len(part) > 1]
    if not groups:
        raise WolvesError(
            "nobody gave a final declaration in two rounds: there is nothing to learn from",
            where=observations.where,
            fix="play sessions of several rounds",
        )
    people, rounds = len(groups), max(len(part) for _, part in groups)
    bins = len(MARKUPS)
    chosen = np.zeros((people, rounds), np.int64)
    at = np.full((people, rounds), -1, np.int64)
    payoff, start = np.zeros((people, rounds, bins)), np.zeros((people, bins))
    value = np.ones((people, rounds))
    for p, (_, part) in enumerate(groups):
        n = len(part)
        chosen[p, :n], at[p, :n] = part["bin"], part["row"]
        value[p, :n] = part["value"]
        payoff[p, :n] = _payoffs(part)
        start[p] = _start(part)
    return Courses(
        participants=tuple(who for who, _ in groups),
        rounds=(at >= 0).sum(axis=1),
        chosen=chosen,
        payoff=payoff,
        start=start,
        there=at >= 0,
        rows=at,
        value=value,
        outside=int((~near).sum()),
    )


def _payoffs(part: pd.DataFrame) -> Array:
    """What each bin would have earned in each round, (n, K), in 10,000 points."""
    return _money(part, (part["buyers"].to_numpy(float) > 0)[:, None].astype(float), 1.0)


def _start(part: pd.DataFrame) -> Array:
    """Mean utility of each bin under the declared-value model at its prior mean, (K,)."""
    low, high = (part[name].to_numpy(float)[:, None] for name in ("low", "high"))
    amount = part["value"].to_numpy(float)[:, None] * (1 + np.array(MARKUPS))
    rate = expit(PRIOR_TAKEOVER - PRIOR_SLOPE * (amount - low) / (high - low))
    mean: Array = _money(part, rate, PRIOR_LOSS).mean(axis=0)
    return mean


def _money(part: pd.DataFrame, rate: Array, loss: float) -> Array:
    """What each bin brings at a rate of purchases, (n, K)."""
    value = part["value"].to_numpy(float)[:, None]
    tax = (part["tax"] * (1 - part["held"])).to_numpy(float)[:, None]
    share = part["buyer_share"].to_numpy(float)[:, None]
    return money(value, value * (1 + np.array(MARKUPS)), tax, share, rate, loss)


def design_limits(data: Courses, options: EwaOptions) -> Limits:
    """What these rounds leave open, given what was declared in them."""
    scales = {"lambda": Scale(0.0, 1.0)}
    if options.past:
        scales["phi"] = Scale(0.8, (16 / 1100) ** 0.5)
        scales |= {"delta": Scale(0.5, 0.05**0.5)} if options.foregone else {}
        scales |= {"kappa": Scale(0.5, 12**-0.5)} if options.growth == "estimated" else {}

    def log_probability(x: Array) -> Array:
        numbers: Mapping[str, Any] = dict(zip(scales, x, strict=True))
        learner = learner_of({**numbers, "lambda": np.exp(numbers["lambda"])}, options)
        utility = learner.lambda_ * attractions(learner, data, data.chosen)
        log_p: Array = log_softmax(utility, axis=2)
        return log_p[data.there]

    return limits(scales, choice_information(log_probability, middles(scales)))
