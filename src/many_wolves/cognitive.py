"""The protocols of cognitive models, through which the stages use any model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from many_wolves.errors import WolvesError
from many_wolves.observations import Observations
from many_wolves.outcomes import Array, Outcome
from many_wolves.records import Question

if TYPE_CHECKING:
    from many_wolves.options import ModelOptions


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a cognitive model: its name in the summary, with unit and prior in words.

    ``detail`` parameters have an entry for each of many cells (such as the literal meanings of
    utterances); short tables leave them out.
    """

    name: str
    unit: str
    prior: str
    meaning: str
    detail: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A named quantity of the posterior, and the Stan variable behind it.

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


@dataclass(frozen=True, slots=True)
class Range:
    """The range of a parameter's prior, if an option can change it.

    Parameters
    ----------
    low, high
        Its bounds.
    option
        Command-line option that widens it.
    open
        The bounds beyond which the parameter could lie: ``lower``, ``upper``.
    """

    low: float
    high: float
    option: str
    open: tuple[str, ...] = ("lower", "upper")


@dataclass(frozen=True)
class Problem:
    """A fit that is ready to run: checked data for one Stan program.

    Parameters
    ----------
    model, family, speaker
        Names of the cognitive model, its family and the fitted speaker.
    program
        The Stan program.
    data
        Stan data: exactly the variables of the program's data block.
    coords
        Labels of every dimension.
    variables
        Variables to keep from the draws.
    observed
        Name -> (dims, values) of the data, for the group ``observed_data``.
    outcome
        The observed variable that is predicted, and the variable of the posterior that predicts it.
    impute
        Draws a replacement of part of the data from its own posterior, which the choices
        do not inform (cut inference). None if nothing is imputed.
    without
        Takes labels of the observed outcome, and the number of answers to leave out of each of
        these cells (all, if it has fewer). Returns the changes of ``data``; None if there is no
        answer to leave out.
    parts
        Units that ``without`` can leave out as a whole besides cells, such as ``item`` -> labels.
    options
        Options that it was built with (utilities, literal treatment, ...), for the report.
    notes
        Sentences that a reader must know before the numbers.
    refused
        Why these data should not be fitted on their own, although simulations may produce them.
    derive
        Computes functions of the posterior: given its variables as
        (chains, draws, ...), name -> (dims, values of the same kind).
    tempered
        The Stan data that change when the likelihood is raised to a power in [0, 1].
    ridge
        Unconstrained parameters, by Stan's names (``alpha_probit``, ``w.1.2``), that trade with
        all others: modes of the posterior may lie far along them.
    adapt_delta
        Smallest target acceptance with steps that are small enough for this posterior.
    prior
        Returns a given number of prior draws (draws, ...) of some of these quantities, for prior
        predictive checks.
    ranges
        Variable of the posterior -> the range of its prior, if an option can widen it.
    """

    model: str
    family: str
    speaker: str
    program: Path
    data: Mapping[str, Any]
    coords: Mapping[str, Sequence[Any]]
    variables: tuple[Variable, ...]
    observed: Mapping[str, tuple[tuple[str, ...], Array]]
    outcome: Outcome = field(default_factory=Outcome)
    impute: Callable[[np.random.Generator], Mapping[str, Any]] | None = None
    without: Callable[[Mapping[str, Any], float], Mapping[str, Any]] | None = None
    parts: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    refused: WolvesError | None = None
    tempered: Callable[[float], Mapping[str, Any]] | None = None
    ridge: tuple[str, ...] = ()
    adapt_delta: float = 0.0
    derive: Callable[[Mapping[str, Array]], Mapping[str, tuple[tuple[str, ...], Array]]] | None = (
        None
    )
    prior: (
        Callable[[np.random.Generator, int], Mapping[str, tuple[tuple[str, ...], Array]]] | None
    ) = None
    ranges: Mapping[str, Range] = field(default_factory=dict)


class CognitiveModel(Protocol):
    """A cognitive model of the answers, with its Stan program.

    Attributes
    ----------
    name
        Name, as ``--model`` takes it.
    tasks
        Tasks to whose observations it can be fitted.
    options
        Options of ``problem``: a pydantic model with a default for each field.
    parameters
        The parameters that it estimates.
    """

    name: str
    tasks: tuple[str, ...]
    options: type[ModelOptions]
    parameters: tuple[Parameter, ...]

    def problem(self, observations: Observations, **options: Any) -> Problem:
        """Stan data for one speaker's observations; ``options`` are fields of ``self.options``.

        Raises
        ------
        WolvesError
            If an option is not allowed, or the observations cannot be fitted.
        """
        ...


@runtime_checkable
class FiledModel(CognitiveModel, Protocol):
    """A cognitive model that lists the files of its Stan program.

    A study fits again when one of the files, or a file in one of the folders, changes. If a folder
    has programs of several models, ``program: str`` is the name of the one it uses, without ending.
    """

    def files(self) -> tuple[Path, ...]:
        """Files and folders of its program."""
        ...


@runtime_checkable
class SimulatedModel(CognitiveModel, Protocol):
    """A cognitive model that can be compared, recovered and calibrated."""

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """Options of ``problem`` by the name of the variant; the full model comes first."""
        ...

    def simulate(
        self,
        observations: Observations,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], Observations]:
        """True parameters, and observations of the same design with simulated answers.

        The parameters are ``given`` (as a simulated speaker takes them) or drawn
        from the prior. Among them is ``log_lik``, the log-likelihood of the new
        observations. The simulation shares no code with the fitted program.
        """
        ...

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws (chains, draws, ...) of parameters, by the names of ``simulate``."""
        ...


@runtime_checkable
class PooledModel(CognitiveModel, Protocol):
    """A cognitive model of many speakers at once; ``problem`` takes the observations of all.

    ``poolings`` are the values of its option ``pooling``, the main one first.
    """

    poolings: tuple[str, ...]


@runtime_checkable
class PlannedModel(SimulatedModel, Protocol):
    """A simulated model for ``wolves power``, with two conditions that differ.

    ``contrasts`` are the parameters that can be made to differ, the default first.
    """

    contrasts: tuple[str, ...]

    def planned(self, items: int, replicates: int) -> Observations:
        """A design with two conditions, ``items`` per cell and ``replicates`` per item."""
        ...

    def differing(
        self, parameter: str, difference: float, given: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        """Parameters for ``simulate``: the second condition has ``parameter`` shifted.

        ``given`` are those of the first condition; by default the model's own choice.

        Raises
        ------
        WolvesError
            If the shifted parameter leaves its range.
        """
        ...


@runtime_checkable
class PredictingModel(CognitiveModel, Protocol):
    """A cognitive model whose predictions for known parameters can be printed.

    ``given`` describes the expected parameters and the predictions in words.
    """

    given: str

    def predict(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Predictions as nested lists, ready for JSON.

        Raises
        ------
        WolvesError
            If a parameter is missing or has the wrong shape.
        """
        ...


@dataclass(frozen=True, slots=True)
class Alternative:
    """An alternative to an assumption of a model.

    Parameters
    ----------
    options
        Options of ``problem`` that differ from the fit's.
    meaning
        The alternative assumption, in words.
    """

    options: Mapping[str, Any]
    meaning: str


@runtime_checkable
class SensitiveModel(CognitiveModel, Protocol):
    """A cognitive model that defines alternatives to its assumptions."""

    def alternatives(self, **options: Any) -> Mapping[str, Alternative]:
        """Alternatives to a problem built with ``options``, by name.

        All of them keep the unconstrained parameters and their meaning, so that draws of one
        posterior can be reweighted to another.
        """
        ...


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """Questions whose answers have the same distribution, such as one goal and state of any item.

    Parameters
    ----------
    variable
        Variable of the posterior with the probability of each answer on its last axis; of a
        yes-or-no question, the probability of yes.
    at
        Index on its other axes; for a yes-or-no question, on all of them.
    binary
        Whether the question has the answers yes and no.
    correlation
        Variable with the intraclass correlation of the answers to one prompt; empty if they are
        independent.
    """

    variable: str
    at: tuple[int, ...]
    binary: bool = False
    correlation: str = ""


@runtime_checkable
class DesigningModel(CognitiveModel, Protocol):
    """A cognitive model whose next questions can be chosen by expected information.

    ``contrasts`` are the default target parameters of a design. ``together`` has groups of
    parameters that trade off, such as shares with the sum one. Questions for one of a group are
    chosen by the information about all of it, in the same condition.
    """

    contrasts: tuple[str, ...]
    together: tuple[tuple[str, ...], ...]

    def kinds(self, problem: Problem) -> Mapping[str, AnswerKind]:
        """The kinds of questions that inform the parameters, by name."""
        ...

    def kinds_of(self, problem: Problem, questions: Sequence[Question]) -> Sequence[str]:
        """Name of the kind of each question; empty if its answers inform no parameter.

        Raises
        ------
        WolvesError
            If answers to them cannot be fitted together with those of the problem.
        """
        ...

    def before(self, questions: Sequence[Question], **options: Any) -> Problem:
        """The problem of these questions without any answer, whose posterior is the prior.

        Raises
        ------
        WolvesError
            If nothing can be fitted to answers to these questions.
        """
        ...

    def start(self, questions: Sequence[Question], **options: Any) -> Sequence[int]:
        """Number of answers to each question that the model needs at least."""
        ...

    def answered(self, observations: Observations, questions: Sequence[Question]) -> Sequence[int]:
        """Number of answers to each question among the observations."""
        ...
