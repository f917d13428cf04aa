"""Politeness: what Ann says to Bob about what he made (Yoon et al. 2020; Murthy et al. 2025)."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from many_wolves.contracts import CognitiveModel, OptionAnswers, Reading, SimulatedAnswers
from many_wolves.records import ChoiceTable, Question, Response

__all__ = ["Politeness"]

_HERE = "many_wolves.families.politeness"


class Politeness:
    """The family ``politeness``; its parts are imported when they are asked for."""

    name = "politeness"

    def read(self, question: Question, text: str) -> Reading:
        """The option that a text names, if it names exactly one."""
        reading: Reading = _part("reader").read(question.options, text)
        return reading

    def tabulate(
        self, responses: Iterable[Response], *, scoring: str = "sum", **options: Any
    ) -> ChoiceTable:
        """Responses to a table with its checks; see ``tabulate.tabulate``."""
        table: ChoiceTable = _part("tabulate").tabulate(responses, scoring=scoring, **options)
        return table

    def simulator(self, parameters: Mapping[str, Any]) -> SimulatedAnswers:
        """A speaker with known parameters, from the NumPy recursion."""
        return OptionAnswers(_part("recursion").simulator(parameters))

    def from_csv(self, path: Path, task: str) -> ChoiceTable:
        """Choices from a CSV file, with literal.csv and placed.csv beside it."""
        found: ChoiceTable = _part("from_csv").from_csv(path, task)
        return found

    def models(self) -> Mapping[str, CognitiveModel]:
        """The family's cognitive models by name."""
        models: Mapping[str, CognitiveModel] = _part("model").models()
        return models


def _part(name: str) -> Any:
    return importlib.import_module(f"{_HERE}.{name}")
