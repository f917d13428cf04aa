"""Openings, answers and chains for the tests of bargaining."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

from many_wolves.contracts import Episode
from many_wolves.families.bargaining import Bargaining
from many_wolves.families.bargaining.model import models
from many_wolves.families.bargaining.moves import Move
from many_wolves.families.bargaining.reading.values import spoken, to_value
from many_wolves.families.bargaining.task.chain import Answer, Question, Walk, walk
from many_wolves.families.bargaining.task.compiler import compile_haggle, opening
from many_wolves.families.bargaining.task.design import HaggleDesign
from many_wolves.families.bargaining.task.factors import cells
from many_wolves.families.bargaining.task.material import read_material
from many_wolves.families.bargaining.task.openings import script_of
from many_wolves.families.bargaining.task.script import Script
from many_wolves.records import Response, SpeakerSpec, Trial
from many_wolves.records.response import blank_response

FAMILY = Bargaining()
MODELS = models()
SPEC = SpeakerSpec("simulated", "player", parameters={"concession": {"opening": 0.9}})
Says = Callable[[Question], Answer | None]


def design(preset: str = "default", **changed) -> HaggleDesign:
    return HaggleDesign.read({"preset": preset, **changed})


def openings(preset: str = "default", **changed):
    return list(compile_haggle(design(preset, **changed)).trials)


MATERIAL = read_material()


def script(preset: str = "default", number: int = 0, **changed) -> Script:
    wanted = design(preset, **changed)
    cell = next(islice(cells(MATERIAL, wanted), number, None))
    return script_of(MATERIAL, wanted, cell)


def says(text: str, move: Move | None = None, status: str = "answered") -> Answer:
    """An answer in words, whose move is given."""
    return Answer(status, text, spoken(text, "seller", "free"), move)


def offers(price: float, *flags: str) -> Answer:
    return says(f"How about ${price:g}?", Move("offer", price, flags))


DEAL, LEAVES, CHATS = (
    says("Deal!", Move("accept")),
    says("Goodbye.", Move("walk")),
    says("Hm.", Move("talk")),
)


def go_through(one: Script, answer: Says, chance: str = "e:0", limit: int = 2000) -> Walk:
    """Answer questions until there are none, or there is no answer."""
    answers: dict[int, Answer] = {}
    for _ in range(limit):
        went = walk(one, chance, answers)
        new = {q.turn: said for q in went.questions if (said := answer(q)) is not None}
        if not new:
            return went
        answers |= new
    raise AssertionError("the chain does not end")


def spec(name: str, **parameters) -> SpeakerSpec:
    return SpeakerSpec("simulated", name, parameters=parameters)


def asked_and_answered(
    opening: Trial,
    say: Callable[[Trial], str] | Mapping[str, Callable[[Trial], str]],
    specs: Mapping[str, SpeakerSpec] | SpeakerSpec = SPEC,
    replicate: int = 0,
    stop_after: int = 10_000,
) -> list[Response]:
    """Responses of one chain, in the order in which they come; ``say`` for all seats or by seat."""
    seats = Script.of(opening.script).seats
    by_seat = {s: specs[s] if isinstance(specs, Mapping) else specs for s in seats}
    episode = Episode(opening, replicate, by_seat)
    found: list[Response] = []
    while True:
        asked = [t for t in FAMILY.turns(episode, found)
                 if t.trial.turn not in {r.turn for r in found}]  # fmt: skip
        if not asked or len(found) >= stop_after:
            return found
        for turn in asked:
            seat = str(turn.trial.cell["seat"])
            who = by_seat[seat]
            words = (say[seat] if isinstance(say, Mapping) else say)(turn.trial)
            reading = FAMILY.read(turn.trial, words)
            assert seat in seats
            found.append(
                blank_response(
                    turn.trial, who, replicate, reading.status, value=reading.value, text=words
                )
            )


def tables(*chains: list[Response], **options):
    return FAMILY.tabulate([r for chain in chains for r in chain], **options)


__all__ = [
    "CHATS",
    "DEAL",
    "FAMILY",
    "LEAVES",
    "MODELS",
    "SPEC",
    "Question",
    "asked_and_answered",
    "design",
    "go_through",
    "offers",
    "opening",
    "openings",
    "says",
    "script",
    "spec",
    "tables",
    "to_value",
]
