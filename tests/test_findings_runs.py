"""Findings on runs of training whose truth is known."""

import numpy as np
import pytest

from known_speakers import PLAIN, covers, run_of, speaker
from many_wolves.families.politeness.reporting.quantities import QUANTITIES
from many_wolves.findings.dynamics import dynamics, early_share, runs


def test_drift_is_found_with_its_size_its_early_share_and_its_end():
    rng = np.random.default_rng(6)
    t = np.arange(11) / 10
    path = 0.3 + 0.4 * np.minimum(t, 0.4) / 0.4
    stated = {s.id: s for s in dynamics(run_of(rng, path, 2000), QUANTITIES, 1)}
    net = stated["dynamics/run/-/phi/step 1,000 - step 0"]
    assert covers(net, 0.4) and net.evidence == "strong"
    share = stated["dynamics/run/-/early share/first 25 % of training"]
    assert covers(share, 0.25 / 0.4)
    point = stated["dynamics/run/-/change point/share of training"]
    assert covers(point, 0.4) and np.diff(point.interval)[0] < 0.25
    assert stated["dynamics/run/-/change/training moves anything"].estimate > 0.99


def test_a_run_that_stands_still_has_no_share_and_no_change():
    quiet = 0
    for repeat in range(20):
        rng = np.random.default_rng([7, repeat])
        stated = list(dynamics(run_of(rng, np.full(8, 0.4)), QUANTITIES, repeat))
        quiet += not any(s.quantity == "early share" for s in stated)
        assert next(s for s in stated if s.quantity == "change").estimate < 0.5
    assert quiet >= 18


def test_early_share_and_change_point_cover_the_truth():
    t = np.arange(9) / 8
    inside = {"share": 0, "point": 0}
    for repeat in range(40):
        rng = np.random.default_rng([8, repeat])
        k = rng.uniform(0.3, 0.9)
        path = 0.3 + 0.4 * np.minimum(t, k) / k
        found = run_of(rng, path, 600)
        stated = list(dynamics(found, QUANTITIES, repeat))
        drift = np.interp(0.25, t, path) - path[0]
        truth = {"early share": drift / 0.4, "change point": k}
        at = {s.quantity: s for s in stated if s.quantity in truth}
        inside["share"] += covers(at["early share"], truth["early share"])
        inside["point"] += covers(at["change point"], truth["change point"])
    assert inside["share"] >= 34 and inside["point"] >= 34


def test_early_share_of_an_overshoot_is_above_one():
    drift = np.array([[0.0], [1.2], [1.0], [1.0], [1.0]])[:, :, None] + np.zeros((5, 1, 4))
    share = early_share(drift, np.arange(5.0))
    assert share is not None and share == pytest.approx(1.2)


def test_a_base_model_before_training_begins_its_runs():
    rng = np.random.default_rng(9)
    base = speaker(rng, "hf/llama", {"social": PLAIN}, base="llama")
    other = speaker(rng, "hf/qwen", {"social": PLAIN}, base="qwen")
    steps = [
        speaker(rng, "hf/llama-hh", {"social": PLAIN}, step=s, base="llama", feedback="hh")
        for s in (200, 100)
    ]
    (found,) = runs([*steps, base, other])
    assert found.at.tolist() == [0, 100, 200] and found.members[0] is base
    assert runs(steps) == []
