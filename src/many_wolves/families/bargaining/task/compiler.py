"""Designs -> openings of chains of games."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from many_wolves.contracts import Compiled
from many_wolves.families.bargaining.task.cells import opening_cell
from many_wolves.families.bargaining.task.design import HaggleDesign
from many_wolves.families.bargaining.task.factors import cells, count
from many_wolves.families.bargaining.task.material import Material, read_material
from many_wolves.families.bargaining.task.openings import script_of
from many_wolves.families.bargaining.task.script import SPEAKER_SEAT, Script
from many_wolves.records import Message, Text, Trial

FAMILY = "bargaining"
HAGGLE = "haggle"
FACTORS = ("partner", "role", "good", "group", "arms", "form")
"""What the manifest counts by."""


def compile_haggle(design: HaggleDesign) -> Compiled:
    """Openings of the chains of a design.

    Raises
    ------
    WolvesError
        If sources or design are at fault.
    """
    material = read_material(design.sources, design.templates)
    total = count(material, design)
    played = min(design.sample or total, total)
    several = [f"{played:,} of {total:,} cells, drawn by the seed."] if played < total else []
    return Compiled(
        trials=_openings(material, design),
        facts={
            "design": design.model_dump(mode="json", exclude={"sources", "templates"}),
            "sources": material.fingerprints,
        },
        factors=FACTORS,
        notes=tuple(several),
    )


def _openings(material: Material, design: HaggleDesign) -> Iterator[Trial]:
    for cell in cells(material, design):
        yield opening(script_of(material, design, cell), cell)


def opening(script: Script, cell: Mapping[str, Any]) -> Trial:
    """The opening of one cell."""
    return Trial(
        family=FAMILY,
        task=HAGGLE,
        cell=opening_cell(script, cell),
        answer=Text(),
        messages=(Message("user", script.rules[SPEAKER_SEAT]),),
        script=script.to_json(),
    )
