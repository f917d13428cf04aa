"""Linear regression on quantities that are known only through their posteriors.

Each fit measures a quantity with an error of known variance. Given the standard deviations of its
random effects, the regression is a normal model. So only these are integrated out, on a grid.
No Markov chains are needed, so nothing has to converge. (Random-effects meta-regression:
Higgins, Thompson & Spiegelhalter 2009,
J. R. Stat. Soc. A 172, 137.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from many_wolves.contracts import Array
from many_wolves.findings import halfnormal

SPREAD = 0.2
"""Scale of the half-normal prior on the standard deviation of a random effect; the
quantities live between 0 and 1."""
NODES = 24
LEAST = 0.1
"""Smallest relative reduction of the prior's variance that the division by the prior allows for."""


@dataclass(frozen=True)
class Measured:
    """The likelihood of a quantity in fits, without their priors.

    Parameters
    ----------
    mean, variance
        (n,) moments of the normal likelihood of each fit.
    """

    mean: Array
    variance: Array


@dataclass(frozen=True)
class Regression:
    """Draws of a regression.

    Parameters
    ----------
    coefficients
        (D, p) draws of the coefficients.
    spreads
        (D, k) standard deviations of the random effects.
    """

    coefficients: Array
    spreads: Array


def measured(draws: Sequence[Array], prior_mean: float, prior_sd: float) -> Measured:
    """The likelihood of each fit: its posterior divided by its prior, with normal approximations.

    Without the division, the prior would count once per fit, and
    shrink all differences between fits towards zero. A posterior that is hardly
    narrower than the prior implies an almost flat likelihood.

    Parameters
    ----------
    draws
        (D,) posterior draws of the quantity from each fit.
    prior_mean, prior_sd
        Moments of the quantity under the prior of the fits.
    """
    mean = np.array([np.mean(d) for d in draws])
    variance = np.array([np.var(d) for d in draws])
    taken = np.maximum(1 - variance / prior_sd**2, LEAST)
    return Measured(prior_mean + (mean - prior_mean) / taken, variance / taken)


def regression(
    y: Measured,
    X: Array,
    Z: Sequence[Array],
    prior_mean: Array,
    prior_sd: Array,
    rng: np.random.Generator,
    draws: int = 4000,
) -> Regression:
    """Draws from the posterior of y = X b + sum_k Z_k u_k + error.

    Parameters
    ----------
    y
        The n measured quantities.
    X
        (n, p) design of the coefficients, which are normal with ``prior_mean`` and
        ``prior_sd`` (p,).
    Z
        Designs (n, q_k) of the random effects u_k ~ normal(0, s_k), with s_k
        half-normal(``SPREAD``).
    draws
        Number of draws.
    """
    nodes = [halfnormal.nodes(NODES, SPREAD) for _ in Z]
    log_p, _, _ = evidence(y, X, Z, prior_mean, prior_sd, nodes)
    nodes = [_finer(values, log_p, axis) for axis, values in enumerate(nodes)]
    log_p, means, roots = evidence(y, X, Z, prior_mean, prior_sd, nodes)
    # The nodes of the finer grid are evenly spaced, so all have the same weight.
    weight = np.exp(log_p - log_p.max()).ravel()
    chosen = rng.choice(weight.size, size=draws, p=weight / weight.sum())
    points = np.array(list(product(*nodes))).reshape(-1, len(Z))
    noise = rng.standard_normal((draws, X.shape[1]))
    coefficients = means[chosen] + np.einsum("dij,dj->di", roots[chosen], noise)
    return Regression(coefficients, points[chosen])


def evidence(
    y: Measured,
    X: Array,
    Z: Sequence[Array],
    prior_mean: Array,
    prior_sd: Array,
    nodes: Sequence[Array],
) -> tuple[Array, Array, Array]:
    """Log densities and coefficients at each node of the grid of spreads.

    Returns the joint log density of data and spreads, in the grid's shape. For g nodes, it also
    returns the posterior means (g, p) of the coefficients and the roots (g, p, p) of their
    covariances.
    """
    n = len(X)
    points = np.array(list(product(*nodes))).reshape(-1, len(Z))
    gram = np.array([z @ z.T for z in Z]).reshape(len(Z), n, n)
    cov = np.diag(y.variance) + np.tensordot(points**2, gram, axes=1)
    residual = y.mean - X @ prior_mean
    factor = np.asarray(np.linalg.cholesky(cov), np.float64)
    # Rows of the regression, each divided by its standard error.
    white = np.linalg.solve(
        factor, np.broadcast_to(np.c_[X, residual], (len(points), n, 1 + X.shape[1]))
    )
    rows, rest = white[..., :-1], white[..., -1]
    root = np.linalg.cholesky(rows.mT @ rows + np.diag(prior_sd**-2.0)).astype(np.float64)
    score = np.linalg.solve(root, np.einsum("gnp,gn->gp", rows, rest)[..., None])[..., 0]
    back = np.linalg.inv(root).astype(np.float64).mT
    log_det = _log_diagonal(factor) + _log_diagonal(root) + np.log(prior_sd).sum()
    log_p = -0.5 * ((rest**2).sum(-1) - (score**2).sum(-1)) - log_det
    log_p += halfnormal.log_density(points, SPREAD).sum(-1)
    shift = (back @ score[..., None])[..., 0]
    return log_p.reshape([len(values) for values in nodes] or [1]), prior_mean + shift, back


def _log_diagonal(factor: Array) -> Array:
    """Half the log determinant of each matrix, from its Cholesky factor."""
    half: Array = np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(-1)
    return half


def _finer(values: Array, log_p: Array, axis: int) -> Array:
    """Evenly spaced nodes that cover the posterior of one spread."""
    rest = tuple(a for a in range(log_p.ndim) if a != axis)
    marginal = np.exp(log_p - log_p.max()).sum(axis=rest) * np.gradient(values)
    held = np.cumsum(marginal / marginal.sum())
    first, last = np.searchsorted(held, [1e-4, 1 - 1e-4])
    low = float(values[first - 1]) if first > 0 else 0.0
    high = float(values[min(int(last) + 1, len(values) - 1)])
    edges = np.linspace(low, high, NODES + 1)
    middles: Array = (edges[1:] + edges[:-1]) / 2
    return middles
