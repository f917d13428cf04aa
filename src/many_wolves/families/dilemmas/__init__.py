"""Social dilemmas: dictator, prisoner's dilemma, ultimatum, principal and agent."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from many_wolves.contracts import (
    CognitiveModel,
    Episode,
    Extent,
    OptionAnswers,
    Reading,
    SimulatedAnswers,
    Turn,
)
from many_wolves.records import ChoiceTable, Question, Response, Trial

__all__ = ["Dilemmas"]

_HERE = "many_wolves.families.dilemmas"


class Dilemmas:
    """The family ``dilemmas``; its parts are imported when they are asked for."""

    name = "dilemmas"

    def extent(self, opening: Trial) -> Extent:
        """Seats and turns of the game that an opening begins."""
        extent: Extent = _part("games").game_of(opening.task).extent(opening)
        return extent

    def turns(self, episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
        """What is asked next; nothing at the end, or after an answer without a choice."""
        game = _part("games").game_of(episode.opening.task)
        turns: Sequence[Turn] = game.turns(episode, answered)
        return turns

    def read(self, question: Question, text: str) -> Reading:
        """The option that a text names, if it names exactly one."""
        reading: Reading = _part("reader").read(question.options, text)
        return reading

    def tabulate(self, responses: Iterable[Response], *, scoring: str = "sum") -> ChoiceTable:
        """Responses to tables of choices; see ``tabulate.tabulate``."""
        table: ChoiceTable = _part("tabulate").tabulate(responses, scoring=scoring)
        return table

    def simulator(self, parameters: Mapping[str, Any]) -> SimulatedAnswers:
        """A participant with known parameters; see ``simulate``."""
        return OptionAnswers(_part("simulate").simulator(parameters))

    def from_csv(self, path: Path, task: str) -> ChoiceTable:
        """Rounds, gifts, offers or agents' choices from a CSV file."""
        table: ChoiceTable = _part("models.tables").from_csv(path, task)
        return table

    def models(self) -> Mapping[str, CognitiveModel]:
        """The family's cognitive models by name."""
        models: Mapping[str, CognitiveModel] = _part("models").models()
        return models


def _part(name: str) -> Any:
    return importlib.import_module(f"{_HERE}.{name}")
