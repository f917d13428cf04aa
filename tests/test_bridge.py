"""Bridge sampling against integrals known in closed form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import betaln, gammaln, log_expit
from scipy.stats import binom

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.inference.evaluation.bridge import bridge

Sampler = Callable[[np.random.Generator, int, int], Array]
Target = tuple[Callable[[Array], Array], float, Sampler]


def conjugate_gaussian(dim: int, observations: int = 7) -> Target:
    """Prior N(0, I), data N(mean, 1): the evidence is that of a joint normal."""
    rng = np.random.default_rng(dim)
    data = rng.normal(0.5, 1.0, (observations, dim))
    total = data.sum(axis=0)
    precision = observations + 1.0

    def log_density(x: Array) -> Array:
        prior = -0.5 * (x**2).sum(axis=1)
        residual = data[None] - x[:, None]
        constant = -0.5 * dim * (observations + 1) * np.log(2 * np.pi)
        return prior - 0.5 * (residual**2).sum(axis=(1, 2)) + constant

    covariance = np.eye(observations) + 1.0
    logdet = np.linalg.slogdet(covariance)[1]
    quadratic = np.einsum("id,ij,jd->", data, np.linalg.inv(covariance), data)
    truth = -0.5 * (quadratic + dim * logdet + dim * observations * np.log(2 * np.pi))

    def sample(rng: np.random.Generator, chains: int, n: int) -> Array:
        noise = rng.standard_normal((chains, n, dim))
        return total / precision + noise / np.sqrt(precision)

    return log_density, float(truth), sample


def beta_binomial(successes: list[int], trials: int) -> Target:
    """Uniform prior on every probability, drawn and integrated on the logit scale."""
    k = np.array(successes, dtype=float)
    log_choose = gammaln(trials + 1) - gammaln(k + 1) - gammaln(trials - k + 1)

    def log_density(x: Array) -> Array:
        return (log_choose + (k + 1) * log_expit(x) + (trials - k + 1) * log_expit(-x)).sum(axis=1)

    def sample(rng: np.random.Generator, chains: int, n: int) -> Array:
        # Through gamma variates, as a beta near zero underflows on its way to the logit.
        a = rng.gamma(k + 1, size=(chains, n, k.size))
        b = rng.gamma(trials - k + 1, size=(chains, n, k.size))
        return np.log(a) - np.log(b)

    truth = float((log_choose + betaln(k + 1, trials - k + 1)).sum())
    assert truth == pytest.approx(-k.size * np.log(trials + 1))
    return log_density, truth, sample


def log_gamma(shape: float, dim: int) -> Target:
    """Log of gamma variates: skewed, an exponential tail on the left."""

    def log_density(x: Array) -> Array:
        return (shape * x - np.exp(x)).sum(axis=1)

    def sample(rng: np.random.Generator, chains: int, n: int) -> Array:
        return np.log(rng.gamma(shape, size=(chains, n, dim)))

    return log_density, dim * float(gammaln(shape)), sample


def correlated(draws: Array, repeats: int) -> Array:
    """Every draw repeated, as by a sampler that stays: only one in ``repeats`` counts."""
    return np.repeat(draws[:, ::repeats], repeats, axis=1)[:, : draws.shape[1]]


TARGETS = {
    "gaussian-1": conjugate_gaussian(1),
    "gaussian-45": conjugate_gaussian(45),
    "beta-binomial": beta_binomial([0, 1, 10, 24, 49], 49),
    "beta-binomial-32": beta_binomial([0, 1, 10, 25] * 8, 49),
    "log-gamma": log_gamma(1.0, 10),
}


@pytest.mark.parametrize("name", TARGETS)
def test_the_truth_lies_within_the_error(name: str) -> None:
    log_density, truth, sample = TARGETS[name]
    rng = np.random.default_rng(11)
    result = bridge(sample(rng, 4, 1000), log_density, seed=3)
    assert result.ok, result.verdict
    assert result.se < 0.06
    assert abs(result.log_ml - truth) < 4 * result.se


@pytest.mark.parametrize(
    ("name", "repeats"),
    [
        *(("gaussian-45", 1), ("beta-binomial", 1), ("log-gamma", 1), ("beta-binomial", 5)),
        pytest.param("gaussian-45", 5, marks=pytest.mark.slow),
        pytest.param("log-gamma", 5, marks=pytest.mark.slow),
    ],
)
def test_the_error_covers_the_truth_at_its_rate(name: str, repeats: int) -> None:
    log_density, truth, sample = TARGETS[name]
    runs = 60
    z = np.empty(runs)
    for run in range(runs):
        draws = correlated(sample(np.random.default_rng(run), 4, 500), repeats)
        result = bridge(draws, log_density, seed=run)
        z[run] = (result.log_ml - truth) / result.se
    covered = int((np.abs(z) < 1.96).sum())
    assert binom.cdf(covered, runs, 0.95) > 0.001, f"{covered} of {runs} covered"
    assert 0.4 < z.std() < 1.45
    assert abs(z.mean()) < 0.5


def test_repeated_runs_agree_within_the_error() -> None:
    log_density, _, sample = TARGETS["beta-binomial"]
    first, second = (
        bridge(sample(np.random.default_rng(run), 4, 1000), log_density, seed=run) for run in (1, 2)
    )
    assert abs(first.log_ml - second.log_ml) < 4 * np.hypot(first.se, second.se)


def test_the_seed_decides_the_run() -> None:
    log_density, _, sample = TARGETS["gaussian-1"]
    draws = sample(np.random.default_rng(5), 2, 200)
    assert bridge(draws, log_density, seed=1) == bridge(draws, log_density, seed=1)
    assert bridge(draws, log_density, seed=1) != bridge(draws, log_density, seed=2)


def test_a_constant_in_the_density_moves_the_evidence_by_as_much() -> None:
    log_density, _, sample = TARGETS["log-gamma"]
    draws = sample(np.random.default_rng(5), 2, 300)
    plain = bridge(draws, log_density, seed=1)
    moved = bridge(draws, lambda x: log_density(x) - 5000.0, seed=1)
    assert moved.log_ml == pytest.approx(plain.log_ml - 5000.0, abs=1e-6)
    assert moved.se == pytest.approx(plain.se, rel=1e-4)


def test_draws_may_have_any_scale_and_place() -> None:
    log_density, truth, sample = TARGETS["gaussian-45"]
    scale, place = 1e-4, 300.0
    draws = sample(np.random.default_rng(5), 4, 500) * scale + place
    result = bridge(draws, lambda x: log_density((x - place) / scale), seed=1)
    assert abs(result.log_ml - (truth + 45 * np.log(scale))) < 4 * result.se


def test_mass_that_is_missing_beyond_a_bound_is_handled() -> None:
    def half_normal(x: Array) -> Array:
        return np.where(x[:, 0] > 0, -0.5 * x[:, 0] ** 2, -np.inf)

    draws = np.abs(np.random.default_rng(5).standard_normal((4, 1000, 1)))
    result = bridge(draws, half_normal, seed=1)
    assert abs(result.log_ml - 0.5 * np.log(np.pi / 2)) < 4 * result.se


def test_chains_in_different_places_at_different_times_are_not_trusted() -> None:
    log_density, _, sample = TARGETS["gaussian-1"]
    draws = sample(np.random.default_rng(5), 4, 400)
    drifted = draws.copy()
    drifted[:, 200:] += 4.0
    assert bridge(draws, log_density, seed=1).ok
    result = bridge(drifted, log_density, seed=1)
    assert not result.ok
    assert "unreliable" in result.verdict


@pytest.mark.parametrize(
    ("draws", "words"),
    [
        (np.zeros((4, 100)), "chains, n, dim"),
        (np.zeros((2, 10, 45)), "at least 184 draws"),
        (np.full((2, 100, 1), np.nan), "finite draws"),
    ],
)
def test_unfit_draws_are_refused(draws: Array, words: str) -> None:
    with pytest.raises(WolvesError, match=words):
        bridge(draws, lambda x: -0.5 * (x**2).sum(axis=1), seed=1)


def test_draws_outside_the_density_are_refused() -> None:
    draws = np.random.default_rng(5).standard_normal((2, 100, 1))
    with pytest.raises(WolvesError, match="finite log density at every draw"):
        bridge(draws, lambda x: np.where(x[:, 0] > 0, 0.0, -np.inf), seed=1)
