"""Log marginal likelihood by bridge sampling, with its error.

The posterior draws are standardized and made symmetric, so that a standard normal proposal overlaps
them (warp-III: Meng & Schilling 2002, doi:10.1198/106186002457). The optimal bridge is iterated to
its fixed point (Meng & Wong 1996, Statistica Sinica 6:831). One half of every chain gives the warp,
the other half crosses the bridge, and then they change places. So no draw is judged by a proposal
that it shaped, and no draw is wasted. The error is that of Fruehwirth-Schnatter (2004,
doi:10.1111/j.1368-423X.2004.00125.x), with the effective number of draws in place of her spectral
density.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from arviz_stats.base import array_stats
from scipy.special import logsumexp

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.inference.threads import on_one_thread

LogDensity = Callable[[Array], Array]
"""Unnormalised log density at every row: (m, dim) -> (m,)."""

TOLERANCE = 1e-10
"""Largest change of the log marginal likelihood, in nats, at the fixed point."""

MAX_ITERATIONS = 1000
"""Steps after which the iteration is given up."""

STREAM = 0xB71D6E
"""Sets the proposals' random numbers apart from any other use of the same seed."""

DISAGREEMENT = 4.0
"""The halves disagree if their estimates differ by more than this many standard errors."""


@dataclass(frozen=True, slots=True)
class Half:
    """One crossing: proposal from one half of the draws, bridge over the other.

    Parameters
    ----------
    log_ml
        Log marginal likelihood, nats.
    se_draws, se_proposals
        Each side's part of the standard error of ``log_ml``, nats. Their squares add up to the
        relative mean-squared error of the marginal likelihood.
    iterations
        Steps to the fixed point.
    converged
        Whether the fixed point was reached.
    ess
        Effective number of posterior draws on the bridge.
    """

    log_ml: float
    se_draws: float
    se_proposals: float
    iterations: int
    converged: bool
    ess: float

    @property
    def se(self) -> float:
        """Standard error of ``log_ml``, nats."""
        return float(np.hypot(self.se_draws, self.se_proposals))


@dataclass(frozen=True, slots=True)
class Bridge:
    """Log marginal likelihood with its error.

    Parameters
    ----------
    log_ml
        Log marginal likelihood, nats.
    se
        Standard error of ``log_ml``, nats. It covers the sampling error of posterior and proposal
        draws. It does not cover a mode that the draws miss.
    relative_mse
        Relative mean-squared error of the marginal likelihood (not its logarithm).
    iterations
        Steps to the fixed point, the larger of the two halves.
    halves
        The two crossings that were averaged.
    ok
        Whether the estimate is reliable.
    verdict
        The reason, in words.
    """

    log_ml: float
    se: float
    relative_mse: float
    iterations: int
    halves: tuple[Half, Half]
    ok: bool
    verdict: str


@on_one_thread
def bridge(
    draws: Array,
    log_density: LogDensity,
    *,
    seed: int,
    proposals: int | None = None,
) -> Bridge:
    """Log of the integral of ``exp(log_density)`` from draws of that density.

    Parameters
    ----------
    draws
        Draws on an unconstrained scale: (chains, n, dim).
    log_density
        Unnormalised log density on that scale (Jacobian included), taking (m, dim).
    seed
        Seed of the proposal draws.
    proposals
        Proposal draws for each half; by default, as many as the half has draws.

    Raises
    ------
    WolvesError
        If there are too few draws for the dimension, or a draw or its density is
        not finite.
    """
    chains, n, dim = _checked(draws)
    # A separate stream: proposals must not repeat the numbers behind draws that were simulated from
    # the same seed.
    rng = np.random.default_rng([seed, STREAM])
    first, second = draws[:, : n // 2], draws[:, n // 2 : 2 * (n // 2)]
    count = proposals or chains * (n // 2)

    def cross(fitted: Array, crossing: Array) -> Half:
        z = rng.standard_normal((count, dim))
        return _cross(fitted, crossing, z, log_density)

    halves = (cross(first, second), cross(second, first))
    log_ml = (halves[0].log_ml + halves[1].log_ml) / 2
    # The proposals are independent, the draws are not. Each half is judged by the warp of the
    # other, so both errors share the product of their two misfits.
    from_draws = (halves[0].se_draws + halves[1].se_draws) / 2
    from_proposals = float(np.hypot(halves[0].se_proposals, halves[1].se_proposals)) / 2
    se = float(np.hypot(from_draws, from_proposals))
    ok, verdict = _verdict(halves)
    iterations = max(half.iterations for half in halves)
    return Bridge(log_ml, se, float(np.expm1(se**2)), iterations, halves, ok, verdict)


def _checked(draws: Array) -> tuple[int, int, int]:
    if draws.ndim != 3:
        raise WolvesError(f"expected draws as (chains, n, dim), found {draws.ndim} dimensions")
    chains, n, dim = draws.shape
    needed = 4 * max(dim + 1, 10)
    if chains * n < needed or n < 8:
        raise WolvesError(
            f"expected at least {needed} draws for {dim} parameters (and 8 in each chain), "
            f"found {chains} x {n}",
            fix="sample more draws",
        )
    if not np.isfinite(draws).all():
        raise WolvesError("expected finite draws, found NaN or infinity among them")
    return chains, n, dim


def _cross(
    fitted: Array,
    crossing: Array,
    z: Array,
    log_density: LogDensity,
) -> Half:
    """Bridge from the warp of ``fitted`` draws over to ``crossing`` draws."""
    dim = z.shape[1]
    flat = fitted.reshape(-1, dim)
    centre = flat.mean(axis=0)
    factor = np.linalg.cholesky(_covariance(flat))
    log_volume = float(np.log(np.diag(factor)).sum())

    def log_ratio(points: Array) -> Array:
        """Warped target over standard normal, at standardised points."""
        away = points @ factor.T
        both = np.stack(
            [_density(log_density, centre + away), _density(log_density, centre - away)]
        )
        log_normal = -0.5 * (points**2).sum(axis=1) - 0.5 * dim * np.log(2 * np.pi)
        ratio: Array = logsumexp(both, axis=0) - np.log(2) + log_volume - log_normal
        return ratio

    standard = np.linalg.solve(factor, (crossing.reshape(-1, dim) - centre).T).T
    at_draws = log_ratio(standard)
    if not np.isfinite(at_draws).all():
        raise WolvesError(
            f"expected a finite log density at every draw, found {np.sum(~np.isfinite(at_draws))} "
            f"of {at_draws.size} that are not",
            fix="pass draws on the same unconstrained scale as the density",
        )
    return between(at_draws.reshape(crossing.shape[:2]), log_ratio(z))


def _covariance(flat: Array) -> Array:
    """Covariance, nudged to be positive definite where draws hardly move."""
    covariance = np.atleast_2d(np.cov(flat, rowvar=False))
    floor = 1e-10 * max(float(np.trace(covariance)) / len(covariance), 1e-300)
    nudged: Array = covariance + floor * np.eye(len(covariance))
    return nudged


def _density(log_density: LogDensity, points: Array) -> Array:
    """Log density, with NaN replaced by minus infinity."""
    values = np.asarray(log_density(points), dtype=np.float64)
    return np.where(np.isnan(values), -np.inf, values)


def _ess(values: Array) -> float:
    """Effective number of draws for the mean of ``values`` (chains, n)."""
    if float(np.ptp(values)) == 0.0:
        return float(values.size)
    ess = float(array_stats.ess(values, chain_axis=0, draw_axis=1, method="mean"))
    return min(ess, float(values.size)) if np.isfinite(ess) else float(values.size)


def between(at_draws: Array, at_proposals: Array) -> Half:
    """Optimal bridge between two densities from draws of both.

    Parameters
    ----------
    at_draws
        (chains, n) log ratio of the unnormalised densities, first over second, at
        draws of the first.
    at_proposals
        (m,) the same at independent draws of the second.

    Returns
    -------
    Half
        Log of the ratio of their normalising constants, with its error.
    """
    shift = float(np.median(at_draws))
    draws, proposals = at_draws - shift, at_proposals - shift
    ess = _ess(draws)
    log_ml, log_ml_before = 0.0, np.inf
    iterations = 0
    # The weight of the posterior side depends on the effective draws of the bridge function. These
    # are known only near the fixed point, so the iteration runs twice.
    for _ in range(2):
        share = ess / (ess + proposals.size)
        while iterations < MAX_ITERATIONS:
            iterations += 1
            upper, lower = _bridged(draws, proposals, share, log_ml)
            log_ml_before = log_ml
            log_ml = float(logsumexp(upper) - np.log(upper.size))
            log_ml -= float(logsumexp(lower) - np.log(lower.size))
            if abs(log_ml - log_ml_before) <= TOLERANCE:
                break
        upper, lower = _bridged(draws, proposals, share, log_ml)
        ess = _ess(np.exp(lower - lower.max()))
    return Half(
        log_ml=log_ml + shift,
        se_draws=float(np.sqrt(_relative_variance(lower) / ess)),
        se_proposals=float(np.sqrt(_relative_variance(upper) / upper.size)),
        iterations=iterations,
        converged=abs(log_ml - log_ml_before) <= TOLERANCE,
        ess=ess,
    )


def _bridged(draws: Array, proposals: Array, share: float, log_ml: float) -> tuple[Array, Array]:
    """Logs of the bridge function's two sides, at proposals and at draws."""
    rest = np.log1p(-share) + log_ml
    upper = proposals - np.logaddexp(np.log(share) + proposals, rest)
    lower = -np.logaddexp(np.log(share) + draws, rest)
    return np.where(np.isneginf(proposals), -np.inf, upper), lower


def _relative_variance(logs: Array) -> float:
    """Variance over squared mean of ``exp(logs)``."""
    values = np.exp(logs - logs.max())
    return float(values.var(ddof=1) / values.mean() ** 2)


def _verdict(halves: tuple[Half, Half]) -> tuple[bool, str]:
    """Whether the estimate is reliable, and the reason in words."""
    first, second = halves
    if not (first.converged and second.converged):
        return False, "unreliable: the bridge did not reach its fixed point"
    apart = abs(first.log_ml - second.log_ml)
    expected = float(np.hypot(first.se, second.se))
    if apart > DISAGREEMENT * expected:
        return False, (
            f"unreliable: the halves of the draws differ by {apart:.2f} nats where "
            f"{expected:.2f} is expected; the chains have not mixed"
        )
    return True, f"the halves of the draws agree ({apart:.3f} nats apart, {expected:.3f} expected)"
