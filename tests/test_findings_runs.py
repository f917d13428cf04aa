"""Findings on runs of training whose truth is known."""

import numpy as np
import pytest

from known_speakers import PLAIN, covers, run_of, speaker
from many_wolves.families.politeness.reporting.quantities import QUANTITIES
from many_wolves.findings.dynamics import dynamics, early_share, runs
from many_wolves.findings.scaling import size_of
from many_wolves.records.speaker import joined_labels


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
    for repeat in range(12):
        rng = np.random.default_rng([7, repeat])
        stated = list(dynamics(run_of(rng, np.full(8, 0.4)), QUANTITIES, repeat))
        quiet += not any(s.quantity == "early share" for s in stated)
        assert next(s for s in stated if s.quantity == "change").estimate < 0.5
    assert quiet >= 11


def test_early_share_and_change_point_cover_the_truth():
    t = np.arange(9) / 8
    inside = {"share": 0, "point": 0}
    for repeat in range(24):
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
    assert inside["share"] >= 20 and inside["point"] >= 20


def test_early_share_of_an_overshoot_is_above_one():
    drift = np.array([[0.0], [1.2], [1.0], [1.0], [1.0]])[:, :, None] + np.zeros((5, 1, 4))
    share = early_share(drift, np.arange(5.0))
    assert share is not None and share == pytest.approx(1.2)


def test_models_of_two_organisations_with_one_name_are_two_runs():
    rng = np.random.default_rng(10)
    asked = [
        speaker(rng, f"hf/{who}/tiny", {"social": PLAIN}, step=s)
        for who in ("a", "x")
        for s in (1, 2, 3)
    ]
    found = runs(asked)
    assert [run.name for run in found] == ["hf/a/tiny", "hf/x/tiny"]
    assert [list(run.members) for run in found] == [asked[:3], asked[3:]]


def test_stages_have_no_common_axis_and_tokens_are_called_tokens():
    rng = np.random.default_rng(11)
    model = "hf/org/olmo"
    first = [speaker(rng, model, {"social": PLAIN}, step=s, tokens=3e9 * s) for s in (1, 900, 1000)]
    later = [
        speaker(rng, model, {"social": PLAIN}, step=s, tokens=4e9 * s, training_stage="stage2")
        for s in (1, 5, 11)
    ]
    found = runs([*later, *first])
    assert {run.name: list(run.members) for run in found} == {"olmo": first, "olmo stage2": later}
    words = {s.words for run in found for s in dynamics(run.members, QUANTITIES, 1)}
    assert any("from 3,000,000,000 tokens to 3,000,000,000,000 tokens" in w for w in words)
    assert not any(" step " in w for w in words)
    assert [size_of(m, "tokens") for m in (first[0], later[0])] == [3e9, None]


def test_no_fit_is_lost_where_two_have_one_position():
    rng = np.random.default_rng(12)
    twice = [speaker(rng, "hf/run", {"social": PLAIN}, step=s) for s in (1, 1, 2, 2, 3, 3)]
    found = runs(twice)
    assert [run.name for run in found] == ["run (1)", "run (2)"]
    assert [list(run.members) for run in found] == [twice[::2], twice[1::2]]


def test_a_given_position_replaces_the_one_in_the_name():
    known = {"model": "hf/olmo", "step": 9, "tokens": 5e10, "training_stage": "stage2"}
    assert joined_labels(known, {"tokens": 4e12}) == {"model": "hf/olmo", "tokens": 4e12}
    assert joined_labels(known, {"group": "a"}) == known | {"group": "a"}


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
