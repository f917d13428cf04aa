"""Market experiments: players of every kind on an experiment server, or in process."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import (
    CognitiveModel,
    Compiled,
    Observations,
    Reading,
    Reference,
    SimulatedAnswers,
)
from many_wolves.records import Question, Response, Trial

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.contracts import Design
    from many_wolves.experiments import TrainingRequest
    from many_wolves.figures import FamilyReport
    from many_wolves.figures.replay import Replay
    from many_wolves.worlds.protocol import Extent, World

__all__ = ["Markets"]

_HERE = "many_wolves.families.markets"


class Markets:
    """The family ``markets``; its parts are imported when they are asked for."""

    name = "markets"
    tasks: Mapping[str, str] = {
        "planning": "Spatial planning: taxes on declared land values, a market, purchases, votes.",
        "otree": "Any oTree app, played page by page.",
    }
    experiments: Mapping[str, str] = {
        "spatial_planning": "The spatial planning experiment as an oTree project.",
    }

    def design(self, task: str) -> type[Design]:
        """What can be chosen of sessions."""
        designs = _part("task.design")
        design: type[Design] = designs.OTreeDesign if task == "otree" else designs.PlanningDesign
        return design

    def compile(self, task: str, design: Any) -> Compiled:
        """Openings of sessions."""
        compiler = _part("task.compiler")
        compiled: Compiled = (
            compiler.compile_otree(design) if task == "otree" else compiler.compile_planning(design)
        )
        return compiled

    def extent(self, opening: Trial) -> Extent:
        """Seats of a session, and its approximate size."""
        from many_wolves.worlds.protocol import Extent

        return Extent(*_part("task.compiler").extent_of(opening))

    def world(self, engine: str, options: Mapping[str, str]) -> World:
        """The engine that runs sessions: ``local``, ``otree`` or ``ibex``."""
        world: World = _part("engines.worlds").world(engine, options)
        return world

    def write_experiment(self, name: str, folder: Path) -> Path:
        """Write the oTree project of an experiment into a folder, which is made."""
        written: Path = _part("task.experiment").write_experiment(folder)
        return written

    def read(self, question: Question, text: str) -> Reading:
        """The JSON object of an answer, where it fits the form."""
        from many_wolves.reading import read

        return read(question, text)

    def tabulate(self, responses: Iterable[Response], *, scoring: str = "sum") -> Observations:
        """Responses to tidy tables; sessions on servers need ``tabulate_sessions``."""
        return self.tabulate_sessions(responses, ())

    def tabulate_sessions(
        self, responses: Iterable[Response], folders: Sequence[Path]
    ) -> Observations:
        """Responses, and records of sessions on servers, to tidy tables."""
        table: Observations = _part("reading.tabulate").tabulate(responses, folders)
        return table

    def simulator(self, parameters: Mapping[str, Any]) -> SimulatedAnswers:
        """Players by the name of their strategy."""
        answers: SimulatedAnswers = _part("simulation.answers").Simulated(parameters)
        return answers

    def from_csv(self, path: Path, task: str, **foreign: Any) -> Observations:
        """Tables of sessions, or records of sessions in our form or in the lab's."""
        table: Observations = _part("reading.from_csv").from_csv(path, task)
        return table

    def from_frame(self, frame: pd.DataFrame, task: str, **aside: pd.DataFrame) -> Observations:
        """Payoffs and the other tables."""
        table: Observations = _part("reading.from_csv").from_frame(frame, task, **aside)
        return table

    def references(self) -> Mapping[str, Reference]:
        """None, because no data of people in this experiment are public."""
        return {}

    def models(self) -> Mapping[str, CognitiveModel]:
        """The family's cognitive models by name."""
        models: Mapping[str, CognitiveModel] = _part("model").ALL
        return models

    def report(self) -> FamilyReport:
        """Sections, tables and figures of sessions and of the models."""
        report: FamilyReport = _part("reporting.pages").PAGES
        return report

    def replay(
        self,
        session: str,
        responses: Sequence[Response],
        folders: Sequence[Path],
        opening: Trial | None,
    ) -> Replay:
        """A session as a page."""
        shown: Replay = _part("reporting.replay").replay(session, responses, folders, opening)
        return shown

    def train_agent(
        self, request: TrainingRequest, out: Path, advance: Callable[[int, int], None]
    ) -> Mapping[str, Any]:
        """Train a player of one seat on the engine ``local``, and judge it."""
        trained: Mapping[str, Any] = _part("learning.agents").train_agent(request, out, advance)
        return trained

    def design_rules(
        self, file: Path, out: Path, advance: Callable[[str, int, int], None]
    ) -> Mapping[str, Any]:
        """Search for rules that serve several objectives."""
        found: Mapping[str, Any] = _part("search.files").design_rules(file, out, advance)
        return found

    def played_estimates(self, payoffs: pd.DataFrame) -> Mapping[str, float]:
        """Objectives of the rules by which sessions were played."""
        values: Mapping[str, float] = _part("search.files").played_estimates(payoffs)
        return values

    def findings(self) -> None:
        """None: what mechanisms and agents do is in the report of a study."""
        return


def _part(name: str) -> Any:
    return importlib.import_module(f"{_HERE}.{name}")
