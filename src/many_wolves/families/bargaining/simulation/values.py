"""A speaker with values and beliefs, in NumPy: own gain, an even split, and agreement.

A deal at the own share s is worth

    U(s) = w_own s + w_fair (1 - |2 s - 1|) + w_deal,

with weights that add up to one; no deal is worth 0. A message is chosen with precision alpha. The
options are accepting, worth U(x), leaving, worth 0, and demanding d, a share above the offer at a
price of the grid:

    P(d) U(d) + (1 - P(d)) (1 - h) U(x),   P(d) = logit^-1(lambda (x + tau - d)).

P is the speaker's belief that a demand is accepted, and h its belief that talks break down. If the
odds are announced, P is the announced probability, and a rejected demand is worth 0. In a last
message, a demand ends the game without a deal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_softmax

from many_wolves.outcomes import Array

MOST_DEMANDS = 20
"""Demands of a message at most: a finer grid of prices is made coarser."""
ACCEPT, LEAVE, FIRST = 0, 1, 2
"""Places of the options of a message: accept, leave, then demands."""
Kind = Literal["talk", "told", "last"]
Fairness = Literal["even", "inequity", "smooth"]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Weights:
    """Weights of own gain, an even split and a deal; they add up to one."""

    own: float
    fair: float
    deal: float

    def utility(self, share: Array, fairness: Fairness = "even") -> Array:
        """(...,) worth of a deal at a share.

        ``even``: 1 at half, 0 at both ends. ``inequity``: what is taken off for any inequity
        (Fehr & Schmidt 1999, envy and guilt alike). ``smooth``: 4 s (1 - s), the harmonic mean of
        both shares (CES with r = -1), scaled to 1 at half.
        """
        if fairness == "smooth":
            fair = np.asarray(4 * share * (1 - share), dtype=float)
        else:
            best = 1.0 if fairness == "even" else 0.0
            fair = np.asarray(best - np.abs(2 * share - 1), dtype=float)
        found: Array = self.own * share + self.fair * fair + self.deal
        return found


@dataclass(frozen=True)
class Beliefs:
    """Parameters of the choice other than the weights.

    Parameters
    ----------
    precision
        alpha, per unit of utility.
    hope, sharpness, breakdown
        tau, lambda and h.
    """

    precision: float
    hope: float
    sharpness: float
    breakdown: float


@dataclass(frozen=True)
class Choices:
    """Messages to be chosen.

    Parameters
    ----------
    kind
        (N,) what each is: in a talk, with told odds, or the last one.
    offered
        (N,) share in the other side's standing offer; NaN with told odds.
    step
        (N,) one step of the grid, as a share of the pie.
    outside
        (N,) payoff without a deal: shares are counted from it.
    menus
        Demands and their odds of each message with told odds, by its number.
    """

    kind: Sequence[Kind]
    offered: Array
    step: Array
    outside: Array
    menus: dict[int, tuple[Array, Array]] = field(default_factory=dict)

    def demands(self, n: int) -> Array:
        """Demands among which message ``n`` chooses."""
        if self.kind[n] == "told":
            return self.menus[n][0]
        if self.kind[n] == "last":
            return np.zeros(0)
        return grid_above(float(self.offered[n]), float(self.step[n]))

    def options(self, n: int) -> int:
        """How many options message ``n`` has: accept, leave, and its demands."""
        return FIRST + self.demands(n).size


def grid_above(offered: float, step: float) -> Array:
    """Demands on the grid above what is offered, from the whole pie downwards."""
    width = max(step, 1 / MOST_DEMANDS)
    grid = np.linspace(1.0, 1.0 - width * MOST_DEMANDS, MOST_DEMANDS + 1)
    found: Array = grid[grid > offered + width / 2]
    return found


def values_of(
    at: Choices, n: int, w: Weights, b: Beliefs, hope: float = 0.0, fairness: Fairness = "even"
) -> Array:
    """Expected utility of each option of message ``n``; -inf where there is nothing to accept.

    ``hope`` is added to the belief of this game.
    """
    x, out = float(at.offered[n]), float(at.outside[n])
    demands = at.demands(n)
    worth = w.utility(demands - out, fairness)
    found = np.zeros(FIRST + demands.size)
    if at.kind[n] == "told":
        found[ACCEPT], found[FIRST:] = -np.inf, at.menus[n][1] * worth
        return found
    found[ACCEPT] = standing = float(w.utility(np.array(x - out), fairness))
    taken = expit(b.sharpness * (x + b.hope + hope - demands))
    found[FIRST:] = taken * worth + (1 - taken) * (1 - b.breakdown) * standing
    return found


def log_probabilities(
    at: Choices, n: int, w: Weights, b: Beliefs, hope: float = 0.0, fairness: Fairness = "even"
) -> Array:
    """Log-probability of each option of message ``n``."""
    found: Array = log_softmax(b.precision * values_of(at, n, w, b, hope, fairness))
    return found


def draw(
    at: Choices,
    w: Sequence[Weights],
    b: Beliefs,
    hope: Array,
    rng: np.random.Generator,
    fairness: Fairness = "even",
) -> Index:
    """(N,) option of every message; weights and hope are given for each."""
    chosen = np.zeros(len(at.kind), dtype=np.int64)
    for n in range(chosen.size):
        p = np.exp(log_probabilities(at, n, w[n], b, float(hope[n]), fairness))
        chosen[n] = rng.choice(p.size, p=p / p.sum())
    return chosen


def row_log_likelihood(
    at: Choices,
    w: Sequence[Weights],
    b: Beliefs,
    hope: Array,
    chosen: Index,
    fairness: Fairness = "even",
) -> Array:
    """(N,) log-likelihood of the option of every message."""
    return np.array([
        log_probabilities(at, n, w[n], b, float(hope[n]), fairness)[chosen[n]]
        for n in range(chosen.size)
    ])  # fmt: skip


def option_of(at: Choices, n: int, move: str, demand: float) -> int:
    """Which option of message ``n`` a move is: the nearest demand where it makes one."""
    if move == "accept":
        return ACCEPT
    demands = at.demands(n)
    if move == "walk" or demands.size == 0:
        return LEAVE
    return FIRST + int(np.argmin(np.abs(demands - demand)))
