"""How games end, in NumPy: when, whether with a deal, and at which share.

In every round, a game ends with log-odds that are linear in the log of the round and in covariates.
A game that reaches its cap, or is cut, is censored. A game ends with a deal, or one side leaves.
The share of a deal is one of three atoms (half, the opening of each side) or continuous.
The continuous part covers -1/2 to 3/2, and its logit is logistic. Shares are known to a step of the
grid; shares outside the range count to the outermost steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit, logit

from many_wolves.outcomes import Array

LOW, HIGH = -0.5, 1.5
"""Range of shares."""
ATOMS = ("half", "other's opening", "own opening")
"""Shares at which deals heap, after the continuous rest: the bid and the ask in own terms."""
_EPS = 1e-9
_TIE = 1e-6
"""How far from equally near, in steps, two prices still count as equally near."""
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ends:
    """What is known of games before they are played, and what they end with.

    Parameters
    ----------
    design
        (N, P) covariates.
    rounds
        (N,) rounds after which a game is cut.
    step
        (N,) one step of the grid, as a share of the pie.
    origin
        (N,) share of one price of the grid.
    atoms
        (N, 3) shares of half, the other's and the own opening; NaN for one that coincides with
        another.
    """

    design: Array
    rounds: Index
    step: Array
    origin: Array
    atoms: Array

    def nearest(self, share: Array | float) -> Array:
        """(N,) nearest share of the grid; NaN stays NaN."""
        found: Array = self.origin + self.step * np.rint((share - self.origin) / self.step)
        return found

    def within(self, share: Array) -> Array:
        """(N,) the share, or the outermost one of the grid where it lies beyond; NaN stays NaN."""
        return np.clip(share, self.nearest(LOW), self.nearest(HIGH))

    def heaped(self, share: Array) -> Array:
        """(N, 3) probability that a deal of each atom has this share: 0, 1/2 or 1."""
        away = np.abs(share[:, None] - self.atoms) / self.step[:, None]
        return np.select([away < 0.5 - _TIE, away <= 0.5 + _TIE], [1.0, 0.5], 0.0)


@dataclass(frozen=True)
class Parameters:
    """Known parameters.

    Parameters
    ----------
    end
        (2 + P,) intercept, slope of log round, coefficients of the log-odds that a game ends.
    deal, middle
        (1 + P,) the same of the log-odds of a deal, and of the middle of the share's logit.
    scale
        Scale of the logistic.
    atoms
        (4,) probabilities of the rest, half, the other's opening, the own one.
    """

    end: Array
    deal: Array
    middle: Array
    scale: float
    atoms: Array


@dataclass(frozen=True)
class Shifts:
    """(N,) deviations of each game's units from the parameters."""

    end: Array
    deal: Array
    middle: Array

    @classmethod
    def none(cls, n: int) -> Shifts:
        """No deviation."""
        return cls(np.zeros(n), np.zeros(n), np.zeros(n))


def end_log_odds(at: Ends, p: Parameters, shift: Shifts, t: Array) -> Array:
    """(N,) log-odds that a game ends in round t."""
    found: Array = p.end[0] + p.end[1] * np.log(t) + at.design @ p.end[2:] + shift.end
    return found


def deal_log_odds(at: Ends, p: Parameters, shift: Shifts) -> Array:
    """(N,) log-odds that a game that ends does so with a deal."""
    found: Array = p.deal[0] + at.design @ p.deal[1:] + shift.deal
    return found


def row_log_likelihood(
    at: Ends, p: Parameters, shift: Shifts, last: Index, ended: Index, share: Array
) -> Array:
    """(N,) log-likelihood of each game.

    Parameters
    ----------
    last
        (N,) last round.
    ended
        (N,) 1: with a deal; 0: by leaving; -1: cut short, so that it had not ended by then.
    share
        (N,) share of the deal; NaN without one.
    """
    on = np.zeros(last.size)
    for t in range(1, int(last.max()) + 1):
        over = end_log_odds(at, p, shift, np.full(last.size, float(t)))
        ends = (last == t) & (ended >= 0)
        on += np.where(t <= last, np.where(ends, log_expit(over), log_expit(-over)), 0.0)
    deal = deal_log_odds(at, p, shift)
    how = np.select([ended == 1, ended == 0], [log_expit(deal), log_expit(-deal)], 0.0)
    found: Array = on + how + share_log_probability(at, p, shift, share)
    return found


def share_log_probability(at: Ends, p: Parameters, shift: Shifts, share: Array) -> Array:
    """(N,) log-probability of the share of a deal; 0 without one."""
    m = p.middle[0] + at.design @ p.middle[1:] + shift.middle
    half = at.step / 2
    low, high = share - half, share + half

    def below(x: Array) -> Array:
        inside = np.clip((x - LOW) / (HIGH - LOW), _EPS, 1 - _EPS)
        found: Array = expit((logit(inside) - m) / p.scale)
        return found

    mass = np.where(high >= HIGH, 1.0, below(high)) - np.where(low <= LOW, 0.0, below(low))
    total = p.atoms[0] * mass + (at.heaped(share) * p.atoms[1:]).sum(axis=1)
    missing = (np.isnan(at.atoms) * p.atoms[1:]).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = np.log(total) - np.log1p(-missing)
    return np.where(np.isfinite(share), found, 0.0)


def draw(
    at: Ends, p: Parameters, shift: Shifts, rng: np.random.Generator
) -> tuple[Index, Index, Array]:
    """Last rounds, how games ended (1, 0, -1), and shares of deals."""
    N = at.rounds.size
    last, ended = at.rounds.copy(), np.full(N, -1, dtype=np.int64)
    open_ = np.ones(N, dtype=bool)
    for t in range(1, int(at.rounds.max()) + 1):
        over = expit(end_log_odds(at, p, shift, np.full(N, float(t))))
        now = open_ & (t <= at.rounds) & (rng.random(N) < over)
        deals = rng.random(N) < expit(deal_log_odds(at, p, shift))
        last[now], ended[now] = t, deals[now]
        open_ &= ~now
    share = np.where(ended == 1, _draw_share(at, p, shift, rng), np.nan)
    return last, ended, share


def _draw_share(at: Ends, p: Parameters, shift: Shifts, rng: np.random.Generator) -> Array:
    """(N,) shares on the grid."""
    N = at.rounds.size
    m = p.middle[0] + at.design @ p.middle[1:] + shift.middle
    u = rng.uniform(_EPS, 1 - _EPS, N)
    raw = LOW + (HIGH - LOW) * expit(m + p.scale * logit(u))
    weights = np.where(np.isnan(at.atoms), 0.0, p.atoms[1:])
    whole = np.column_stack([np.full(N, p.atoms[0]), weights])
    whole /= whole.sum(axis=1, keepdims=True)
    which = (rng.random((N, 1)) > whole.cumsum(axis=1)).sum(axis=1)
    heaped = at.atoms[np.arange(N), np.maximum(which - 1, 0)]
    # One of two prices that are equally near an atom.
    beside = np.where(rng.random(N) < 0.5, -_TIE, _TIE) * at.step
    return at.nearest(np.where(which > 0, heaped + beside, raw))
