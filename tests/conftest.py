"""Trials, published rounds and gifts that several tests read."""

import pytest

from game_tables import REFERENCE
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.observations import Observations
from many_wolves.records import Trial
from many_wolves.workflows.data import load

LONGEST_FIRST = (
    "test_hf", "test_fit_all", "test_regions", "test_documents", "test_report", "test_inspect",
    "test_study_road", "test_figures", "test_fit", "test_calibration", "test_careful",
    "test_dilemmas_play_speakers", "test_finding_figures", "test_toy_family",
)  # fmt: skip
"""Files that take longest: begun first, so that at the end no worker waits for one of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of those files first; all others keep their order."""
    place = {name: i for i, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session")
def trials() -> tuple[Trial, ...]:
    """The default design of politeness, whole."""
    return trials_of(PolitenessDesign())


@pytest.fixture(scope="session")
def choice(trials: tuple[Trial, ...]) -> tuple[Trial, ...]:
    """Its trials of the task ``choice``."""
    return tuple(trial for trial in trials if trial.task == "choice")


@pytest.fixture(scope="session")
def rounds() -> Observations:
    """The published rounds of the prisoner's dilemma."""
    return load(REFERENCE / "phelps_dilemma_rounds.csv", "dilemma")


@pytest.fixture(scope="session")
def gifts() -> Observations:
    """The published gifts."""
    return load(REFERENCE / "phelps_dictator_gifts.csv", "dictator")
