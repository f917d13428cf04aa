"""Calibration, recovery and power on a model whose posterior is known exactly."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.inference.evaluation.recovery import power, recovery
from many_wolves.inference.evaluation.sbc import BAND, calibration, holm, rank_test
from many_wolves.inference.evaluation.simulation_study import (
    RANKS,
    Posterior,
    Simulated,
    Simulation,
    one_simulation,
    rank,
    simulations,
)

OBSERVATIONS = 6


def simulate(rng: np.random.Generator) -> Simulated:
    """Three means with standard normal prior, six observations of each with unit noise."""
    means = rng.standard_normal(3)
    data = rng.normal(means, 1.0, (OBSERVATIONS, 3))
    truth = {"mean": means, "gap": means[0] - means[1], "log_lik": log_likelihood(means, data)}
    return Simulated(truth, data)


def log_likelihood(means: Array, data: Array) -> Array:
    residual = data - means[..., None, :]
    return np.asarray(-0.5 * (residual**2).sum(axis=(-1, -2)))


def fitter(widen: float = 1.0, shift: float = 0.0) -> Callable[[Array, int], Posterior]:
    """The exact posterior; or one that is too wide, or displaced, by design."""

    def fit(data: Array, seed: int) -> Posterior:
        rng = np.random.default_rng(seed)
        precision = 1.0 + OBSERVATIONS
        noise = widen * rng.standard_normal((2, 200, 3)) / np.sqrt(precision)
        draws = data.sum(axis=0) / precision + shift + noise
        return Posterior(
            {
                "mean": draws,
                "gap": draws[..., 0] - draws[..., 1],
                "log_lik": log_likelihood(draws, data),
            }
        )

    return fit


def run(fit: Callable[[Any, int], Posterior], n: int = 200, seed: int = 1) -> list[Simulation]:
    return [one_simulation(simulate, fit, seed, index) for index in range(n)]


@pytest.fixture(scope="module")
def exact() -> list[Simulation]:
    return run(fitter())


def test_an_exact_posterior_is_calibrated(exact: list[Simulation]) -> None:
    result = calibration(exact)
    assert result.ok
    assert result.verdict == "calibrated: none of 5 quantities deviates in 200 simulations"
    assert [test.name for test in result.tests] == [
        "mean[0]",
        "mean[1]",
        "mean[2]",
        "gap",
        "log_lik",
    ]
    assert all(test.shape == "uniform" for test in result.tests)
    for test in result.tests:
        assert ((test.lower <= test.difference) & (test.difference <= test.upper)).all()


@pytest.mark.parametrize(
    ("fit", "quantity", "words"),
    [
        (fitter(widen=0.6), "mean[1]", "posterior too narrow"),
        (fitter(widen=1.7), "mean[1]", "posterior too wide"),
        (fitter(shift=0.2), "mean[2]", "posterior too high"),
        (fitter(shift=-0.2), "mean[2]", "posterior too low"),
    ],
)
def test_a_wrong_posterior_is_found(
    fit: Callable[[Array, int], Posterior], quantity: str, words: str
) -> None:
    result = calibration(run(fit, 120))
    table = result.table().set_index("quantity")
    assert not result.ok
    assert result.verdict.startswith("not calibrated")
    assert table.loc[quantity, "shape"] == words
    assert table.loc[quantity, "p_holm"] < 0.05


def test_the_log_likelihood_sees_a_posterior_that_forgot_the_data() -> None:
    def prior_only(data: Array, seed: int) -> Posterior:
        draws = np.random.default_rng(seed).standard_normal((2, 200, 3))
        return Posterior(
            {
                "mean": draws,
                "gap": draws[..., 0] - draws[..., 1],
                "log_lik": log_likelihood(draws, data),
            }
        )

    table = calibration(run(prior_only, 120)).table().set_index("quantity")
    assert (table.loc[["mean[0]", "mean[1]", "mean[2]"], "p_holm"] > 0.05).all()
    assert table.loc["log_lik", "p_holm"] < 0.001


@pytest.mark.parametrize(("n", "levels"), [(50, 19), pytest.param(200, 99, marks=pytest.mark.slow)])
def test_the_band_holds_uniform_ranks_at_its_rate(n: int, levels: int) -> None:
    rng = np.random.default_rng(4)
    runs = 400
    outside, small = 0, 0
    for _ in range(runs):
        test = rank_test("x", rng.integers(0, levels + 1, n), levels)
        inside = (test.lower - 1e-12 <= test.difference) & (test.difference <= test.upper + 1e-12)
        outside += not inside.all()
        small += test.p < 1 - BAND
    # Counts are whole numbers, so the rate is at most the nominal one, and near it.
    assert 0.02 * runs < outside < 0.08 * runs
    assert 0.02 * runs < small < 0.08 * runs


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_adjusted_p_values_are_larger_and_keep_their_order(p: list[float]) -> None:
    raw = np.array(p)
    adjusted = holm(raw)
    assert (adjusted >= raw).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(raw)]) >= 0).all()
    assert adjusted.min() == pytest.approx(min(1.0, raw.min() * raw.size))


@given(st.integers(0, 99), st.integers(0, 2**32))
@settings(max_examples=30)
def test_a_rank_counts_the_draws_below(below: int, seed: int) -> None:
    draws = np.concatenate([np.zeros(below), np.full(RANKS - below, 2.0)])
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(draws).reshape(1, -1)
    assert rank(1.0, shuffled, rng) == below


def test_ties_are_broken_at_random() -> None:
    rng = np.random.default_rng(1)
    found = [rank(0.0, np.zeros((1, RANKS)), rng) for _ in range(500)]
    assert min(found) < 10
    assert max(found) > 90
    assert abs(np.mean(found) - RANKS / 2) < 6


def test_recovery_of_an_exact_posterior(exact: list[Simulation]) -> None:
    table = recovery(exact).set_index("quantity")
    assert list(table.index) == ["mean", "gap"]
    row = table.loc["mean"]
    assert row["n"] == 600
    assert row["rmse"] == pytest.approx(1 / np.sqrt(7), rel=0.1)
    assert row["prior_rmse"] == pytest.approx(1.0, rel=0.1)
    assert row["prior_draw_rmse"] == pytest.approx(np.sqrt(2), rel=0.1)
    assert row["contraction"] == pytest.approx(1 - 1 / 7, abs=0.05)
    assert abs(row["bias"]) < 4 * row["bias_se"]
    for percent in (50, 80, 95):
        assert abs(row[f"coverage_{percent}"] - percent) < 3 * row[f"coverage_{percent}_se"]
    assert row["verdict"] == "as stated"


def test_recovery_names_intervals_that_hold_too_few() -> None:
    table = recovery(run(fitter(widen=0.5), 120), by="scalar").set_index("quantity")
    assert set(table.index) == {"mean[0]", "mean[1]", "mean[2]", "gap"}
    assert "% of truths in 50 % intervals" in table.loc["mean[0]", "verdict"]
    assert table.loc["mean[0]", "coverage_95"] < 85


def test_recovery_against_a_prior_that_is_given(exact: list[Simulation]) -> None:
    rng = np.random.default_rng(1)
    names = [f"mean[{i}]" for i in range(3)]
    prior = {name: rng.normal(5.0, 2.0, 5000) for name in names} | {"gap": rng.normal(0, 2, 5000)}
    row = recovery(exact, prior=prior).set_index("quantity").loc["mean"]
    assert row["prior_rmse"] == pytest.approx(np.sqrt(25 + 1), rel=0.05)
    assert row["contraction"] == pytest.approx(1 - 1 / 7 / 4, abs=0.02)


def test_power_grows_with_the_difference_and_keeps_its_level_at_none() -> None:
    def gap_of(size: float) -> Callable[[np.random.Generator], Simulated]:
        def simulate_gap(rng: np.random.Generator) -> Simulated:
            data = rng.normal([size, 0.0, 0.0], 1.0, (OBSERVATIONS, 3))
            return Simulated({"gap": size}, data)

        return simulate_gap

    def measured(size: float) -> Any:
        done = [one_simulation(gap_of(size), flat_fit, 3, i) for i in range(150)]
        return power(done, "gap")

    def flat_fit(data: Array, seed: int) -> Posterior:
        rng = np.random.default_rng(seed)
        centre = data.mean(axis=0)
        noise = rng.standard_normal((2, 300)) * np.sqrt(2 / OBSERVATIONS)
        return Posterior({"gap": centre[0] - centre[1] + noise})

    none, some, large = measured(0.0), measured(1.0), measured(3.0)
    assert none.low <= 0.05 <= none.high
    # A two-sided z test with standard error sqrt(2/6) sees 1.0 in 41 % of samples.
    assert some.low <= 0.41 <= some.high
    assert large.power > 0.98
    assert some.low < some.power < some.high
    assert some.error == pytest.approx(np.sqrt(2 / OBSERVATIONS), rel=0.2)


def test_a_cut_run_ends_with_the_same_lines(tmp_path: Path) -> None:
    whole = simulations(simulate, fitter(), 12, seed=5, path=tmp_path / "whole.jsonl")
    path = tmp_path / "cut.jsonl"
    simulations(simulate, fitter(), 5, seed=5, path=path)
    with path.open("a") as handle:
        handle.write('{"schema": 1, "index": 5, "quant')
    seen: list[tuple[int, int]] = []
    resumed = simulations(
        simulate, fitter(), 12, seed=5, path=path, progress=lambda done, of: seen.append((done, of))
    )
    assert resumed == whole
    assert seen == [(i, 12) for i in range(6, 13)]
    assert path.read_text() == (tmp_path / "whole.jsonl").read_text()


def test_parallel_runs_give_the_same_simulations(tmp_path: Path) -> None:
    serial = simulations(simulate, fitter(), 20, seed=5, path=tmp_path / "a.jsonl")
    with ThreadPoolExecutor(2) as executor:
        parallel = simulations(
            simulate, fitter(), 20, seed=5, path=tmp_path / "b.jsonl", executor=executor
        )
    assert parallel == serial


def test_a_file_of_another_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    simulations(simulate, fitter(), 1, seed=5, path=path, settings={"items": 13})
    with pytest.raises(WolvesError, match="another seed or other settings"):
        simulations(simulate, fitter(), 1, seed=6, path=path, settings={"items": 13})
    with pytest.raises(WolvesError, match="another seed or other settings"):
        simulations(simulate, fitter(), 1, seed=5, path=path, settings={"items": 12})


def test_two_runs_do_not_write_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"

    def meanwhile(done: int, n: int) -> None:
        if done == 1:
            with pytest.raises(WolvesError, match="another process"):
                simulations(simulate, fitter(), 3, seed=5, path=path)

    simulations(simulate, fitter(), 3, seed=5, path=path, progress=meanwhile)
    assert len(path.read_text().splitlines()) == 1 + 3


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    simulations(simulate, fitter(), 2, seed=5, path=path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], '{"index": 0, "unknown": 1}', lines[2]]) + "\n")
    with pytest.raises(WolvesError) as caught:
        simulations(simulate, fitter(), 2, seed=5, path=path)
    assert caught.value.line == 2
    assert caught.value.where == str(path)


def test_a_fit_that_fails_is_kept_and_counted() -> None:
    exact_fit = fitter()

    def sometimes(data: Array, seed: int) -> Posterior:
        if seed % 4 == 0:
            raise WolvesError("no answers")
        return exact_fit(data, seed)

    done = run(sometimes, 60)
    failed = sum(bool(s.error) for s in done)
    assert failed > 0
    result = calibration(done)
    assert not result.ok
    assert result.failed == failed
    assert f"{failed} fits failed" in result.verdict
    assert recovery(done).set_index("quantity").loc["mean", "n"] == 3 * (60 - failed)


def test_a_line_is_read_back_as_it_was(exact: list[Simulation]) -> None:
    assert Simulation.from_json(json.loads(json.dumps(exact[0].to_json()))) == exact[0]


def test_too_few_simulations_are_refused(exact: list[Simulation]) -> None:
    with pytest.raises(WolvesError, match="at least 20"):
        calibration(exact[:10])
    with pytest.raises(WolvesError, match="at least 99 draws"):
        rank(0.0, np.zeros((1, 98)), np.random.default_rng(1))
