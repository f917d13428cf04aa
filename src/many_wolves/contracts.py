"""The protocols of task families and cognitive models, through which the stages use any family."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

from many_wolves.cognitive import (
    Alternative,
    CognitiveModel,
    FiledModel,
    Parameter,
    PlannedModel,
    PooledModel,
    PredictingModel,
    Problem,
    Range,
    SensitiveModel,
    SimulatedModel,
    Variable,
)
from many_wolves.observations import Observations
from many_wolves.outcomes import Array, Outcome
from many_wolves.records import Question, Response, Status, Trial, Value
from many_wolves.worlds import Episode, Extent, Turn, World

if TYPE_CHECKING:
    import numpy as np

    from many_wolves.figures import FamilyReport
    from many_wolves.figures.replay import Replay
    from many_wolves.options import Design, ModelOptions, Options

__all__ = [
    "Alternative",
    "Array",
    "CognitiveModel",
    "Compiled",
    "Design",
    "Episode",
    "EpisodicFamily",
    "ExperimentFamily",
    "Extent",
    "FiledModel",
    "FindingsSpec",
    "ModelOptions",
    "Observations",
    "OptionAnswers",
    "OptionProbabilities",
    "Options",
    "Outcome",
    "Parameter",
    "PlannedModel",
    "PooledModel",
    "PredictingModel",
    "Problem",
    "Range",
    "Reading",
    "RecordingFamily",
    "Reference",
    "ReplayingFamily",
    "SensitiveModel",
    "SimulatedAnswers",
    "SimulatedModel",
    "TaskFamily",
    "Turn",
    "Variable",
    "World",
    "WorldFamily",
]

_OPTIONS = ("Design", "ModelOptions", "Options")


def __getattr__(name: str) -> Any:
    """The classes of options, imported on first access: a table of answers needs none."""
    if name not in _OPTIONS:
        raise AttributeError(f"module 'many_wolves.contracts' has no attribute {name!r}")
    return getattr(importlib.import_module("many_wolves.options"), name)


OptionProbabilities = Callable[[Trial], Array]
"""Probability of every option of a trial, in the order shown; sums to one."""


class Reading(NamedTuple):
    """The result of reading a text: a value of the question's answer type, and the status.

    The value is None if nothing could be read. A text may be ``answered`` without one.
    """

    value: Value
    status: Status


class SimulatedAnswers(Protocol):
    """A simulated speaker with known parameters: its answers, and their wording."""

    def answer(self, trial: Trial, rng: np.random.Generator) -> Value:
        """A value of the trial's answer type, drawn with ``rng``."""
        ...

    def text(self, trial: Trial, value: Value) -> str:
        """The text that expresses ``value`` as an answer; the family's reader must recover it."""
        ...

    def probabilities(self, trial: Trial) -> Array:
        """Probability of every option in the order shown, if the answer is a choice."""
        ...


@dataclass(frozen=True)
class OptionAnswers:
    """A simulated speaker that chooses among options, and answers no other questions.

    Parameters
    ----------
    probabilities
        Function of a trial: the probability of every option in the order shown.
    """

    probabilities: OptionProbabilities

    def answer(self, trial: Trial, rng: np.random.Generator) -> Value:
        """The id of an option, drawn by its probability."""
        return str(rng.choice([o.id for o in trial.options], p=self.probabilities(trial)))

    def text(self, trial: Trial, value: Value) -> str:
        """The words of the option."""
        return next(option.text for option in trial.options if option.id == value)


@dataclass(frozen=True)
class FindingsSpec:
    """The quantities and comparisons of one family's findings.

    Parameters
    ----------
    words
        Parameter -> its meaning in words; all of them are between 0 and 1.
    prior
        Parameter -> mean and standard deviation under the prior of a fit.
    predicted
        Variables of the posterior with the predicted probability of each outcome, dimensions
        condition, ..., outcome. The first one that exists is used.
    condition
        The word for a condition: ``goal``. Its plural is the name of the finding on conditions.
    default
        The condition without a goal prompt that the condition is compared with,
        such as ``none/third`` for ``social/third``; empty for that condition itself.
    comparable
        The reference's condition with which a condition is compared; empty if it is
        compared with the mean over the reference's conditions.
    signature, signature_name
        Parameter -> the side of the reference on which it is in speakers that show the
        signature; and the name of the signature. Empty if the family has none.
    reference, reference_words
        Name of the speaker with whom others are compared, and a description in words;
        empty if the family has no reference data.
    reference_command
        Command that fits the reference.
    """

    words: Mapping[str, str]
    prior: Mapping[str, tuple[float, float]]
    predicted: tuple[str, ...] = ("predicted",)
    condition: str = "condition"
    default: Callable[[str], str] = lambda _: ""
    comparable: Callable[[str], str] = lambda condition: condition
    signature: Mapping[str, Literal["low", "high"]] = field(default_factory=dict)
    signature_name: str = ""
    reference: str = ""
    reference_words: str = ""
    reference_command: str = ""

    @property
    def conditions(self) -> str:
        """The plural of ``condition``; also the name of the finding on conditions."""
        return f"{self.condition}s"


@dataclass(frozen=True)
class Reference:
    """Shipped data of a family, such as the answers of people.

    Parameters
    ----------
    name
        Name for ``--data``; unique among all families.
    title
        Description in one line.
    task
        Its task.
    load
        Function that reads the data.
    card
        Facts about it: source, licence, numbers of people and answers, how it was collected.
    speaker
        The speaker (column ``speaker``); empty if there are several.
    files
        Files and folders that ``load`` reads.
    speakers
        Function that returns the speakers without reading the rest; empty if there is no such
        column.
    lacks
        Options of cognitive models that the data do not allow, such as a position bias if
        positions were not recorded.
    """

    name: str
    title: str
    task: str
    load: Callable[[], Observations]
    card: Mapping[str, Any] = field(default_factory=dict)
    speaker: str = "people"
    files: Callable[[], tuple[Path, ...]] = tuple
    speakers: Callable[[], tuple[str, ...]] = tuple
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """Trials of one task, and facts about them.

    Parameters
    ----------
    trials
        The trials, or the openings of episodes; can be iterated once, in order.
    facts
        Entries of the manifest in addition to those that every task has (counts, fingerprint):
        settings, fingerprints of the sources. ``asked_with`` proposes settings of the speaker.
    factors
        Factors of a trial's cell that the manifest counts by; all of them when empty.
    notes
        Sentences for the user.
    """

    trials: Iterable[Trial]
    facts: Mapping[str, Any] = field(default_factory=dict)
    factors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class TaskFamily(Protocol):
    """Everything that is specific to one family of tasks.

    A package registers its family as an entry point of the group ``many_wolves.families``:
    ``name = "module:Class"``. Importing the module should be cheap: the methods import
    what they need.

    Attributes
    ----------
    name
        Name of the family; must equal that of the entry point.
    tasks
        Task -> description in one line. The trials of a task are compiled into one file,
        tabulated together and fitted by one model.
    """

    name: str
    tasks: Mapping[str, str]

    def design(self, task: str) -> type[Design]:
        """The pydantic model of a task's design."""
        ...

    def compile(self, task: str, design: Any) -> Compiled:
        """Trials of a task; ``design`` is of the type that ``design(task)`` gives.

        Raises
        ------
        WolvesError
            If the sources or the design are invalid.
        """
        ...

    def read(self, question: Question, text: str) -> Reading:
        """Read the answer to a question from a text; nothing is guessed."""
        ...

    def tabulate(self, responses: Iterable[Response], *, scoring: str = "sum") -> Observations:
        """Turn responses of any speakers into tables with their checks."""
        ...

    def simulator(self, parameters: Mapping[str, Any]) -> SimulatedAnswers:
        """A speaker with known parameters, independent of the Stan programs."""
        ...

    def from_csv(self, path: Path, task: str, **foreign: Any) -> Observations:
        """Observations of one of the family's tasks from a CSV file; ``meta`` names the task.

        ``foreign`` describes the layout of a file from other software, if the family supports it.

        Raises
        ------
        WolvesError
            With line and column, if the file does not contain such a table.
        """
        ...

    def from_frame(self, frame: Any, task: str, **aside: Any) -> Observations:
        """The same from a data frame; ``aside`` are further tables by name."""
        ...

    def references(self) -> Mapping[str, Reference]:
        """Shipped data of the family, by name."""
        ...

    def models(self) -> Mapping[str, CognitiveModel]:
        """The family's cognitive models by name; the first of each task is its default.

        Empty if a family only has tables.
        """
        ...

    def report(self) -> FamilyReport | None:
        """The family's parts of reports and its figures; None if it has none."""
        ...

    def findings(self) -> FindingsSpec | None:
        """The specification of the family's findings; None if it has none."""
        ...


@runtime_checkable
class EpisodicFamily(TaskFamily, Protocol):
    """A family whose later questions depend on earlier answers."""

    def extent(self, opening: Trial) -> Extent:
        """Seats and turns of the episode that an opening begins."""
        ...

    def turns(self, episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
        """The next turns, all that can be asked now; none at the end.

        ``answered`` are the responses to every turn offered before, by turn number. The
        result depends only on the episode and on them. All its trials carry the id of
        the episode and a turn number.
        """
        ...


@runtime_checkable
class WorldFamily(TaskFamily, Protocol):
    """A family whose questions come from elsewhere, such as an experiment server."""

    def extent(self, opening: Trial) -> Extent:
        """Seats and turns of the episode that an opening begins."""
        ...

    def world(self, engine: str, options: Mapping[str, Any]) -> World:
        """The world that plays its episodes on an engine.

        Raises
        ------
        WolvesError
            If it has no such engine, or the options do not suit the engine.
        """
        ...


@runtime_checkable
class RecordingFamily(WorldFamily, Protocol):
    """A family whose engines leave records of sessions in addition to the answers."""

    def tabulate_sessions(
        self, responses: Iterable[Response], folders: Sequence[Path]
    ) -> Observations:
        """Like ``tabulate``, with the folders that may contain records of sessions."""
        ...


@runtime_checkable
class ReplayingFamily(TaskFamily, Protocol):
    """A family that can show its sessions as pages."""

    def replay(
        self,
        session: str,
        responses: Sequence[Response],
        folders: Sequence[Path],
        opening: Trial | None,
    ) -> Replay:
        """A session up to its last answer.

        Parameters
        ----------
        session
            Its episode and replicate, with a hyphen between.
        responses
            Its answers, at least one.
        folders
            Folders that may contain records of sessions.
        opening
            The trial that began it, if available.
        """
        ...


@runtime_checkable
class ExperimentFamily(WorldFamily, Protocol):
    """A family that ships experiments for a server; ``experiments`` describes each."""

    experiments: Mapping[str, str]

    def write_experiment(self, name: str, folder: Path) -> Path:
        """Write the project of an experiment into a new folder."""
        ...
