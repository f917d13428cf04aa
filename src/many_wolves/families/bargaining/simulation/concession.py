"""A speaker's next move, in NumPy: its kind, and the fraction of the gap that an offer gives up.

A move is one of walk, back, hold, split, concede, accept. Their log-odds against *hold* are
linear in covariates. A concession other than a split gives up the fraction f of the gap. log(f / (1
- f)) is logistic, with a location that is linear in covariates, and a scale. Prices are on a grid,
so f is known to half a step. Fractions that round to the split are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, logsumexp

from many_wolves.outcomes import Array

KINDS = ("walk", "back", "hold", "split", "concede", "accept")
FREE = tuple(kind for kind in KINDS if kind != "hold")
"""Kinds that have log-odds."""
SOFT = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
"""How a chain's or game's softness moves the log-odds of each kind."""
_EPS = 1e-9
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Situations:
    """Where a speaker stands when it is to move.

    Parameters
    ----------
    gap
        (N,) own demand less what the other side offers, in shares of the pie; above 0.
    step
        (N,) one step of the grid.
    design
        (N, P) covariates.
    """

    gap: Array
    step: Array
    design: Array

    @property
    def relative_step(self) -> Array:
        """(N,) one step as a fraction of the gap."""
        return self.step / self.gap

    @property
    def steps(self) -> Array:
        """(N,) steps of the grid between both prices."""
        return np.rint(1 / self.relative_step)

    @property
    def split_half_width(self) -> Array:
        """(N,) half the width of the split's cells, as a fraction of the gap.

        With an odd number of steps, both prices next to the middle are splits.
        """
        width = np.where(self.steps % 2 == 1, 1.0, 0.5) * self.relative_step
        return np.minimum(width, 0.5)

    @property
    def available(self) -> Bool:
        """(N, 6) kinds that are possible: with one step between both prices, no offer is left."""
        N = self.gap.size
        found = np.ones((N, len(KINDS)), dtype=bool)
        found[:, KINDS.index("split")] = self.steps >= 2
        found[:, KINDS.index("concede")] = self.steps >= 4
        return found


@dataclass(frozen=True)
class Parameters:
    """Known parameters.

    Parameters
    ----------
    kinds
        (5, 1 + P) intercept and coefficients of the log-odds of ``FREE``.
    size
        (1 + P,) the same of the logit of the conceded fraction.
    scale
        Scale of the logistic.
    """

    kinds: Array
    size: Array
    scale: float


def log_odds(at: Situations, p: Parameters, shift: Array, softness: Array) -> Array:
    """(N, 6) log-odds of each kind; -inf where it is not available.

    ``shift`` (N, 5) are deviations of the role prompt, ``softness`` (N,) of chain and game.
    """
    odds = np.zeros((at.gap.size, len(KINDS)))
    free = [KINDS.index(kind) for kind in FREE]
    odds[:, free] = p.kinds[:, 0] + at.design @ p.kinds[:, 1:].T + shift
    odds += softness[:, None] * SOFT
    found: Array = np.where(at.available, odds, -np.inf)
    return found


def kind_log_probability(at: Situations, p: Parameters, shift: Array, softness: Array) -> Array:
    """(N, 6) log-probability of each kind."""
    odds = log_odds(at, p, shift, softness)
    found: Array = odds - logsumexp(odds, axis=1, keepdims=True)
    return found


def middle(at: Situations, p: Parameters, shift: Array) -> Array:
    """(N,) logit of the middle conceded fraction."""
    found: Array = p.size[0] + at.design @ p.size[1:] + shift
    return found


def size_log_probability(at: Situations, p: Parameters, shift: Array, fraction: Array) -> Array:
    """(N,) log-probability of a conceded fraction, known to half a step, given a concession.

    ``fraction`` is NaN where there was none; the result is 0 there.
    """
    m, half = middle(at, p, shift), at.relative_step / 2
    low, high = cell_of(at, fraction)

    def below(x: Array) -> Array:
        found: Array = expit((logit(np.clip(x, _EPS, 1 - _EPS)) - m) / p.scale)
        return found

    inside = below(high) - below(low)
    reach = below(1 - half) - below(half)
    split = below(0.5 + at.split_half_width) - below(0.5 - at.split_half_width)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(inside) - np.log(reach - split)
    return np.where(np.isfinite(fraction), found, 0.0)


def cell_of(at: Situations, fraction: Array) -> tuple[Array, Array]:
    """(N,) bounds of each fraction's cell on the grid, without the split's cells."""
    half = at.relative_step / 2
    low, high = fraction - half, fraction + half
    split_low, split_high = 0.5 - at.split_half_width, 0.5 + at.split_half_width
    high = np.where(fraction < 0.5, np.maximum(np.minimum(high, split_low), fraction), high)
    low = np.where(fraction > 0.5, np.minimum(np.maximum(low, split_high), fraction), low)
    return np.maximum(low, half), np.minimum(high, 1 - half)


def classify(
    gap: Array, step: Array, own: Array, demand: Array, move: npt.NDArray[np.str_]
) -> npt.NDArray[np.int64]:
    """(N,) number of the kind of each move in ``KINDS``.

    ``own`` and ``demand`` are the standing and the new demand, as shares of the pie.
    """
    with np.errstate(invalid="ignore"):
        conceded = own - demand
        near_half = np.abs(conceded - gap / 2) <= np.minimum(step, gap) / 2 + _EPS
        kind = np.select(
            [move == "walk", move == "accept", np.abs(conceded) <= step / 2 - _EPS,
             conceded < 0, near_half],
            [KINDS.index(k) for k in ("walk", "accept", "hold", "back", "split")],
            KINDS.index("concede"),
        )  # fmt: skip
    return kind.astype(np.int64)


def draw(
    at: Situations,
    p: Parameters,
    shift: Array,
    size_shift: Array,
    softness: Array,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.int64], Array]:
    """Kinds (N,) and conceded fractions (N,) on the grid; NaN except for concessions."""
    p_kind = np.exp(kind_log_probability(at, p, shift, softness))
    kinds = (rng.random((at.gap.size, 1)) > p_kind.cumsum(axis=1)).sum(axis=1)
    kinds = np.minimum(kinds, len(KINDS) - 1)
    m, fraction = middle(at, p, size_shift), np.full(at.gap.size, np.nan)
    for n in np.flatnonzero(kinds == KINDS.index("concede")):
        fraction[n] = draw_size(at, int(n), float(m[n]), p.scale, rng)
    return kinds.astype(np.int64), fraction


def draw_size(at: Situations, n: int, m: float, scale: float, rng: np.random.Generator) -> float:
    """A conceded fraction on the grid other than a split, drawn by the mass of the cells."""
    step = float(at.relative_step[n])
    grid = step * np.arange(1, round(1 / step))
    grid = grid[np.abs(grid - 0.5) > at.split_half_width[n] + _EPS]
    same = np.ones(grid.size)
    one = Situations(same * at.gap[n], same * at.step[n], np.zeros((grid.size, 0)))
    p = Parameters(np.zeros((5, 1)), np.array([m]), scale)
    weights = np.exp(size_log_probability(one, p, np.zeros(grid.size), grid))
    return float(rng.choice(grid, p=weights / weights.sum()))


def row_log_likelihood(
    at: Situations,
    p: Parameters,
    shift: Array,
    size_shift: Array,
    softness: Array,
    kinds: npt.NDArray[np.int64],
    fraction: Array,
) -> Array:
    """(N,) log-likelihood of each move: its kind, and the size of a concession."""
    by_kind = kind_log_probability(at, p, shift, softness)[np.arange(kinds.size), kinds]
    found: Array = by_kind + size_log_probability(at, p, size_shift, fraction)
    return found
