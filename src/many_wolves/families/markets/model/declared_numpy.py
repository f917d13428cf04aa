"""Declared values by logit choice: utilities, likelihood, simulation, in NumPy.

References
----------
McKelvey, R. D., & Palfrey, T. R. (1995). Quantal response equilibria for normal form games.
*Games and Economic Behavior, 10*(1), 6-38.
Tversky, A., & Kahneman, D. (1992). Advances in prospect theory. *Journal of Risk and
Uncertainty, 5*(4), 297-323.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit, ndtr, softmax

from many_wolves.families.markets.model.declared_data import (
    FINAL_POINTS,
    FIRST_POINTS,
    Declarations,
    declared,
)
from many_wolves.families.markets.model.limits import (
    Limits,
    Scale,
    choice_information,
    limits,
    middles,
)
from many_wolves.families.markets.model.parts import POINTS, Array, varied

HONEST_STEP = 0.1
"""The weight on honesty is per deviation of so much of the value."""
LAPSES = 0.01
"""Share of answers that are any option: without it one odd answer bounds every precision."""


@dataclass(frozen=True)
class Declarer:
    """Parameters of one speaker.

    Parameters
    ----------
    takeover, slope
        Believed purchase rate ``inv_logit(takeover - slope * percentile)``.
    loss
        Weight of a loss by a purchase below the value.
    precision
        Precision of the choice per 10,000 points.
    strategic
        Weight on the chance to decide the condition; 1 is fully pivotal.
    honesty
        10,000 points that a deviation of a tenth of the value costs.
    sd_takeover, sd_log_precision
        How participants vary.
    takeover_each, log_precision_each
        Deviations of participants, (J,).
    """

    takeover: float = 0.0
    slope: float = 2.0
    loss: float = 1.35
    precision: float = 1.0
    strategic: float = 0.0
    honesty: float = 0.0
    sd_takeover: float = 0.0
    sd_log_precision: float = 0.0
    takeover_each: Array | None = None
    log_precision_each: Array | None = None

    def of(self, who: Any) -> tuple[Array, Array]:
        """Takeover and precision of participants, in the shape of ``who``."""
        shift = 0.0 if self.takeover_each is None else self.takeover_each[who]
        scale = 0.0 if self.log_precision_each is None else self.log_precision_each[who]
        zero = np.zeros(np.shape(who))
        return self.takeover + zero + shift, self.precision * np.exp(zero + scale)


def utility(
    declarer: Declarer,
    takeover: Array,
    value: Array,
    low: Array,
    high: Array,
    tax: Array,
    share: Array,
    points: int,
) -> Array:
    """Utility of every declaration of the grid, in 10,000 points, (..., points).

    ``u(d) = -t d - g q(d) [loss (v - d)+ - (d - v)+] - honesty |d / v - 1| / 0.1``.
    """
    amount = declared(np.arange(points), low[..., None], high[..., None], points)
    percentile = (amount - low[..., None]) / (high - low)[..., None]
    rate = expit(takeover[..., None] - declarer.slope * percentile)
    terms = (tax[..., None], share[..., None])
    found: Array = money(value[..., None], amount, *terms, rate, declarer.loss)
    if declarer.honesty:
        found -= declarer.honesty * np.abs(amount / value[..., None] - 1) / HONEST_STEP
    return found


def money(value: Array, amount: Array, tax: Array, share: Array, rate: Array, loss: float) -> Array:
    """What a declaration brings next to the value, in 10,000 points, in the broadcast shape.

    ``-t d - g q [loss (v - d)+ - (d - v)+]`` with q the rate of purchases.
    """
    gap = value - amount
    lost = np.where(gap > 0, loss * gap, gap)
    found: Array = (-tax * amount - share * rate * lost) / POINTS
    return found


def final_log_probability(declarer: Declarer, data: Declarations) -> Array:
    """Log-probability of every final declaration, (N, FINAL_POINTS)."""
    takeover, precision = declarer.of(data.who)
    u = utility(
        declarer, takeover, data.value, data.low, data.high, data.tax, data.share, FINAL_POINTS
    )
    return log_choice(precision[:, None] * u)


def first_log_probability(declarer: Declarer, data: Declarations) -> Array:
    """Log-probability of every first pair, (F, FIRST_POINTS, FIRST_POINTS).

    ``(1 - P) u(d0) + P u(d1) + strategic (v1 - v0) P`` with ``P = Phi((M + d1 - d0) / s)``;
    where declarations do not choose, each condition counts one half and nothing is strategic.
    """
    takeover, precision = declarer.of(data.first_who)
    parts = [
        utility(
            declarer,
            takeover,
            data.first_value[:, c],
            data.first_low[:, c],
            data.first_high[:, c],
            data.first_tax,
            data.first_share,
            FIRST_POINTS,
        )
        for c in (0, 1)
    ]
    chance = project_chance(data)
    gain = (data.first_value[:, 1] - data.first_value[:, 0]) / POINTS * data.pivots
    u = (1 - chance) * parts[0][:, :, None] + chance * parts[1][:, None, :]
    u += declarer.strategic * gain[:, None, None] * chance
    return log_choice((precision[:, None, None] * u).reshape(len(u), -1)).reshape(u.shape)


def log_choice(odds: Array) -> Array:
    """Log-probabilities of a logit choice along the last axis, with a share of lapses."""
    found: Array = np.log((1 - LAPSES) * softmax(odds, axis=-1) + LAPSES / odds.shape[-1])
    return found


def project_chance(data: Declarations) -> Array:
    """Chance of the project by first pair, (F, FIRST_POINTS, FIRST_POINTS)."""
    grid = np.arange(FIRST_POINTS)
    low, high = data.first_low, data.first_high
    without = declared(grid, low[:, :1], high[:, :1], FIRST_POINTS)
    project = declared(grid, low[:, 1:], high[:, 1:], FIRST_POINTS)
    ahead = data.lead[:, None, None] + project[:, None, :] - without[:, :, None]
    chance: Array = ndtr(ahead / data.lead_sd[:, None, None])
    return np.where(data.pivots[:, None, None], chance, 0.5)


def log_likelihood(declarer: Declarer, data: Declarations) -> Array:
    """Log-probability of what was declared, (N + F,)."""
    final = final_log_probability(declarer, data)[np.arange(len(data.who)), data.chosen]
    if not len(data.first_who):
        return final
    pairs = first_log_probability(declarer, data)
    at = (np.arange(len(data.first_who)), data.first_chosen[:, 0], data.first_chosen[:, 1])
    return np.concatenate([final, pairs[at]])


def draw(declarer: Declarer, data: Declarations, rng: np.random.Generator) -> Declarations:
    """The same questions with other answers."""
    final = _pick(final_log_probability(declarer, data), rng)
    first = np.zeros((len(data.first_who), 2), int)
    if len(first):
        flat = first_log_probability(declarer, data).reshape(len(first), -1)
        first = np.stack(np.divmod(_pick(flat, rng), FIRST_POINTS), axis=-1)
    return replace(data, chosen=final, first_chosen=first)


def draw_declarer(
    participants: int, rng: np.random.Generator, strategic: bool, honesty: bool, spread: float
) -> Declarer:
    """Parameters from the prior, without the deviations of participants."""
    each = varied(range(participants))
    sd = rng.exponential(spread, 2) if each else np.zeros(2)
    return Declarer(
        takeover=rng.normal(0, 1.5),
        slope=float(np.exp(rng.normal(0.7, 0.7))),
        loss=float(np.exp(rng.normal(0.3, 0.5))),
        precision=float(np.exp(rng.normal(0, 1))),
        strategic=rng.normal(0, 1) if strategic else 0.0,
        honesty=rng.exponential(1.0) if honesty else 0.0,
        sd_takeover=float(sd[0]),
        sd_log_precision=float(sd[1]),
    )


def with_participants(declarer: Declarer, participants: int, rng: np.random.Generator) -> Declarer:
    """The same with deviations of participants drawn by their standard deviations."""
    normal = rng.normal(size=(2, participants))
    return replace(
        declarer,
        takeover_each=declarer.sd_takeover * normal[0],
        log_precision_each=declarer.sd_log_precision * normal[1],
    )


def declarer_of(given: Mapping[str, Any]) -> Declarer:
    """Parameters by name, as a simulated speaker takes them."""
    numbers = {name: float(value) for name, value in given.items()}
    return replace(Declarer(), **numbers)  # type: ignore[arg-type]


def design_limits(data: Declarations, beliefs: bool, strategy: bool, honesty: bool) -> Limits:
    """What this design leaves open of each estimated parameter, on the scale of its prior."""
    scales: dict[str, Scale] = {}
    if beliefs:
        scales |= {"takeover": Scale(0.0, 1.5), "slope": Scale(0.7, 0.7)}
    scales |= {"loss": Scale(0.3, 0.5), "precision": Scale(0.0, 1.0)}
    scales |= {"strategic": Scale(0.0, 1.0)} if strategy else {}
    scales |= {"honesty": Scale(1.0, 1.0)} if honesty else {}
    logs = ("slope", "loss", "precision")

    def declarer(x: Array) -> Declarer:
        numbers = dict(zip(scales, x, strict=True))
        return declarer_of({k: np.exp(v) if k in logs else v for k, v in numbers.items()})

    at = middles(scales)
    found = choice_information(lambda x: final_log_probability(declarer(x), data), at)
    if len(data.first_who):
        found += choice_information(
            lambda x: first_log_probability(declarer(x), data).reshape(len(data.first_who), -1), at
        )
    return limits(scales, found)


def _pick(log_probability: Array, rng: np.random.Generator) -> Any:
    """One index a row, by Gumbel's trick."""
    noise = rng.gumbel(size=log_probability.shape)
    return np.argmax(log_probability + noise, axis=1)
