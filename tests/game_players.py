"""Openings, participants and speakers for the tests of games."""

import json
import random
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

from many_wolves.collection import Seat, play
from many_wolves.contracts import Episode
from many_wolves.families.dilemmas import Dilemmas
from many_wolves.families.dilemmas.options import GameDesign
from many_wolves.families.dilemmas.task.compiler import openings
from many_wolves.records import SpeakerSpec, Trial
from many_wolves.speakers import Feed, SimulatedSpeaker
from many_wolves.speakers.protocol import respond
from many_wolves.store.journal_lines import read_journal
from many_wolves.workflows.compile import request as request_of
from many_wolves.workflows.compile import write_trials
from many_wolves.worlds import EpisodicWorld

FAMILY = Dilemmas()
MEMORY_ONE = {"start": 0.8, "CC": 0.9, "CD": 0.2, "DC": 0.6, "DD": 0.1}
PARAMETERS = {
    "memory_one": MEMORY_ONE,
    "preferences": {"precision": 1.5, "envy": 0.5, "guilt": 0.4},
    "service": {"user": 1.0, "shared_with_user": 0.5, "shared_with_principal": -0.5},
}
SEATS = ("speaker", "partner")
SPEC = SpeakerSpec("simulated", "player", parameters=PARAMETERS)


def games(name: str, n: int | None = None, partners=(), seed: int = 1, **more) -> list[Trial]:
    """Openings of one game."""
    design = GameDesign(sample=n, partners=partners, seed=seed, **more)
    return list(openings(name, design))


def write_games(path: Path, names: tuple[str, ...], **design) -> Path:
    """A file of openings with its manifest, as `wolves compile` writes them."""
    write_trials(request_of(names, design), path)
    return path


def silent(text: str) -> None:
    pass


def played(
    path: Path,
    listed: list[Trial],
    speakers=None,
    replicates: int = 1,
    at_once: int = 1000,
    specs=(SPEC,),
):
    """Play openings; ``path`` is the journal, or the folder of several."""
    makers = speakers or [partial(simulated, spec) for spec in specs]
    several = len({spec.slug for spec in specs}) > 1
    files = [path / f"{spec.slug}.jsonl" if several else path for spec in specs]
    seats = {
        name: Seat(spec, file, maker)
        for name, spec, file, maker in zip(SEATS, specs, files, makers, strict=False)
    }
    episodes = [
        Episode(opening, replicate, {name: seats[name].spec for name in extent.seats})
        for replicate in range(replicates)
        for opening in listed
        for extent in [FAMILY.extent(opening)]
    ]
    return play(
        episodes,
        seats=seats,
        world=EpisodicWorld(FAMILY.turns),
        reader=FAMILY.read,
        say=silent,
        at_once=at_once,
    )


def simulated(spec: SpeakerSpec = SPEC, delay_s: float = 0.0) -> SimulatedSpeaker:
    return SimulatedSpeaker(spec, FAMILY.simulator(spec.parameters), delay_s)


class Saying:
    """A speaker that answers with a function of the request, and records its requests."""

    def __init__(self, say, spec: SpeakerSpec = SPEC) -> None:
        self.spec, self.stopped, self._say = spec, "", say
        self.asked: list = []
        self.batches: list[int] = []

    def ask(self, requests, halt: threading.Event):
        for batch in Feed.of(requests).batches(halt):
            self.batches.append(len(batch))
            for request in random.Random(len(self.asked)).sample(batch, len(batch)):
                if halt.is_set():
                    return
                self.asked.append(request)
                text = self._say(request)
                status = "failed" if text is None else "answered" if text.strip() else "empty"
                yield respond(request, self.spec, status=status, text=text or "", error="no reply")

    def close(self) -> None:
        pass


def saying(move: str):
    """Says the words of one option, always."""
    return lambda request: next(o.text for o in request.trial.options if o.id == move)


def responses(path: Path):
    reading = read_journal(path)
    assert not reading.torn
    assert not reading.bad
    return list(reading.responses)


def by_game(path: Path) -> dict:
    """Responses of each game in the order of turns."""
    found: dict = {}
    for response in responses(path):
        found.setdefault((response.episode, response.replicate), []).append(response)
    return {key: sorted(turns, key=lambda r: r.turn) for key, turns in found.items()}


def history(path: Path) -> dict:
    """Moves of each game: own and other's."""
    return {
        key: [(r.value, r.cell.get("other")) for r in turns] for key, turns in by_game(path).items()
    }


def write_parameters(path: Path) -> Path:
    path.write_text(json.dumps(PARAMETERS))
    return path


def settings(**changed) -> SpeakerSpec:
    return replace(SPEC, **changed)
