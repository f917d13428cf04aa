"""What a cognitive model offers to the stages, which know no model by name."""

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
    """A parameter of a cognitive model: its name in the summary, unit and prior, in words.

    ``detail`` parameters have an entry for each of many cells (the literal meanings of
    utterances); short tables leave them out.
    """

    name: str
    unit: str
    prior: str
    meaning: str
    detail: bool = False


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


@dataclass(frozen=True, slots=True)
class Range:
    """The range of a parameter's prior, where it could be another one.

    Parameters
    ----------
    low, high
        Its ends.
    option
        What makes it wider, as words of the command line.
    open
        The ends beyond which the parameter could lie: ``lower``, ``upper``.
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
        Names of the cognitive model, its family, and who is fitted.
    program
        The Stan program.
    data
        Stan data: all of the program's data block, and nothing else.
    coords
        Labels of every dimension.
    variables
        What is kept of the draws.
    observed
        Name -> (dims, values) of the data, as they go into ``observed_data``.
    outcome
        Which of them is predicted, by which variable of the posterior.
    impute
        Draws a replacement of part of the data from its own posterior, which the choices
        do not inform (cut inference). None where nothing is imputed.
    without
        Takes labels of the observed outcome, and how many answers to leave out of each
        cell that they name (all, if more). Returns the changes of ``data``; None where it
        has no answer.
    parts
        What ``without`` can leave out whole, apart from cells, such as ``item`` -> its labels.
    options
        How it was built (utilities, literal treatment, ...), for the report.
    notes
        Sentences that a reader must know before the numbers.
    refused
        Why nobody should fit these data for their own sake, though simulations
        may well bring them about.
    derive
        Functions of the posterior: given its variables as
        (chains, draws, ...), name -> (dims, values of the same kind).
    tempered
        The Stan data that change where the likelihood is raised to a power in [0, 1].
    ridge
        Unconstrained parameters, by Stan's names (``alpha_probit``, ``w.1.2``), that trade with
        all others: modes of the posterior may lie far along them.
    adapt_delta
        Target acceptance below which the sampler's steps are too coarse for this posterior.
    prior
        So many draws of some of these quantities before any data, (draws, ...), for the
        check of what the prior takes to be possible.
    ranges
        Variable of the posterior -> the range of its prior, where an option makes it wider.
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
    """A model of how answers come about, with its Stan program and its simulator.

    Attributes
    ----------
    name
        Name, as ``--model`` takes it.
    tasks
        Tasks whose observations it can be fitted to.
    options
        What a user may set of ``problem``: a pydantic model with a default for each field.
    parameters
        What it estimates.
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
    """A cognitive model that says where its Stan program is.

    A study fits again when one of the files, or a file in one of the folders, changes.
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
        """True parameters and observations of the same design with answers from them.

        The parameters are ``given`` (as a simulated speaker takes them) or drawn
        from the prior. Among them is ``log_lik``, the log-likelihood of the new
        observations. None of the fitted program's code is used.
        """
        ...

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws (chains, draws, ...) of parameters named as ``simulate`` names them."""
        ...


@runtime_checkable
class PooledModel(CognitiveModel, Protocol):
    """A cognitive model of many speakers at once; ``problem`` takes the observations of all.

    ``poolings`` are values of its option ``pooling``, the one of interest first.
    """

    poolings: tuple[str, ...]


@runtime_checkable
class PlannedModel(SimulatedModel, Protocol):
    """A simulated model for which ``wolves power`` can plan: two conditions that differ.

    ``contrasts`` are the parameters that can be made to differ, the default first.
    """

    contrasts: tuple[str, ...]

    def planned(self, items: int, replicates: int) -> Observations:
        """Two conditions, with so many items in each cell, each asked so many times."""
        ...

    def differing(
        self, parameter: str, difference: float, given: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        """Parameters for ``simulate``: the second condition has ``parameter`` shifted.

        ``given`` are those of the first condition; the model's own choice when None.

        Raises
        ------
        WolvesError
            If the shifted parameter leaves its range.
        """
        ...


@runtime_checkable
class PredictingModel(CognitiveModel, Protocol):
    """A cognitive model whose predictions for known parameters can be printed.

    ``given`` says what the parameters hold and what is predicted, in words.
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


@dataclass(frozen=True, slots=True)
class AnswerKind:
    """Questions whose answers have one distribution, such as one goal and state of any item.

    Parameters
    ----------
    variable
        Variable of the posterior with the probability of each answer on its last axis; of a
        yes-or-no question, the probability of yes.
    at
        Place on its other axes; of a yes-or-no question, on all of them.
    binary
        Whether the question has the answers yes and no.
    correlation
        Variable with the intraclass correlation of the answers to one prompt; empty where they
        are independent.
    """

    variable: str
    at: tuple[int, ...]
    binary: bool = False
    correlation: str = ""


@runtime_checkable
class DesigningModel(CognitiveModel, Protocol):
    """A cognitive model whose next questions can be chosen by expected information.

    ``contrasts`` are the parameters that a design is about by default.
    """

    contrasts: tuple[str, ...]

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
        """The problem of these questions before any answer: its posterior is the prior.

        Raises
        ------
        WolvesError
            If nothing can be fitted to answers to these questions.
        """
        ...

    def start(self, questions: Sequence[Question], **options: Any) -> Sequence[int]:
        """Number of answers to each question without which the model cannot be fitted."""
        ...

    def answered(self, observations: Observations, questions: Sequence[Question]) -> Sequence[int]:
        """Number of answers to each question among the observations."""
        ...
