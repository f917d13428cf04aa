"""A speaker that did not do the task gets few further attempts, and its verdict says so."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from many_wolves.records.check import Check
from many_wolves.workflows.fits import FEW_ATTEMPTS, sampled
from many_wolves.workflows.sampling import Sampling


@dataclass(frozen=True)
class Diagnostics:
    ok: bool
    verdict: tuple[str, ...] = ("Only 300 effective draws.",)


@dataclass(frozen=True)
class Done:
    diagnostics: Diagnostics


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The arguments of the sampler, which ends with the verdict ``ok``."""
    kept: dict[str, Any] = {"ok": False}

    def fit(*_: Any, **words: Any) -> Done:
        kept.update(words)
        return Done(Diagnostics(kept["ok"]))

    monkeypatch.setattr("many_wolves.inference.sampling.retry.fit_with_retries", fit)
    return kept


def run(*checks: Check) -> tuple[str, ...]:
    observations: Any = SimpleNamespace(checks=checks)
    nothing: Any = SimpleNamespace(parameters=())
    done: Any = sampled(observations, nothing, nothing, nothing, Sampling())
    verdict: tuple[str, ...] = done.diagnostics.verdict
    return verdict


PASSED = Check("state", "me", True, "", statistic=0.4, p_value=0.001)
UNKNOWN = Check("goal", "me", True, "", statistic=float("nan"), p_value=1.0)
FAILED = Check("truth", "me", False, "", statistic=0.0, p_value=0.5)


def test_a_speaker_that_did_the_task_gets_all_attempts(given: dict[str, Any]) -> None:
    assert run(PASSED, UNKNOWN) == ("Only 300 effective draws.",)
    assert given["attempts"] > FEW_ATTEMPTS


def test_one_that_did_not_gets_few_and_is_told(given: dict[str, Any]) -> None:
    said = run(PASSED, FAILED)
    assert given["attempts"] == FEW_ATTEMPTS
    assert said[-1] == "The speaker did not do the task, so only 1 further attempt was made."


def test_a_good_verdict_stays_as_it_is(given: dict[str, Any]) -> None:
    given["ok"] = True
    assert run(FAILED) == ("Only 300 effective draws.",)
