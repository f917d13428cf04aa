"""Reference posteriors: what makes one, and that a fit which differs from it is noticed."""

import numpy as np
import pytest

from many_wolves.inference.engines.draws import SAMPLER_COLUMNS, Draws
from many_wolves.inference.evaluation import reference


def made_up(seed, chains=10, draws=1000, shift=0.0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(2, chains, draws))
    return {("alpha", ""): 5 + 0.3 * (values[0] + shift), ("phi", "both"): values[1]}


def sampled(divergences=0):
    rng = np.random.default_rng(0)
    sampler = np.zeros((10, 1000, len(SAMPLER_COLUMNS)))
    sampler[..., SAMPLER_COLUMNS.index("energy__")] = rng.normal(size=(10, 1000))
    sampler[0, :divergences, SAMPLER_COLUMNS.index("divergent__")] = 1
    return Draws(np.zeros((10, 1000, 1)), sampler, 1.0, "none")


def test_a_fresh_fit_agrees_with_its_reference_and_one_that_moved_does_not():
    expected = reference.summary(made_up(1))
    same = reference.compare(reference.summary(made_up(2, chains=4)), expected)
    assert same["ok"].all() and len(same) == 2 * (2 + len(reference.QUANTILES))
    moved = reference.compare(reference.summary(made_up(2, chains=4, shift=0.2)), expected)
    bad = moved[~moved["ok"]]
    assert set(bad["parameter"]) == {"alpha"} and "mean" in set(bad["statistic"])
    other = expected.assign(parameter="beta")
    with pytest.raises(ValueError, match="found others"):
        reference.compare(other, expected)


def test_errors_are_those_of_the_statistic():
    errors = reference.summary(made_up(3)).iloc[1]
    assert errors["mean_se"] == pytest.approx(0.01, rel=0.2)
    assert errors["sd_se"] == pytest.approx(0.01 / np.sqrt(2), rel=0.2)
    assert errors["q0.5_se"] == pytest.approx(0.01 * np.sqrt(np.pi / 2), rel=0.3)


def test_what_is_no_reference_posterior():
    table = reference.summary(made_up(4))
    assert reference.judge([sampled()], table).ok
    assert "divergences is 3" in reference.judge([sampled(), sampled(3)], table).reasons[0]
    sticky = np.cumsum(np.random.default_rng(5).normal(size=(10, 1000)), axis=1)
    said = " ".join(reference.judge([sampled()], reference.summary({("x", ""): sticky})).reasons)
    assert "max_r_hat" in said and "max_lag_one" in said


def test_thinning_keeps_every_tenth_draw():
    values = np.arange(200.0).reshape(2, 100)
    kept = reference.thinned(values, 10)
    assert kept.shape == (2, 10) and kept[0, 0] == 9 and kept[1, -1] == 199
    assert reference.lag_one(np.tile([1.0, -1.0], (2, 50))) == pytest.approx(-1, abs=0.05)


def test_regions_are_mixed_by_their_shares():
    one, other = ({("x", ""): np.full((10, 1000), value)} for value in (1.0, 5.0))
    values = reference.mixed([one, other], [0.9, 0.1], np.random.default_rng(6))[("x", "")]
    assert values.shape == (10, 1000)
    assert (values == 5.0).mean() == pytest.approx(0.1, abs=0.01)
    assert abs(reference.lag_one(values)) < 0.05
