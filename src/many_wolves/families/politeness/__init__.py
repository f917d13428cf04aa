"""Politeness: Ann's words to Bob about something that he made (Yoon et al. 2020; Murthy et al.
2025)."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import (
    CognitiveModel,
    Compiled,
    FindingsSpec,
    Observations,
    OptionAnswers,
    Reading,
    Reference,
    SimulatedAnswers,
)
from many_wolves.records import Question, Response

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.contracts import Design
    from many_wolves.figures import FamilyReport

__all__ = ["Politeness"]

_HERE = "many_wolves.families.politeness"


class Politeness:
    """The family ``politeness``; its parts are imported when they are asked for."""

    name = "politeness"
    tasks: Mapping[str, str] = {
        "politeness": "What Ann says to Bob about what he made, and what her words mean literally.",
    }

    def design(self, task: str) -> type[Design]:
        """What can be chosen of the scenes."""
        design: type[Design] = _part("options").PolitenessDesign
        return design

    def compile(self, task: str, design: Any) -> Compiled:
        """Trials of the choice task and of the literal task."""
        compiled: Compiled = _part("task.compiler").compile_trials(design)
        return compiled

    def read(self, question: Question, text: str) -> Reading:
        """The option that a text names, if it names exactly one."""
        reading: Reading = _part("reading.reader").read(question.options, text)
        return reading

    def tabulate(
        self, responses: Iterable[Response], *, scoring: str = "sum", **options: Any
    ) -> Observations:
        """Responses to a table with its checks; see ``reading.tabulate``."""
        table: Observations = _part("reading.tabulate").tabulate(
            responses, scoring=scoring, **options
        )
        return table

    def simulator(self, parameters: Mapping[str, Any]) -> SimulatedAnswers:
        """A speaker with known parameters, from the NumPy recursion."""
        return OptionAnswers(_part("model.recursion").simulator(parameters))

    def from_csv(self, path: Path, task: str, **foreign: Any) -> Observations:
        """Choices from a CSV file, with literal.csv and placed.csv of its folder."""
        found: Observations = _part("reading.from_csv").from_csv(path, task)
        return found

    def from_frame(self, frame: pd.DataFrame, task: str, **aside: pd.DataFrame) -> Observations:
        """Choices from a data frame; ``literal`` and ``placed`` are optional."""
        found: Observations = _part("reading.from_csv").from_frame(frame, task, **aside)
        return found

    def references(self) -> Mapping[str, Reference]:
        """The choices of people."""
        references: Mapping[str, Reference] = _part("references").references()
        return references

    def models(self) -> Mapping[str, CognitiveModel]:
        """The family's cognitive models by name."""
        models: Mapping[str, CognitiveModel] = _part("model").models()
        return models

    def report(self) -> FamilyReport:
        """Sections, tables, figures and methods of politeness fits."""
        report: FamilyReport = _part("reporting.pages").PAGES
        return report

    def findings(self) -> FindingsSpec:
        """Weights, the projected goal, and the signature of sycophancy."""
        spec: FindingsSpec = _part("reporting.quantities").QUANTITIES
        return spec

    def inspect_tasks(self) -> Any:
        """The module whose tasks ``inspect eval`` finds."""
        return _part("task.inspect_tasks")


def _part(name: str) -> Any:
    return importlib.import_module(f"{_HERE}.{name}")
