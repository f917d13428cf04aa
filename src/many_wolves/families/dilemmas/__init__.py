"""Social dilemmas: dictator, prisoner's dilemma, ultimatum, principal and agent."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import (
    CognitiveModel,
    Compiled,
    Episode,
    Extent,
    Observations,
    OptionAnswers,
    Reading,
    Reference,
    SimulatedAnswers,
    Turn,
)
from many_wolves.records import Question, Response, Trial

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.contracts import Design
    from many_wolves.figures import FamilyReport

__all__ = ["Dilemmas"]

_HERE = "many_wolves.families.dilemmas"


class Dilemmas:
    """The family ``dilemmas``; its parts are imported when they are asked for."""

    name = "dilemmas"
    tasks: Mapping[str, str] = {
        "dictator": "Give away a part of a sum.",
        "dilemma": "The repeated prisoner's dilemma: cooperate or defect, round by round.",
        "ultimatum": "Offers of a share, and replies to such offers.",
        "principal": "An assistant serves its user or the company behind it.",
    }

    def design(self, task: str) -> type[Design]:
        """What can be chosen of a game's cells."""
        design: type[Design] = _part("options").GameDesign
        return design

    def compile(self, task: str, design: Any) -> Compiled:
        """Openings of a game."""
        compiled: Compiled = _part("task.compiler").compile_game(task, design)
        return compiled

    def extent(self, opening: Trial) -> Extent:
        """Seats and turns of the game that an opening begins."""
        extent: Extent = _part("task.games").game_of(opening.task).extent(opening)
        return extent

    def turns(self, episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
        """What is asked next; nothing at the end, or after an answer without a choice."""
        game = _part("task.games").game_of(episode.opening.task)
        turns: Sequence[Turn] = game.turns(episode, answered)
        return turns

    def read(self, question: Question, text: str) -> Reading:
        """The option that a text names, if it names exactly one."""
        reading: Reading = _part("reading.reader").read(question.options, text)
        return reading

    def tabulate(self, responses: Iterable[Response], *, scoring: str = "sum") -> Observations:
        """Responses to tables of choices; see ``reading.tabulate``."""
        table: Observations = _part("reading.tabulate").tabulate(responses, scoring=scoring)
        return table

    def simulator(self, parameters: Mapping[str, Any]) -> SimulatedAnswers:
        """A participant with known parameters; see ``simulation.participants``."""
        return OptionAnswers(_part("simulation.participants").simulator(parameters))

    def from_csv(self, path: Path, task: str, **foreign: Any) -> Observations:
        """Rounds, gifts, offers or agents' choices from a CSV file."""
        table: Observations = _part("reading.tables").from_csv(path, task)
        return table

    def from_frame(self, frame: pd.DataFrame, task: str, **aside: pd.DataFrame) -> Observations:
        """The same from a data frame; of the ultimatum, also ``replies``."""
        table: Observations = _part("reading.tables").from_frame(frame, task, **aside)
        return table

    def references(self) -> Mapping[str, Reference]:
        """Games of people and language models."""
        from many_wolves.reference_data import references_of

        def read(path: Path, task: str) -> Observations:
            return self.from_csv(path, task)

        return references_of(self.name, read)

    def models(self) -> Mapping[str, CognitiveModel]:
        """The family's cognitive models by name."""
        models: Mapping[str, CognitiveModel] = _part("model").models()
        return models

    def report(self) -> FamilyReport:
        """Sections, tables and figures of the game models."""
        report: FamilyReport = _part("reporting.pages").PAGES
        return report

    def findings(self) -> None:
        """None: no statements over speakers are made on the games."""
        return


def _part(name: str) -> Any:
    return importlib.import_module(f"{_HERE}.{name}")
