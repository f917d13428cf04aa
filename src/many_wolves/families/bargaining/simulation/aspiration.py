"""A speaker with an aspiration that falls with time, in NumPy (Faratin, Sierra & Jennings 1998).

In message t of T the speaker aspires to the share

    theta_t = o - (o - b) ((t - 1) / (T - 1))^(1 / beta) - rho (x_t - x_(t-1) - e)

The parameters are opening o, bottom b, exponent beta (below 1 Boulware, above 1 conceder) and
reciprocity rho.
The other side offers the share x_t, and e is the mean concession of partners. The speaker
leaves with log-odds w_0 + w_1 (b - x_t). If it stays, it accepts with log-odds alpha (x_t -
theta_t). Otherwise it demands a share that is normal around theta_t, rounded to the grid and above
x_t. A demand of more than the pie counts as the whole pie.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit, log_ndtr
from scipy.stats import truncnorm

from many_wolves.outcomes import Array

WALK, ACCEPT, OFFER = 0, 1, 2
"""What a speaker does with a message."""
Actions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Messages:
    """Where a speaker stands when it is to write.

    Parameters
    ----------
    time
        (N,) (t - 1) / (T - 1).
    offered
        (N,) share in the other side's standing offer; NaN where there is none.
    change
        (N,) how much of it came since the speaker last wrote, less the partners' mean; 0 where
        that is not known.
    step
        (N,) one step of the grid, as a share of the pie.
    """

    time: Array
    offered: Array
    change: Array
    step: Array


@dataclass(frozen=True)
class Parameters:
    """Known parameters; those of the schedule (N,), one for each message.

    Parameters
    ----------
    opening, bottom, exponent
        o, b and beta.
    reciprocity, spread, precision
        rho, the standard deviation of demands, and alpha, per pie.
    walk, walk_slope
        w_0 and w_1.
    """

    opening: Array
    bottom: Array
    exponent: Array
    reciprocity: float
    spread: float
    precision: float
    walk: float
    walk_slope: float


def aspiration(at: Messages, p: Parameters) -> Array:
    """(N,) theta_t."""
    gone = at.time ** (1 / p.exponent)
    found: Array = p.opening - (p.opening - p.bottom) * gone - p.reciprocity * at.change
    return found


def row_log_likelihood(at: Messages, p: Parameters, action: Actions, demand: Array) -> Array:
    """(N,) log-likelihood of each message; ``demand`` is NaN where none was made."""
    theta = aspiration(at, p)
    there = np.isfinite(at.offered)
    x = np.where(there, at.offered, 0.0)
    leave = p.walk + p.walk_slope * (p.bottom - x)
    take = p.precision * (x - theta)
    stay = log_expit(-leave)
    refuse = np.where(there, log_expit(-take), 0.0)
    offer = _demand_log_probability(at, theta, p.spread, demand)
    found: Array = np.select(
        [action == WALK, action == ACCEPT],
        [log_expit(leave), stay + log_expit(take)],
        stay + refuse + offer,
    )
    return found


def _demand_log_probability(at: Messages, theta: Array, spread: float, demand: Array) -> Array:
    """(N,) log-probability of a demand's cell on the grid, above what is offered."""
    half = at.step / 2
    top = demand >= 1 - half
    floor = np.where(np.isfinite(at.offered), at.offered + half, -np.inf)
    low = np.maximum(np.where(top, 1 - half, demand - half), floor)
    high = np.where(top, np.inf, demand + half)
    found: Array = _log_between((low - theta) / spread, (high - theta) / spread) - log_ndtr(
        -(floor - theta) / spread
    )
    return np.where(np.isfinite(demand), found, 0.0)


def _log_between(low: Array, high: Array) -> Array:
    """Log of the normal probability between two ends, accurate in both tails."""
    flip = low > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        upper, lower = log_ndtr(b), log_ndtr(a)
        found: Array = upper + np.log1p(-np.exp(np.minimum(lower - upper, 0.0)))
    return found


def draw(at: Messages, p: Parameters, rng: np.random.Generator) -> tuple[Actions, Array]:
    """Actions (N,) and demands (N,) on the grid; NaN except for offers."""
    theta = aspiration(at, p)
    there = np.isfinite(at.offered)
    x = np.where(there, at.offered, 0.0)
    leaves = rng.random(x.size) < expit(p.walk + p.walk_slope * (p.bottom - x))
    takes = there & (rng.random(x.size) < expit(p.precision * (x - theta)))
    action = np.where(leaves, WALK, np.where(takes, ACCEPT, OFFER))
    floor = np.where(there, at.offered + at.step / 2, -np.inf)
    raw = truncnorm.rvs(
        (floor - theta) / p.spread, np.inf, theta, p.spread, random_state=rng, size=x.size
    )
    demand = np.where(action == OFFER, _on_grid(raw, at, x, there), np.nan)
    return action.astype(np.int64), demand


def _on_grid(raw: Array, at: Messages, offered: Array, there: npt.NDArray[np.bool_]) -> Array:
    """The nearest price of the grid: counted from the other's offer where there is one."""
    base = np.where(there, offered, 1.0)
    steps = np.rint((raw - base) / at.step)
    found: Array = base + at.step * np.where(there, np.maximum(steps, 1), steps)
    return np.minimum(found, 1.0)


def one(p: Parameters, n: int) -> Parameters:
    """The parameters of one message."""
    return replace(p, opening=p.opening[[n]], bottom=p.bottom[[n]], exponent=p.exponent[[n]])
