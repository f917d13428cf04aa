"""Theory of declarations: utility, best replies, the logit equilibrium.

References
----------
Posner, E. A., & Weyl, E. G. (2017). Property is only another name for monopoly. *Journal of
Legal Analysis, 9*(1), 51-123.
McKelvey, R. D., & Palfrey, T. R. (1995). Quantal response equilibria for normal form games.
*Games and Economic Behavior, 10*(1), 6-38.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr, softmax

from many_wolves.families.markets.rules.draws import others_lead
from many_wolves.families.markets.rules.parameters import CONDITIONS, Rules

Array = npt.NDArray[np.float64]
PurchaseRate = Callable[[Array], Array]
"""Probability that somebody buys a lot, by the percentile of its declaration in its band."""

POINTS = 10_000.0
"""Utilities are divided by this before a precision multiplies them."""


def effective_tax(rules: Rules, role: str) -> float:
    """Final tax less what flows back through the own shares: ``tax (1 - shares / total)``."""
    return rules.final_tax * (1 - rules.terms(role).shares / rules.total_shares)


def truthful_purchase_rate(rules: Rules, role: str) -> float:
    """The purchase probability at which a landowner neither over- nor under-declares.

    At an inner optimum ``d - v = (g q - t) / (-g q')``, which is 0 where ``q = t / g``; above 1
    no purchase rate keeps declarations true.
    """
    return effective_tax(rules, role) / rules.buyer_share


def final_utility(
    rules: Rules, role: str, condition: int, value: float, declared: Array, rate: PurchaseRate
) -> Array:
    """Expected points from a final declaration, without parts that it does not change.

    ``U(d) = v - t d - g q(d) (v - d)``, with own shares as endowed.

    Parameters
    ----------
    rules, role, condition
        The rules, the landowner's role, and the chosen condition.
    value
        The land's value in points.
    declared
        Declarations in points, any shape.
    rate
        Purchase probability by percentile of the band.

    Returns
    -------
    numpy.ndarray
        Points, in the shape of ``declared``.
    """
    band = rules.terms(role).bands[condition]
    bought = rate((declared - band.low) / (band.high - band.low))
    tax = effective_tax(rules, role)
    return value - tax * declared - rules.buyer_share * bought * (value - declared)


def best_final_declaration(
    rules: Rules, role: str, condition: int, value: float, rate: PurchaseRate
) -> float:
    """The final declaration with the highest expected points, among 4,001 from 0 to the limit."""
    grid = np.linspace(0, 2 * rules.terms(role).bands[condition].high, 4_001)
    return float(grid[np.argmax(final_utility(rules, role, condition, value, grid, rate))])


def first_utility(
    rules: Rules,
    role: str,
    values: tuple[float, float],
    without: Array,
    with_project: Array,
    rate: PurchaseRate,
    lead: tuple[float, float],
) -> Array:
    """Expected points from a first declaration in ``harberger``, where it also decides.

    ``(1 - P) u(d0; v0) + P u(d1; v1)`` with ``u(d; v) = v - t1 d - g q(d) (v - d)`` and
    ``P = Phi((M + d1 - d0) / s)``, where the sum of the others' ``d1 - d0`` is normal with
    mean M and standard deviation s (``lead``). First taxes do not flow back through shares.

    Returns
    -------
    numpy.ndarray
        Points, in the broadcast shape of ``without`` and ``with_project``.
    """
    parts = []
    for condition, declared in zip(CONDITIONS, (without, with_project), strict=True):
        band = rules.terms(role).bands[condition]
        bought = rate((declared - band.low) / (band.high - band.low))
        value = values[condition]
        gap = rules.buyer_share * bought * (value - declared)
        parts.append(value - rules.first_tax * declared - gap)
    project = ndtr((lead[0] + with_project - without) / lead[1])
    utility: Array = (1 - project) * parts[0] + project * parts[1]
    return utility


def best_first_declaration(
    rules: Rules,
    role: str,
    values: tuple[float, float],
    rate: PurchaseRate,
    lead: tuple[float, float],
) -> tuple[float, float]:
    """The pair with the highest expected points, on a grid of 401 by 401 up to the limits."""
    low, high = rules.terms(role).bands
    without = np.linspace(0, 2 * low.high, 401)[:, None]
    with_project = np.linspace(0, 2 * high.high, 401)[None, :]
    utility = first_utility(rules, role, values, without, with_project, rate, lead)
    i, j = np.unravel_index(np.argmax(utility), utility.shape)
    return float(without[i, 0]), float(with_project[0, j])


def role_lead(rules: Rules, role: str) -> tuple[float, float]:
    """What the others' bands imply for the sum of their ``d1 - d0``, for a seat of a role."""
    return others_lead(rules, next(seat for seat in rules.seats if rules.role(seat) == role))


@dataclass(frozen=True)
class LogitEquilibrium:
    """A logit equilibrium of the final stage for one role and condition.

    Parameters
    ----------
    values
        Grid of values of land, shape (V,).
    declared
        Grid of declarations, shape (D,).
    choice
        Probability of each declaration by value, shape (V, D).
    bought
        Probability that somebody buys, by declaration, shape (D,).
    expected_value
        Expected value given the declaration, shape (D,).
    residual
        Largest change of ``bought`` in the last iteration.
    """

    values: Array
    declared: Array
    choice: Array
    bought: Array
    expected_value: Array
    residual: float

    @property
    def markup(self) -> float:
        """Mean of declaration over value, less 1."""
        return float((self.choice @ self.declared / self.values).mean() - 1)

    @property
    def turnover(self) -> float:
        """Probability that a lot is bought."""
        return float((self.choice @ self.bought).mean())

    def rate(self, rules: Rules, role: str, condition: int) -> PurchaseRate:
        """Purchase probability by percentile, linear between the grid's points."""
        band = rules.terms(role).bands[condition]
        at = (self.declared - band.low) / (band.high - band.low)

        def bought(percentile: Array) -> Array:
            interpolated: Array = np.interp(percentile, at, self.bought)
            return interpolated

        return bought


def logit_equilibrium(
    rules: Rules,
    role: str = "owner",
    condition: int = 0,
    precision: float = 1.0,
    points: int = 81,
    iterations: int = 2_000,
) -> LogitEquilibrium:
    """Solve for declarations and purchases that are logit replies to each other.

    A landowner with value v declares d with probability proportional to
    ``exp(precision U(d) / 10,000)``. A speculator buys with probability
    ``inv_logit(precision g (E[v | d] - d) / k / 10,000)``, where k is the expected number of
    buyers if it buys. Solved by damped iteration from purchases at random.

    Parameters
    ----------
    rules, role, condition
        The rules, whose lot, and the chosen condition.
    precision
        Of both sides; 0 means choices at random.
    points
        Size of the two grids: values over the band, declarations from .4 of its low end
        to 1.3 of its high end.
    iterations
        At most; it stops where purchase probabilities change by less than 1e-10. High
        precisions need more of them: look at ``residual``.
    """
    band = rules.terms(role).bands[condition]
    values = np.linspace(band.low, band.high, points)
    declared = np.linspace(0.4 * band.low, 1.3 * band.high, points)
    buyers = len(rules.speculators)
    single = np.full(points, 0.5)
    tax = effective_tax(rules, role)
    residual, damping = np.inf, 0.2
    for _ in range(iterations):
        bought = 1 - (1 - single) ** buyers
        gap = values[:, None] - declared
        utility = values[:, None] - tax * declared - rules.buyer_share * bought * gap
        choice = softmax(precision * utility / POINTS, axis=1)
        weight = choice / choice.sum(axis=0)
        expected = values @ weight
        sharing = 1 + (buyers - 1) * single
        gain = rules.buyer_share * (expected - declared) / sharing
        reply = expit(precision * gain / POINTS)
        before, residual = residual, float(np.abs(reply - single).max())
        if residual < 1e-10:
            break
        if residual >= before:
            damping = max(damping * 0.7, 1e-3)
        single = (1 - damping) * single + damping * reply
    bought = 1 - (1 - single) ** buyers
    return LogitEquilibrium(values, declared, choice, bought, expected, residual)
