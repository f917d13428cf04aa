"""When a trajectory stops drifting: a broken-stick model with its exact posterior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from many_wolves.contracts import Array
from many_wolves.findings.halfnormal import nodes

DRIFT_SD = 0.5
ROUGHNESS = nodes(8, 0.05)
"""Number of grid nodes for the standard deviation of the remainder at each checkpoint."""
BREAKS = 100
"""Number of equal parts of training; their midpoints are the grid of breaks."""


@dataclass(frozen=True)
class ChangePoint:
    """The posterior of the point at which a run settles.

    Parameters
    ----------
    moves
        (D,) one if the trajectory drifts at all, else zero.
    at
        (D,) share of training at which the drift ends, given that there is one; 1 if it
        continues to the end.
    """

    moves: Array
    at: Array


def settling(at: Array, drawn: Array, rng: np.random.Generator, draws: int = 4000) -> ChangePoint:
    """Posterior of the breakpoint, which all quantities share.

    The vector of quantities is level + drift * min(t, k) / k + remainder, where t is the
    share of training from 0 to 1. Level and drift are normal (mean 0.5 and 0, sd 0.5).
    The remainder is normal with one unknown sd, half-normal(0.05). Each checkpoint
    is measured with the covariance of its fit. The break k is uniform on (0, 1), and
    the prior probability of no drift at all is one half.

    Parameters
    ----------
    at
        (n,) steps or tokens, ascending.
    drawn
        (n, quantities, D) posterior draws of each checkpoint's fit.
    """
    t = (at - at[0]) / (at[-1] - at[0])
    mean, cov = _measured(drawn)
    breaks = (np.arange(BREAKS) + 0.5) / BREAKS
    shapes = [np.zeros_like(t), *(np.minimum(t, k) / k for k in breaks)]
    log_p = np.array([_evidence(shape, mean, cov) for shape in shapes])
    log_prior = np.log([0.5, *np.full(BREAKS, 0.5 / BREAKS)])
    weight = np.exp(log_p + log_prior - (log_p + log_prior).max())
    still = weight[0] / weight.sum()
    moving = weight[1:] / weight[1:].sum()
    return ChangePoint(
        moves=(rng.random(draws) >= still).astype(np.float64),
        at=rng.choice(breaks, size=draws, p=moving) + (rng.random(draws) - 0.5) / BREAKS,
    )


def _measured(drawn: Array) -> tuple[Array, Array]:
    """Means (n, K) and covariances (n, K, K) in the directions in which anything varies.

    Weights sum to one, so the quantities have fewer dimensions than names.
    """
    centred = drawn - 0.5
    pooled = np.moveaxis(centred, 1, 0).reshape(drawn.shape[1], -1)
    values, directions = np.linalg.eigh(np.atleast_2d(np.cov(pooled)))
    basis = directions[:, values > 1e-8]
    turned = np.einsum("nqd,qk->nkd", centred, basis)
    return turned.mean(axis=2), np.array([np.atleast_2d(np.cov(one)) for one in turned])


def _evidence(shape: Array, mean: Array, cov: Array) -> float:
    """Log marginal likelihood of a shape, with the remainder's sd integrated over its prior."""
    # Imported here, because a study plan needs only the names of figures.
    from scipy.linalg import block_diag, cho_factor, cho_solve

    n, k = mean.shape
    between = DRIFT_SD**2 * (np.ones((n, n)) + np.outer(shape, shape))
    prior = np.kron(between, np.eye(k))
    measured = block_diag(*cov)
    y = mean.ravel()
    at_nodes = []
    for rough in ROUGHNESS:
        factor = cho_factor(prior + measured + rough**2 * np.eye(n * k), lower=True)
        log_det = 2 * np.log(np.diag(factor[0])).sum()
        at_nodes.append(-0.5 * (log_det + y @ cho_solve(factor, y)))
    return float(np.logaddexp.reduce(at_nodes) - np.log(len(at_nodes)))
