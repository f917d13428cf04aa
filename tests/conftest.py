"""Trials, published rounds and gifts that several tests read."""

import pytest

from game_tables import REFERENCE
from many_wolves.commands.tables import load_table
from many_wolves.families.politeness.compiler import Selection, compile_trials
from many_wolves.observations import Observations
from many_wolves.records import Trial


@pytest.fixture(scope="session")
def trials() -> tuple[Trial, ...]:
    """The default design of politeness, whole."""
    return compile_trials(Selection()).trials


@pytest.fixture(scope="session")
def choice(trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """Its trials of the task ``choice``."""
    return tuple(trial for trial in trials if trial.task == "choice")


@pytest.fixture(scope="session")
def rounds() -> Observations:
    """The published rounds of the prisoner's dilemma."""
    return load_table(REFERENCE / "phelps_dilemma_rounds.csv", "dilemma")


@pytest.fixture(scope="session")
def gifts() -> Observations:
    """The published gifts."""
    return load_table(REFERENCE / "phelps_dictator_gifts.csv", "dictator")
