"""The cells of a design: every combination of its factors, or a seeded sample even over strata."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from many_wolves.factorial import Factorial
from many_wolves.families.bargaining.task.design import HaggleDesign
from many_wolves.families.bargaining.task.material import Material


def cells(material: Material, design: HaggleDesign) -> Iterator[dict[str, Any]]:
    """The cells of a design, each with its ``number`` among all.

    A sample is even over partners, roles and goods, in that order: no combination of the first
    has two more than another.
    """
    factors = _factors(material, design)
    for number in _numbers(factors, design):
        cell = factors.cell(number) | {"number": number}
        good, n = cell.pop("what")
        by = cell["by"]
        yield cell | {
            "good": good,
            "prices": material.good(good).prices[n].times(cell["scale"]),
            "limits": n + 1,
            "group": by.group,
            "participant": by.number,
        }


def count(material: Material, design: HaggleDesign) -> int:
    """How many cells there are in all, before a sample is drawn."""
    return len(_factors(material, design))


def _factors(material: Material, design: HaggleDesign) -> Factorial:
    goods = [(name, n) for name in design.goods for n in range(len(material.good(name).prices))]
    factors = {
        "partner": [_checked(material, name) for name in design.partners],
        "role": design.roles,
        "what": goods,
        "by": [p for group in design.groups for p in material.participants(group)],
        "first": design.first,
        "opening": design.openings,
        "scale": design.scales,
        "rounds": design.rounds,
        "announced": design.announced,
        "goal": design.goal,
        "walk": design.walk,
        "nothing": design.nothing,
        "outside": design.outside,
        "form": design.forms,
        "copy": range(1, design.copies + 1),
    }
    return Factorial(factors, strata=2)


def _checked(material: Material, partner: str) -> str:
    material.partner(partner)
    return partner


def _numbers(factors: Factorial, design: HaggleDesign) -> Sequence[int]:
    """Numbers of the cells that are played."""
    total = len(factors)
    if design.sample is None or design.sample >= total:
        return range(total)
    *first_sizes, parts = [len(v) for v in factors.factors.values()][: factors.strata + 1]
    strata = prod(first_sizes)
    within = total // strata
    rounds, rest = divmod(design.sample, strata)
    first = set(random.Random(f"{design.seed}:strata").sample(range(strata), rest))
    return [
        stratum * within + place
        for stratum in range(strata)
        for place in _spread(within, parts, rounds + (stratum in first), design.seed, stratum)
    ]


def _spread(within: int, parts: int, n: int, seed: int, stratum: int) -> list[int]:
    """``n`` of the places of a stratum, even over its ``parts``."""
    each, chance = within // parts, random.Random(f"{seed}:{stratum}")
    rounds, rest = divmod(n, parts)
    more = set(chance.sample(range(parts), rest))
    return [
        part * each + place
        for part in range(parts)
        for place in sorted(chance.sample(range(each), min(each, rounds + (part in more))))
    ]
