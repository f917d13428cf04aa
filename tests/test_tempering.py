"""Tempering: swaps keep every power's distribution, and evenly spaced powers let states pass."""

import numpy as np
import pytest
from scipy.stats import norm

from many_wolves.inference.sampling.tempering import Swaps, respaced

HEAVY, SHARE, APART, NARROW = 0.8, 0.2, 6.0, 0.5


def log_likelihood(x):
    """Two hills 6 apart, whose valley a step of a random walk does not cross."""
    return np.logaddexp(
        np.log(HEAVY) + norm.logpdf(x, -APART / 2, NARROW),
        np.log(SHARE) + norm.logpdf(x, APART / 2, NARROW),
    )


def walk(x, powers, rng):
    """One Metropolis step at each power; the prior is flat on [-8, 8]."""
    new = x + rng.normal(scale=0.5 + 1.5 * (1 - powers))
    gain = powers * (log_likelihood(new) - log_likelihood(x))
    taken = (np.log(rng.uniform(size=len(x))) < gain) & (np.abs(new) < 8)
    return np.where(taken, new, x)


def run(powers, rounds, seed):
    rng = np.random.default_rng(seed)
    swaps, x, kept = Swaps(powers), np.full(len(powers), -APART / 2), []
    for turn in range(rounds):
        x = walk(x, powers, rng)
        x = x[swaps.offer(log_likelihood(x), bool(turn % 2), rng)]
        kept.append(x[0])
    return np.array(kept), swaps


def test_each_hill_holds_its_share_of_the_draws():
    draws, swaps = run(np.geomspace(1, 0.02, 8), 8_000, 1)
    assert (draws > 0).mean() == pytest.approx(SHARE, abs=0.05)
    for side in (-1, 1):
        hill = draws[draws * side > 0]
        assert hill.mean() == pytest.approx(side * APART / 2, abs=0.05)
        assert hill.std() == pytest.approx(NARROW, abs=0.05)
    assert swaps.trips > 25
    assert sorted(swaps.state) == list(range(8))


def test_without_swaps_the_walk_stays_where_it_began():
    rng = np.random.default_rng(2)
    x = np.full(1, -APART / 2)
    for _ in range(5000):
        x = walk(x, np.ones(1), rng)
    assert x[0] < 0


def test_new_powers_refuse_evenly():
    uneven = np.array([1.0, 0.9, 0.8, 0.1, 0.02])
    _, before = run(uneven, 4000, 3)
    even = respaced(uneven, before.refusals)
    assert even[[0, -1]] == pytest.approx([1.0, 0.02])
    assert (np.diff(even) < 0).all()
    _, after = run(even, 4000, 3)
    assert np.ptp(after.refusals) < 0.5 * np.ptp(before.refusals)


def test_a_trip_is_from_the_lowest_power_to_the_highest():
    class Always:
        def uniform(self):
            return 1e-300

    swaps = Swaps(np.array([1.0, 0.5, 0.1]))
    better = np.array([0.0, 0.0, 0.0])
    for turn in range(6):
        swaps.offer(better, bool(turn % 2), Always())
    # Three states in a ring of swaps: each has come up from below once, but the first.
    assert swaps.trips == 2
