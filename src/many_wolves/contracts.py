"""What a task family and a cognitive model offer to the stages that know no family."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from many_wolves.errors import WolvesError
from many_wolves.records import (
    ChoiceTable,
    Question,
    Response,
    Status,
    Trial,
    Value,
)
from many_wolves.worlds import Episode, Extent, Turn, World

__all__ = [
    "Alternative",
    "Array",
    "CognitiveModel",
    "Episode",
    "EpisodicFamily",
    "Extent",
    "OptionAnswers",
    "OptionProbabilities",
    "Parameter",
    "PooledModel",
    "Problem",
    "Quantities",
    "Reading",
    "SensitiveModel",
    "SimulatedAnswers",
    "SimulatedModel",
    "TaskFamily",
    "Turn",
    "Variable",
    "World",
    "WorldFamily",
]

Array = npt.NDArray[np.float64]
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


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a cognitive model: its name in the summary, unit and prior, in words."""

    name: str
    unit: str
    prior: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Variable:
    """Where a named quantity of the posterior comes from.

    Parameters
    ----------
    group
        Group of the DataTree: ``posterior``, ``posterior_predictive``,
        ``log_likelihood``, ``log_prior``, ...
    name, dims
        Name and dimensions in the DataTree.
    stan, shape
        Variable of the Stan program, and its shape there.
    row
        Keep only this index of the first Stan dimension.
    """

    group: str
    name: str
    stan: str
    dims: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    row: int | None = None


@dataclass(frozen=True)
class Problem:
    """A fit that is ready to run: checked data for one Stan program.

    The program's only parameter is ``vector[size] z``; it takes ``M``, ``centre``
    and ``scale``, an affine preconditioner of z, which the fit supplies.

    Parameters
    ----------
    model, family, speaker
        Names of the cognitive model, its family, and who is fitted.
    program
        The Stan program.
    data
        Stan data without the preconditioner.
    size
        Number of unconstrained parameters.
    coords
        Labels of every dimension.
    variables
        What is kept of the draws.
    observed
        Name -> (dims, values) of the data, as they go into ``observed_data``.
    impute
        Draws a replacement of part of the data from a distribution of its own
        (cut inference: the choices do not inform it); None where nothing is imputed.
    without
        Given labels of observed ``counts`` and how many answers of each cell they name
        to leave out (all, if more), the changes of ``data``; None where it has no answer.
    options
        How it was built (utilities, literal treatment, ...), for the report.
    notes
        Sentences that a reader must know before the numbers.
    refused
        Why nobody should fit these data for their own sake, though simulations
        may well bring them about.
    derive
        Quantities that are functions of the posterior: given its variables as
        (chains, draws, ...), name -> (dims, values of the same kind).
    tempered
        The Stan data that change where the likelihood is raised to a power in [0, 1].
    ridge
        Places in the unconstrained vector of what trades with all else, so that regions of
        the posterior may lie far along it.
    adapt_delta
        Target acceptance below which the sampler's steps are too coarse for this posterior.
    prior
        So many draws of some of these quantities before any data, (draws, ...), for the
        check of what the prior takes to be possible.
    """

    model: str
    family: str
    speaker: str
    program: Path
    data: Mapping[str, Any]
    size: int
    coords: Mapping[str, Sequence[Any]]
    variables: tuple[Variable, ...]
    observed: Mapping[str, tuple[tuple[str, ...], Array]]
    impute: Callable[[np.random.Generator], Mapping[str, Any]] | None = None
    without: Callable[[Mapping[str, Any], float], Mapping[str, Any]] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    refused: WolvesError | None = None
    tempered: Callable[[float], Mapping[str, Any]] | None = None
    ridge: tuple[int, ...] = ()
    adapt_delta: float = 0.0
    derive: Callable[[Mapping[str, Array]], Mapping[str, tuple[tuple[str, ...], Array]]] | None = (
        None
    )
    prior: (
        Callable[[np.random.Generator, int], Mapping[str, tuple[tuple[str, ...], Array]]] | None
    ) = None


class CognitiveModel(Protocol):
    """A model of how choices come about, with its Stan program and its simulator.

    ``tasks`` are the tasks whose tables it can be fitted to; ``takes`` names the options
    of ``problem`` that a user may set.
    """

    name: str
    tasks: tuple[str, ...]
    takes: tuple[str, ...]
    parameters: tuple[Parameter, ...]

    def problem(self, table: ChoiceTable, **options: Any) -> Problem:
        """Stan data for one speaker's table; WolvesError when it cannot be fitted."""
        ...


@runtime_checkable
class SimulatedModel(CognitiveModel, Protocol):
    """A cognitive model that can be compared, recovered and calibrated."""

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """Options of ``problem`` by the name of the variant; the full model comes first."""
        ...

    def simulate(
        self,
        table: ChoiceTable,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], ChoiceTable]:
        """True parameters and a table of the same design with answers from them.

        The parameters are ``given`` (as a simulated speaker takes them) or drawn
        from the prior. Among them is ``log_lik``, the log-likelihood of the new
        table. None of the fitted program's code is used.
        """
        ...

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws (chains, draws, ...) of parameters named as ``simulate`` names them."""
        ...


@runtime_checkable
class PooledModel(CognitiveModel, Protocol):
    """A cognitive model of many speakers at once; ``problem`` takes the table of all.

    ``poolings`` are values of its option ``pooling``, the one of interest first.
    """

    poolings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """An assumption that could have been made otherwise.

    Parameters
    ----------
    options
        Options of ``problem`` that differ from the fit's.
    meaning
        What is assumed, in words.
    """

    options: Mapping[str, Any]
    meaning: str


@runtime_checkable
class SensitiveModel(CognitiveModel, Protocol):
    """A cognitive model that knows which of its assumptions are worth varying."""

    def alternatives(self, **options: Any) -> Mapping[str, Alternative]:
        """Alternatives to a problem built with ``options``, by name.

        All of them leave the unconstrained parameters and what they mean as they
        are, so that draws of one posterior can be weighted to another.
        """
        ...


@dataclass(frozen=True)
class Quantities:
    """What the findings speak of, for the cognitive model of one family.

    Parameters
    ----------
    words
        Parameter -> what it is, in words; all of them live between 0 and 1.
    prior
        Parameter -> mean and standard deviation under the prior of a fit.
    default
        The condition without a prompt of its own that the condition is held against,
        such as ``none/third`` for ``social/third``; empty for that condition itself.
    comparable
        The reference's condition that a condition is compared with; empty where it is
        compared with the mean over the reference's conditions.
    signature
        Parameter -> on which side of the reference, for ``signature_name``.
    reference
        Name of the speaker that others are compared with, and who that is in words.
    predicted
        Variables of the posterior with the predicted probability of each outcome, the
        first one there counts; dimensions condition, ..., outcome.
    """

    words: Mapping[str, str]
    prior: Mapping[str, tuple[float, float]]
    default: Callable[[str], str]
    comparable: Callable[[str], str]
    signature: Mapping[str, Literal["low", "high"]]
    signature_name: str
    reference: str
    reference_words: str
    predicted: tuple[str, ...]


class TaskFamily(Protocol):
    """Everything that is special to one family of tasks."""

    name: str

    def read(self, question: Question, text: str) -> Reading:
        """What a text answers to a question; nothing is guessed."""
        ...

    def tabulate(self, responses: Iterable[Response], *, scoring: str) -> ChoiceTable:
        """Responses (of any speakers) to a table with its checks."""
        ...

    def simulator(self, parameters: Mapping[str, Any]) -> SimulatedAnswers:
        """A speaker with known parameters, by code that no fitted program shares."""
        ...

    def from_csv(self, path: Path, task: str) -> ChoiceTable:
        """A table of one of the family's tasks that came as a CSV file; ``meta`` names the task.

        WolvesError, with line and column, where the file does not hold such a table.
        """
        ...

    def models(self) -> Mapping[str, CognitiveModel]:
        """The family's cognitive models by name; of each task, the first is the default."""
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
        result depends on the episode and on them alone; all its trials carry the id of
        the episode and a turn number of their own.
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
