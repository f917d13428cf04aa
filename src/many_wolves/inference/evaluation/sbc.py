"""Simulation-based calibration: do posterior intervals have their nominal coverage?

Parameters are drawn from the prior, data from the parameters, and the posterior
is fitted to the data. If program, simulator and sampler agree, the rank of every
true value among the draws is uniform (Talts et al. 2018, arXiv:1804.06788). The joint
log-likelihood is ranked too: it shows errors that no single parameter shows
(Modrak et al. 2023, doi:10.1214/23-BA1404). The verdict compares the empirical
distribution of the ranks with simultaneous bands (Sailynoja,
Buerkner & Vehtari 2022, doi:10.1007/s11222-022-10090-6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binom

from many_wolves.contracts import Array
from many_wolves.counting import number_of
from many_wolves.errors import WolvesError
from many_wolves.inference.evaluation.simulation_study import Simulation

BAND = 0.95
"""Probability that calibrated ranks stay within the whole band."""
NULL_RUNS = 20_000
"""Simulated sets of uniform ranks behind the bands and p-values."""
FEWEST = 20

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RankTest:
    """Ranks of one quantity against uniform ranks.

    Parameters
    ----------
    name
        The quantity.
    points
        (K,) fractions at which the distribution is evaluated.
    difference
        (K,) empirical distribution of the ranks minus ``points``.
    lower, upper
        (K,) simultaneous band of ``difference``, probability ``BAND``.
    p
        Probability that calibrated ranks deviate as far.
    shape
        The kind of deviation, in words.
    """

    name: str
    points: Array
    difference: Array
    lower: Array
    upper: Array
    p: float
    shape: str


@dataclass(frozen=True)
class Calibration:
    """Verdict over all quantities.

    Parameters
    ----------
    tests
        One per quantity.
    simulations, failed
        Simulations that were fitted, and those whose fit failed.
    few_draws
        Simulations with an effective sample size below the number of ranks, whose draws are not
        independent.
    divergent, unmixed
        Simulations with divergent transitions; with R-hat of 1.01 or more.
    ok
        Whether no quantity deviates, at 5 % for all quantities together (Holm).
    verdict
        In words.
    """

    tests: tuple[RankTest, ...]
    simulations: int
    failed: int
    few_draws: int
    divergent: int
    unmixed: int
    ok: bool
    verdict: str

    def table(self) -> pd.DataFrame:
        """One row per quantity: quantity, p, p_holm, shape."""
        p = np.array([test.p for test in self.tests])
        return pd.DataFrame(
            {
                "quantity": [test.name for test in self.tests],
                "p": p,
                "p_holm": holm(p),
                "shape": [test.shape for test in self.tests],
            }
        )


def calibration(done: Sequence[Simulation]) -> Calibration:
    """Test the ranks of ``many_wolves.inference.evaluation.simulation_study.simulations``.

    Raises
    ------
    WolvesError
        If fewer than 20 simulations were fitted.
    """
    fitted = [s for s in done if not s.error]
    if len(fitted) < FEWEST:
        raise WolvesError(
            f"expected at least {FEWEST} fitted simulations to judge, found {len(fitted)}",
            fix="run more simulations (200 or more are advised)",
        )
    levels = fitted[0].ranks
    tests = tuple(
        rank_test(name, np.array([s.quantities[name].rank for s in fitted]), levels)
        for name in fitted[0].quantities
    )
    adjusted = holm(np.array([test.p for test in tests]))
    astray = {t.name: t.shape for t, p in zip(tests, adjusted, strict=True) if p < 0.05}
    few = sum(min(q.ess for q in s.quantities.values()) < levels for s in fitted)
    unmixed = sum(max(q.r_hat for q in s.quantities.values()) >= 1.01 for s in fitted)
    failed = len(done) - len(fitted)
    return Calibration(
        tests=tests,
        simulations=len(fitted),
        failed=failed,
        few_draws=few,
        divergent=sum(s.divergences > 0 for s in fitted),
        unmixed=unmixed,
        ok=not astray and failed <= 0.02 * len(done),
        verdict=_verdict(astray, len(tests), len(fitted), failed, few),
    )


def rank_test(name: str, ranks: Integers, levels: int) -> RankTest:
    """Compare ranks in 0..levels with uniform ones.

    Parameters
    ----------
    name
        The quantity, for the result.
    ranks
        (n,) one rank per simulation.
    levels
        Number of draws among which the truth was ranked.
    """
    n = ranks.size
    points = _points(levels)
    counts = _cumulative(ranks[None], levels)[0]
    null = _null(n, levels)
    gamma = float(_gamma(counts[None], n, points)[0])
    critical = float(np.quantile(null, 1 - BAND))
    lower, upper = binom.ppf([[critical / 2], [1 - critical / 2]], n, points) / n
    return RankTest(
        name=name,
        points=points,
        difference=counts / n - points,
        lower=lower - points,
        upper=upper - points,
        p=float((1 + (null <= gamma).sum()) / (1 + null.size)),
        shape=_shape(ranks, levels),
    )


def holm(p: Array) -> Array:
    """P-values adjusted for their number (Holm 1979)."""
    order = np.argsort(p)
    scaled = p[order] * np.arange(p.size, 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def _points(levels: int) -> Array:
    points: Array = np.arange(1, levels + 1) / (levels + 1)
    return points


def _cumulative(ranks: Integers, levels: int) -> Integers:
    """(m, levels) how many of each row's ranks lie below 1..levels."""
    rows = np.arange(len(ranks))[:, None] * (levels + 1)
    flat = np.bincount((rows + ranks).ravel(), minlength=len(ranks) * (levels + 1))
    cumulative: Integers = flat.reshape(len(ranks), levels + 1).cumsum(axis=1)[:, :-1]
    return cumulative


def _gamma(counts: Integers, n: int, points: Array) -> Array:
    """(m,) twice the smallest pointwise tail probability of each row of counts."""
    grid = np.arange(n + 1)[:, None]
    below = binom.cdf(grid, n, points)
    above = binom.sf(grid - 1, n, points)
    tail = np.minimum(below, above)
    smallest: Array = 2 * np.take_along_axis(tail, counts, axis=0).min(axis=1)
    return smallest


@lru_cache(maxsize=8)
def _null(n: int, levels: int) -> Array:
    """(NULL_RUNS,) ``_gamma`` of uniform ranks; the same for all quantities of a run."""
    rng = np.random.default_rng([n, levels])
    points = _points(levels)
    parts = [
        _gamma(_cumulative(rng.integers(0, levels + 1, (1000, n)), levels), n, points)
        for _ in range(NULL_RUNS // 1000)
    ]
    return np.concatenate(parts)


def _shape(ranks: Integers, levels: int) -> str:
    """The larger deviation, in location or in width, in words."""
    place = (ranks + 0.5) / (levels + 1) - 0.5
    n = place.size
    bias = float(place.mean()) / np.sqrt(1 / 12 / n)
    # Variance of squared deviation of a uniform variate from its middle: 1/180.
    width = float((place**2).mean() - 1 / 12) / np.sqrt(1 / 180 / n)
    if max(abs(bias), abs(width)) < 2.5:
        return "uniform"
    if abs(bias) >= abs(width):
        return "posterior too low" if bias > 0 else "posterior too high"
    return "posterior too narrow" if width > 0 else "posterior too wide"


def _verdict(astray: Mapping[str, str], tested: int, fitted: int, failed: int, few: int) -> str:
    parts = []
    if astray:
        named = "; ".join(f"{name} ({shape})" for name, shape in list(astray.items())[:5])
        parts.append(f"not calibrated: {len(astray)} of {tested} quantities deviate: {named}")
    else:
        parts.append(f"calibrated: none of {tested} quantities deviates in {fitted} simulations")
    if failed:
        parts.append(f"{number_of(failed, 'fit')} failed, without ranks")
    if few:
        parts.append(f"{few} simulations have too few effective draws for independent ranks")
    return "; ".join(parts)
