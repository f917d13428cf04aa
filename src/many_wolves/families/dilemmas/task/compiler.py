"""Compiles a design into openings of episodes: every cell, or a seeded sample."""

from __future__ import annotations

from collections.abc import Iterator

from many_wolves.contracts import Compiled
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.options import GameDesign
from many_wolves.families.dilemmas.task.design import GAMES, Material, read_material
from many_wolves.families.dilemmas.task.games import game_of
from many_wolves.records import Trial
from many_wolves.sources import nearest

FACTORS = ("group", "partner", "length", "starts", "principal")
"""Factors by which the manifest counts, if a game has them."""


def compile_game(game: str, design: GameDesign) -> Compiled:
    """The openings of one game, and facts about them.

    Raises
    ------
    WolvesError
        If the sources or the design are at fault; of a single cell, when its opening is read.
    """
    material = read_material(design.sources, design.templates, design.groups)
    _check(design, material)
    facts = {
        "seed": design.seed,
        "sample": design.sample,
        "partners": list(design.partners),
        "groups": list(design.groups),
        "sources": dict(material.fingerprints),
        "asked_with": dict(material.asked_with),
    }
    notes = tuple(
        f"`wolves collect` uses {name} {', '.join(f'{value:g}' for value in values)} by default "
        "for these trials."
        for name, values in material.asked_with.items()
    )
    return Compiled(openings(game, design, material), facts, FACTORS, notes)


def openings(game: str, design: GameDesign, material: Material | None = None) -> Iterator[Trial]:
    """The openings of a game, one at a time.

    Raises
    ------
    WolvesError
        If the sources or the design are at fault.
    """
    read = material or read_material(design.sources, design.templates, design.groups)
    if game not in read.games:
        return
    rules = game_of(game)
    cells = rules.factors(read, design.partners, design.seed)
    for cell in cells.cells(design.sample, design.seed):
        yield rules.opening(read, cell, design.seed)


def _check(design: GameDesign, material: Material) -> None:
    known = {
        partner
        for name in GAMES
        if name in material.games and "partners" in material.games[name].entries()
        for partner in material.games[name].entries()["partners"].entries()
    }
    for partner in design.partners:
        if partner not in known:
            raise WolvesError(f"unknown partner {partner!r}", fix=nearest(partner, known))
