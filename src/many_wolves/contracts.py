"""What a task family and a cognitive model offer to the stages that know no family."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from many_wolves.records import ChoiceTable, Option, Response, Status, Trial

Array = npt.NDArray[np.float64]
OptionProbabilities = Callable[[Trial], Array]
"""Probability of every option of a trial, in the order shown; sums to one."""


class Reading(NamedTuple):
    """What was read from a text: an option id or None, and the status that follows."""

    choice: str | None
    status: Status


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a cognitive model: its name in the summary, unit and prior, in words."""

    name: str
    unit: str
    prior: str
    meaning: str


@dataclass(frozen=True)
class Problem:
    """A fit that is ready to run: checked data for one Stan program.

    Parameters
    ----------
    model
        Name of the cognitive model.
    program
        The Stan program.
    data
        Stan data.
    coords, dims
        Labels of every dimension, and the dimensions of every Stan variable that
        is kept, as ArviZ takes them.
    options
        How it was built (utilities, literal treatment, ...), for the report.
    notes
        Sentences that a reader must know before the numbers.
    """

    model: str
    program: Path
    data: Mapping[str, Any]
    coords: Mapping[str, Sequence[Any]]
    dims: Mapping[str, Sequence[str]]
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class CognitiveModel(Protocol):
    """A model of how choices come about, with its Stan program and its simulator."""

    name: str
    parameters: tuple[Parameter, ...]

    def problem(self, table: ChoiceTable, **options: Any) -> Problem:
        """Stan data for one speaker's table; WolvesError when it cannot be fitted."""
        ...


class TaskFamily(Protocol):
    """Everything that is special to one family of tasks."""

    name: str

    def read(self, options: Sequence[Option], text: str) -> Reading:
        """The option that a text names, if it names exactly one."""
        ...

    def tabulate(self, responses: Iterable[Response], *, scoring: str) -> ChoiceTable:
        """Responses (of any speakers) to a table with its checks."""
        ...

    def simulator(self, parameters: Mapping[str, Any]) -> OptionProbabilities:
        """A speaker with known parameters, from the NumPy recursion."""
        ...

    def models(self) -> Mapping[str, CognitiveModel]:
        """The family's cognitive models by name."""
        ...
