"""Trials that the tests of vignettes and of choice tables share."""

import pytest

from many_wolves.families.politeness.compiler import Selection, compile_trials
from many_wolves.records import Trial


@pytest.fixture(scope="session")
def trials() -> tuple[Trial, ...]:
    """The default design of politeness, whole."""
    return compile_trials(Selection()).trials


@pytest.fixture(scope="session")
def choice(trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """Its trials of the task ``choice``."""
    return tuple(trial for trial in trials if trial.task == "choice")
