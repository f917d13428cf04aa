"""The reasons why a finding is missing are true, also where fits did not converge."""

from __future__ import annotations

import numpy as np
import pytest

from known_speakers import speaker
from many_wolves.families.politeness.references import SPEAKER
from many_wolves.families.politeness.reporting.quantities import QUANTITIES
from many_wolves.findings.lacking import reasons

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
