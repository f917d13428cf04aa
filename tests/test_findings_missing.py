"""The reasons why a finding is missing are true, also where fits did not converge."""

from __future__ import annotations

import numpy as np
import pytest

from known_speakers import speaker
from many_wolves.families.politeness.references import SPEAKER
from many_wolves.families.politeness.reporting.quantities import QUANTITIES
from many_wolves.findings import run
from many_wolves.findings.gaps import reasons

PLAIN = {"social": (0.4, 0.3, 0.3, 0.4)}


def made(name: str, **labels: str | float):
    return speaker(np.random.default_rng(1), name, PLAIN, **labels)


def test_a_checkpoint_that_did_not_converge_is_named() -> None:
    steps = [made("hf/tiny", step=s) for s in (100.0, 200.0, 300.0)]
    kept, gone = [steps[0], steps[2]], [steps[1].fit]
    (said,) = [s for s in reasons(kept, QUANTITIES, gone) if "training" in s]
    assert "tiny has 3 checkpoints, 2 of which converged (left out: " in said
    assert steps[1].label in said and said.endswith("findings on training need 3.")
    (said,) = [s for s in reasons(kept, QUANTITIES) if "training" in s]
    assert said.startswith("No speaker was asked at 3 or more checkpoints")
    assert not any("training" in s for s in reasons(steps, QUANTITIES))


def test_a_checkpoint_of_a_stage_with_too_few_is_named() -> None:
    first = [made("hf/tiny", tokens=at) for at in (3e9, 4e11, 4e12)]
    second = made("hf/tiny", tokens=5e10, training_stage="stage2-ingredient1")
    (said,) = [s for s in reasons([*first, second], QUANTITIES) if "training" in s]
    assert said.startswith(f"Left out of the effects of training: {second.label}. ")
    assert said.endswith("need 3 checkpoints of one run.")


def test_people_who_did_not_converge_are_not_to_be_added() -> None:
    people, other = made(SPEAKER), made("hf/a")
    (said,) = [s for s in reasons([other], QUANTITIES, [people.fit]) if "people" in s]
    assert "did not converge" in said and "Add one" not in said
    (said,) = [s for s in reasons([other], QUANTITIES) if "people" in s]
    assert "Add one: `wolves fit" in said


@pytest.mark.parametrize(
    ("kept", "gone", "words"),
    [
        (["none"], ["low"], "did not converge: "),
        (["low", "high"], [], "both at the effort `none` and at another one"),
        (["none"], [], "were asked at one effort"),
    ],
)
def test_efforts_that_cannot_be_compared(kept, gone, words) -> None:
    members = [made("api/m", effort=e) for e in kept]
    left = [made("api/m", effort=e).fit for e in gone]
    (said,) = [s for s in reasons(members, QUANTITIES, left) if "effort" in s]
    assert words in said


def test_a_checkpoint_that_did_not_do_the_task_has_no_effect_of_training() -> None:
    steps = [made("hf/tiny", step=float(s)) for s in (100, 200, 300)]
    idle = speaker(np.random.default_rng(1), "hf/tiny", PLAIN, failed=True, step=400.0)
    (said,) = [s for s in reasons([*steps, idle], QUANTITIES) if "training" in s]
    assert (
        said
        == f"Left out of the effects of training, because they did not do the task: {idle.label}."
    )
    (out, short) = [s for s in reasons([*steps[:2], idle], QUANTITIES) if "training" in s]
    assert idle.label in out
    assert "2 of which converged and did the task (left out: " in short


def test_an_effort_at_which_the_task_was_not_done_is_not_compared() -> None:
    high = speaker(np.random.default_rng(1), "api/m", PLAIN, failed=True, effort="high")
    none, low = (made("api/m", effort=e) for e in ("none", "low"))
    (out, missing) = [s for s in reasons([none, high], QUANTITIES) if "effort" in s]
    assert out.endswith(f"did not do the task: {high.label}.")
    assert missing.startswith("Findings on effort are missing, since some speakers did not do")
    (out,) = [s for s in reasons([none, low, high], QUANTITIES) if "effort" in s]
    assert out.startswith("Left out of the effects of effort")


def test_a_size_at_which_the_task_was_not_done_is_left_out_of_laws() -> None:
    idle = speaker(np.random.default_rng(1), "hf/small", PLAIN, failed=True, parameters=1e8)
    large = made("hf/large", parameters=1e9)
    (said,) = [s for s in reasons([idle, large], QUANTITIES, axes=["parameters"]) if "size" in s]
    assert idle.label in said and large.label not in said


def test_effects_of_effort_and_size_are_those_of_speakers_that_did_the_task(monkeypatch) -> None:
    sizes = [made(f"hf/{n}", parameters=10.0**n) for n in (7, 8, 9, 10, 11)]
    efforts = [made("api/m", effort=e) for e in ("none", "low")]
    idle = [
        speaker(np.random.default_rng(1), "hf/6", PLAIN, failed=True, parameters=1e6),
        speaker(np.random.default_rng(1), "api/m", PLAIN, failed=True, effort="high"),
    ]
    monkeypatch.setattr(run, "members", lambda fits, *_: fits)
    monkeypatch.setattr(run, "quantities_of", lambda _: QUANTITIES)
    monkeypatch.setattr(run, "_families", lambda _: ["politeness"])
    without = run.state([*sizes, *efforts], axes=["parameters"])
    found = run.state([*sizes, *efforts, *idle], axes=["parameters"])
    for kind in ("effort", "scaling"):
        own, other = found.of(kind), without.of(kind)
        assert own and [s.id for s in own] == [s.id for s in other]
        assert all(np.array_equal(a.draws, b.draws) for a, b in zip(own, other, strict=True))
    assert any("effort and size" in sentence for sentence in found.lacking)
