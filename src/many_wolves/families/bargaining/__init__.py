"""Bargaining over a price: haggling in chains of games, probes, and kind words against gain."""

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
    from many_wolves.figures.replay import Replay

__all__ = ["Bargaining"]

_HERE = "many_wolves.families.bargaining"


class Bargaining:
    """The family ``bargaining``; its parts are imported when they are asked for."""

    name = "bargaining"
    tasks: Mapping[str, str] = {
        "haggle": "Haggling over a price, message by message, in chains of games.",
        "haggle-words": "One reply at one of three prices in one of three tones.",
    }

    def design(self, task: str) -> type[Design]:
        """What can be chosen of a task's cells."""
        designs = _part("task.design")
        design: type[Design] = (
            designs.WordsDesign if task == "haggle-words" else designs.HaggleDesign
        )
        return design

    def compile(self, task: str, design: Any) -> Compiled:
        """Openings of chains, or choices among replies."""
        if task == "haggle-words":
            words: Compiled = _part("task.replies").compile_words(design)
            return words
        haggle: Compiled = _part("task.compiler").compile_haggle(design)
        return haggle

    def extent(self, opening: Trial) -> Extent:
        """Seats of a chain, and its turns at most."""
        extent: Extent = _part("task.turns").extent(opening)
        return extent

    def turns(self, episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
        """What is asked next, every turn at once that waits for no other; none at the end."""
        turns: Sequence[Turn] = _part("task.turns").turns(episode, answered)
        return turns

    def read(self, question: Question, text: str) -> Reading:
        """The move of a message, the option of a probe, a moderator's verdict."""
        reading: Reading = _part("reading.read").read(question, text)
        return reading

    def tabulate(self, responses: Iterable[Response], *, scoring: str = "sum") -> Observations:
        """Responses to tables of turns, games, feedback and readings."""
        table: Observations = _part("reading.tabulate").tabulate(responses, scoring=scoring)
        return table

    def simulator(self, parameters: Mapping[str, Any]) -> SimulatedAnswers:
        """A player, critic or moderator with known parameters."""
        answers: SimulatedAnswers = _part("simulation.answers").Simulated(parameters)
        return answers

    def from_csv(self, path: Path, task: str, **foreign: Any) -> Observations:
        """Turns and games, or replies, from a CSV file."""
        table: Observations = _part("reading.from_csv").from_csv(path, task)
        return table

    def from_frame(self, frame: pd.DataFrame, task: str, **aside: pd.DataFrame) -> Observations:
        """The same from a data frame; ``games`` can accompany turns."""
        table: Observations = _part("reading.from_csv").from_frame(frame, task, **aside)
        return table

    def references(self) -> Mapping[str, Reference]:
        """Published games of people and of models."""
        references: Mapping[str, Reference] = _part("reading.references").references()
        return references

    def models(self) -> Mapping[str, CognitiveModel]:
        """The family's cognitive models by name."""
        models: Mapping[str, CognitiveModel] = _part("model").models()
        return models

    def report(self) -> FamilyReport:
        """The family's pages."""
        report: FamilyReport = _part("reporting.pages").PAGES
        return report

    def replay(
        self,
        session: str,
        responses: Sequence[Response],
        folders: Sequence[Path],
        opening: Trial | None,
    ) -> Replay:
        """A chain of games as a page."""
        shown: Replay = _part("reporting.transcript").replay(session, responses, folders, opening)
        return shown

    def findings(self) -> None:
        """None: what the arms do is in the report of a fit."""
        return


def _part(name: str) -> Any:
    return importlib.import_module(f"{_HERE}.{name}")
