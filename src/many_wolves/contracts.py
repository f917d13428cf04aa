"""What a task family and a cognitive model offer to the stages that know no family."""

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
    """The classes of options, imported when they are asked for: a table of answers needs none."""
    if name not in _OPTIONS:
        raise AttributeError(f"module 'many_wolves.contracts' has no attribute {name!r}")
    return getattr(importlib.import_module("many_wolves.options"), name)


OptionProbabilities = Callable[[Trial], Array]
"""Probability of every option of a trial, in the order shown; sums to one."""


class Reading(NamedTuple):
    """What was read from a text: a value of the question's answer type, and the status.

    The value is None where nothing could be read. A text may be ``answered`` without one.
    """

    value: Value
    status: Status


class SimulatedAnswers(Protocol):
    """A simulated speaker with known parameters: what it answers, and in which words."""

    def answer(self, trial: Trial, rng: np.random.Generator) -> Value:
        """A value of the trial's answer type, drawn with ``rng``."""
        ...

    def text(self, trial: Trial, value: Value) -> str:
        """What the speaker writes to say ``value``; the family's reader reads it back."""
        ...

    def probabilities(self, trial: Trial) -> Array:
        """Probability of every option in the order shown, where the answer is a choice."""
        ...


@dataclass(frozen=True)
class OptionAnswers:
    """A simulated speaker that chooses among options, and knows no other question.

    Parameters
    ----------
    probabilities
        Of every option of a trial, in the order shown.
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
    """What the findings of one family are about.

    Parameters
    ----------
    words
        Parameter -> what it is, in words; all of them live between 0 and 1.
    prior
        Parameter -> mean and standard deviation under the prior of a fit.
    predicted
        Variables of the posterior with the predicted probability of each outcome, the
        first one there counts; dimensions condition, ..., outcome.
    condition
        What a condition is called: ``goal``. Its plural names the finding on conditions.
    default
        The condition without a goal prompt that the condition is compared with,
        such as ``none/third`` for ``social/third``; empty for that condition itself.
    comparable
        The reference's condition that a condition is compared with; empty where it is
        compared with the mean over the reference's conditions.
    signature, signature_name
        Parameter -> on which side of the reference it is in speakers that show the
        signature, and the name of that. Empty where the family has none.
    reference, reference_words
        Name of the speaker that others are compared with, and who that is in words;
        empty where the family has no reference data.
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
        """Several conditions: ``goals``; also the name of the finding on them."""
        return f"{self.condition}s"


@dataclass(frozen=True)
class Reference:
    """Data that ship with a family, such as the answers of people.

    Parameters
    ----------
    name
        As ``--data`` takes it; unique among all families.
    title
        What it is, in one line.
    task
        The task that it is of.
    load
        Reads it.
    card
        Facts about it: source, licence, numbers of people and answers, how it was made.
    speaker
        Whose answers they are, in the column ``speaker``; empty where they are of several.
    files
        Files and folders that ``load`` reads.
    speakers
        Names in the column ``speaker``, without reading the rest; empty where it has none.
    lacks
        Options of cognitive models that the data do not allow, such as a bias of place where
        places were not recorded.
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
        The trials, or the openings of episodes; read once, in order.
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
    """Everything that is special to one family of tasks.

    A package registers its family as an entry point of the group ``many_wolves.families``:
    ``name = "module:Class"``. Importing the module should be cheap: the methods import
    what they need.

    Attributes
    ----------
    name
        Name of the family, the same as that of the entry point.
    tasks
        Task -> what it asks, in one line. A task is what is compiled into one file,
        tabulated together and fitted by one model.
    """

    name: str
    tasks: Mapping[str, str]

    def design(self, task: str) -> type[Design]:
        """What can be chosen when a task is compiled."""
        ...

    def compile(self, task: str, design: Any) -> Compiled:
        """Trials of a task; ``design`` is of the type that ``design(task)`` gives.

        Raises
        ------
        WolvesError
            If the sources or the design are at fault.
        """
        ...

    def read(self, question: Question, text: str) -> Reading:
        """What a text answers to a question; nothing is guessed."""
        ...

    def tabulate(self, responses: Iterable[Response], *, scoring: str = "sum") -> Observations:
        """Responses (of any speakers) to tables with their checks."""
        ...

    def simulator(self, parameters: Mapping[str, Any]) -> SimulatedAnswers:
        """A speaker with known parameters, independent of the Stan programs."""
        ...

    def from_csv(self, path: Path, task: str, **foreign: Any) -> Observations:
        """Observations of one of the family's tasks from a CSV file; ``meta`` names the task.

        ``foreign`` says how a file of other software is laid out, where a family takes that.

        Raises
        ------
        WolvesError
            With line and column, where the file does not hold such a table.
        """
        ...

    def from_frame(self, frame: Any, task: str, **aside: Any) -> Observations:
        """The same from a data frame; ``aside`` are further tables by name."""
        ...

    def references(self) -> Mapping[str, Reference]:
        """Data that ship with the family, by name."""
        ...

    def models(self) -> Mapping[str, CognitiveModel]:
        """The family's cognitive models by name; of each task, the first is the default.

        Empty where a family has tables only.
        """
        ...

    def report(self) -> FamilyReport | None:
        """What the family puts into reports, and its figures; None where it has none."""
        ...

    def findings(self) -> FindingsSpec | None:
        """What findings are about; None where the family has none."""
        ...


@runtime_checkable
class EpisodicFamily(TaskFamily, Protocol):
    """A family whose later questions depend on earlier answers."""

    def extent(self, opening: Trial) -> Extent:
        """Seats and turns of the episode that an opening begins."""
        ...

    def turns(self, episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
        """What is asked next, every turn at once that waits for no other; none at the end.

        ``answered`` are the responses to every turn offered before, by turn number. The
        result depends only on the episode and on them. All its trials carry the id of
        the episode and a turn number.
        """
        ...


@runtime_checkable
class WorldFamily(TaskFamily, Protocol):
    """A family whose questions come from somewhere else, such as an experiment server."""

    def extent(self, opening: Trial) -> Extent:
        """Seats and turns of the episode that an opening begins."""
        ...

    def world(self, engine: str, options: Mapping[str, Any]) -> World:
        """The world that plays its episodes on an engine.

        Raises
        ------
        WolvesError
            If it has no such engine, or the options do not fit it.
        """
        ...


@runtime_checkable
class RecordingFamily(WorldFamily, Protocol):
    """A family whose engines leave records of sessions in addition to the answers."""

    def tabulate_sessions(
        self, responses: Iterable[Response], folders: Sequence[Path]
    ) -> Observations:
        """Like ``tabulate``, with the folders in which records of sessions may be."""
        ...


@runtime_checkable
class ReplayingFamily(TaskFamily, Protocol):
    """A family that shows its sessions as pages."""

    def replay(
        self,
        session: str,
        responses: Sequence[Response],
        folders: Sequence[Path],
        opening: Trial | None,
    ) -> Replay:
        """A session as far as it has been played.

        Parameters
        ----------
        session
            Its episode and replicate, with a hyphen between.
        responses
            Its answers, at least one.
        folders
            In which records of sessions may be.
        opening
            The trial that began it, where it is available.
        """
        ...


@runtime_checkable
class ExperimentFamily(WorldFamily, Protocol):
    """A family that ships experiments for a server: ``experiments`` says what each is."""

    experiments: Mapping[str, str]

    def write_experiment(self, name: str, folder: Path) -> Path:
        """Write the project of an experiment into a folder, which is made."""
        ...
