"""Openings, answers and chains for the tests of bargaining."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from many_wolves.families.bargaining.moves import Move
from many_wolves.families.bargaining.reading.values import spoken, to_value
from many_wolves.families.bargaining.task.chain import Answer, Question, Walk, walk
from many_wolves.families.bargaining.task.compiler import compile_haggle, opening
from many_wolves.families.bargaining.task.design import HaggleDesign
from many_wolves.families.bargaining.task.factors import cells
from many_wolves.families.bargaining.task.material import read_material
from many_wolves.families.bargaining.task.openings import script_of
from many_wolves.families.bargaining.task.script import Script

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
    """Answer question after question until nothing is asked, or nobody answers."""
    answers: dict[int, Answer] = {}
    for _ in range(limit):
        went = walk(one, chance, answers)
        new = {q.turn: said for q in went.questions if (said := answer(q)) is not None}
        if not new:
            return went
        answers |= new
    raise AssertionError("the chain does not end")


__all__ = [
    "CHATS",
    "DEAL",
    "LEAVES",
    "Question",
    "design",
    "go_through",
    "offers",
    "opening",
    "openings",
    "says",
    "script",
    "to_value",
]
