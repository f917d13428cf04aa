"""Checks of a choice table: whether a speaker did the task, and how sure that is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.reading.permutation import between, by_place, codes
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.records import Response, Trial
from many_wolves.records.check import summary
from policies import FAMILY, answers, check, first_place, honest, kind, said, scored, text_of


def test_a_speaker_that_does_the_task_passes(trials):
    table = FAMILY.tabulate(answers(trials, kind), scoring="sum")
    assert all(c.ok for c in table.checks)
    assert {c.name for c in table.checks} == {
        *("readable", "state", "place", "goal"),
        *("literal_readable", "literal_state", "literal_place"),
    }
    assert "depends on the goal" in check(table, "goal").statement
    assert check(table, "goal").p_value <= 0.01
    same = FAMILY.tabulate(answers(trials, honest), scoring="sum")
    assert check(same, "goal").ok
    assert "does not depend on the goal" in check(same, "goal").statement


def test_a_speaker_that_takes_the_first_place_fails(choice):
    table = FAMILY.tabulate(answers(choice[:160], first_place), scoring="sum")
    place = check(table, "place")
    assert not place.ok
    assert place.statement == (
        "Speaker anthropic/claude chose the option in place A in 100 % of 160 answers, "
        "whatever its content: the speaker did not do the task."
    )
    assert place.p_value <= 0.01
    assert not check(table, "state").ok
    assert "does not depend on the state (160 choices" in check(table, "state").statement


@pytest.mark.parametrize("limit", [16, 32, 96])
def test_place_is_found_out_in_small_studies(limit):
    trials = trials_of(PolitenessDesign(tasks=("choice",), limit=limit, framings=("third",)))
    table = FAMILY.tabulate(answers(trials, first_place), scoring="sum")
    assert not check(table, "place").ok


def test_a_speaker_of_one_word_fails_by_state_and_not_by_place(choice):
    table = FAMILY.tabulate(answers(choice, lambda trial: "amazing"), scoring="sum")
    assert not check(table, "state").ok
    assert check(table, "state").statement.endswith("the speaker did not do the task.")
    assert check(table, "place").ok


def test_a_slight_position_effect_is_reported_and_passes(choice):
    def sometimes(trial: Trial) -> str:
        fifth = int(trial.id, 16) % 12 == 0
        return first_place(trial) if fifth else honest(trial)

    table = FAMILY.tabulate(answers(choice, sometimes), scoring="sum")
    assert check(table, "place").ok
    assert "towards place A" in check(table, "place").statement


def test_scores_are_checked_like_choices(choice):
    def peaked(trial: Trial, option: str, height: float) -> Response:
        return scored(trial, {o.id: height * (o.id == option) for o in trial.options})

    for policy, failed in ((honest, set()), (first_place, {"place", "state"})):
        responses = [peaked(t, policy(t), 3.0) for t in choice]
        table = FAMILY.tabulate(responses, scoring="sum")
        assert {c.name for c in table.checks if not c.ok} == failed
    # significant, because nothing is random, and yet too weak to be of use
    weak = FAMILY.tabulate([peaked(t, honest(t), 0.1) for t in choice], scoring="sum")
    assert check(weak, "state").p_value <= 0.01
    assert "hardly depends on the state" in check(weak, "state").statement
    assert not check(weak, "state").ok


def test_replicates_are_no_independent_evidence():
    part = {"goals": ("social", "both"), "framings": ("third",)}
    trials = trials_of(PolitenessDesign(tasks=("choice",), limit=32, **part))
    rng = np.random.default_rng(3)
    chosen = {t.id: t.options[int(rng.integers(8))].text for t in trials}
    responses = [said(t, chosen[t.id], replicate=r) for t in trials for r in range(50)]
    once = FAMILY.tabulate(responses[::50], scoring="sum")
    often = FAMILY.tabulate(responses, scoring="sum")
    for name in ("state", "place", "goal"):
        assert check(often, name).p_value == check(once, name).p_value


def test_unreadable_answers_fail_their_check(choice):
    responses = [
        said(t, text_of(t, honest(t)) if i % 2 else "who knows") for i, t in enumerate(choice)
    ]
    table = FAMILY.tabulate(responses, scoring="sum")
    readable = check(table, "readable")
    assert not readable.ok
    assert readable.statement.startswith("Speaker anthropic/claude: 312 of 624 choices (50 %)")
    silent = FAMILY.tabulate([said(t, "") for t in choice[:9]], scoring="sum")
    assert [c.name for c in silent.checks] == ["readable"]
    assert not silent.checks[0].ok


def test_a_factor_that_was_not_varied_is_not_checked():
    trials = trials_of(PolitenessDesign(tasks=("choice",), goals=("social",)))
    one = [t for t in trials if t.cell["state"] == 2]
    table = FAMILY.tabulate(answers(one, honest), scoring="sum")
    assert "one goal only" in check(table, "goal").statement
    assert "one state only" in check(table, "state").statement
    assert math.isnan(check(table, "state").p_value)
    assert check(table, "state").verdict == "not checked"
    assert check(table, "goal").verdict == "note"
    assert summary(table.checks) == "not checked: state"
    item = [t for t in trials if t.cell["item"] == "cake"]
    table = FAMILY.tabulate(
        [said(t, text_of(t, honest(t)), replicate=r) for t in item for r in range(3)]
    )
    assert check(table, "state").ok
    assert "cannot be known without more items" in check(table, "state").statement


def test_one_order_of_options_cannot_tell_an_effect_of_place(choice):
    place = check(FAMILY.tabulate(answers(choice[:1], kind), scoring="sum"), "place")
    assert place.verdict == "not checked"
    assert "in one order only" in place.statement


def test_the_tests_keep_their_level_under_the_null():
    """Of 100 data sets without any effect, about 5 % fall below 0.05 (99.9 % bounds)."""
    rng = np.random.default_rng(0)
    state = codes(np.tile(np.arange(4), 16).tolist())
    strata = codes(np.repeat(np.arange(4), 16).tolist())
    low = np.zeros(2)
    for _ in range(100):
        weights = np.eye(5)[rng.choice(5, 64, p=[0.4, 0.3, 0.1, 0.1, 0.1])]
        places = np.argsort(rng.random((64, 5)), axis=1)
        low[0] += between(weights, state, strata, 1).p_value <= 0.05
        low[1] += by_place(weights, places, np.zeros(64, dtype=np.int64), 1).p_value <= 0.05
    assert (low >= 1).all()
    assert (low <= 13).all()


def test_an_effect_has_its_size():
    """Two states, always another option: half of the choices must move to be alike."""
    weights = np.eye(2)[np.tile([0, 1], 200)]
    effect = between(weights, codes([0, 1] * 200), np.zeros(400, dtype=np.int64), 1)
    assert effect.p_value == pytest.approx(0.001)
    assert 0.45 <= effect.size <= 0.5
