"""Trials, published rounds and gifts that several tests read."""

import gc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from game_tables import REFERENCE
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.observations import Observations
from many_wolves.records import Trial
from many_wolves.workflows.data import load

ASKING_MODELS = {
    "test_adapters", "test_answer_types", "test_collect", "test_dilemmas_play_speakers", "test_hf",
    "test_speakers", "test_thinking",
}  # fmt: skip
"""Files that ask a local model: one worker alone imports torch and transformers."""
LONGEST_FIRST = (
    "torch", "test_otree", "test_report", "test_ibex", "test_figures", "test_markets_collect",
    "test_inspect", "test_findings", "test_calibration", "test_finding_figures", "test_journal",
    "test_package", "test_documents", "test_fit_all", "test_regions", "test_toy_family",
    "test_study_road", "test_fit", "test_careful",
)  # fmt: skip
"""Groups that take longest: begun first, so that at the end no worker waits for one of them.
Those of the first two lines need no Stan program of politeness, which may still be compiling.
Those that wait for a server come between those that compute."""

# Python's own intervals look through all that torch and matplotlib made, again and again.
gc.set_threshold(50_000, 20, 20)


# A busy machine makes an example slow, not wrong.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


def _group(file: str) -> str:
    """The group of a test file: its name, or that of the files that stay with it."""
    name = Path(file).stem
    return "torch" if name in ASKING_MODELS else name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the groups that take longest."""
    place = {name: i for i, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(_group(item.path.name), len(place)))


# pytest-xdist's own groups (`--dist loadgroup`) split up under pytest 9.2.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a group on one worker."""
    from xdist.scheduler import LoadFileScheduling

    class Grouped(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid.partition("::")[0])

    return Grouped(config, log) if config.getvalue("dist") == "loadfile" else None


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
