"""``haggle-words``: choices among replies at several prices in several tones."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from many_wolves.contracts import Compiled
from many_wolves.families.bargaining.moves import Role, Terms, other
from many_wolves.families.bargaining.simulation.words import TONES
from many_wolves.families.bargaining.task.compiler import FAMILY
from many_wolves.families.bargaining.task.design import WordsDesign
from many_wolves.families.bargaining.task.material import Good, Material, Prices, read_material
from many_wolves.records import Choose, Message, Option, Trial

WORDS = "haggle-words"
FACTORS = ("role", "good", "group")


def compile_words(design: WordsDesign) -> Compiled:
    """The trials of a design.

    Raises
    ------
    WolvesError
        If sources or design are at fault.
    """
    material = read_material(design.sources, design.templates)
    cells = list(_cells(material, design))
    if design.sample is not None and design.sample < len(cells):
        cells = random.Random(f"{design.seed}:words").sample(cells, design.sample)
    return Compiled(
        trials=(_trial(material, design, cell) for cell in cells),
        facts={
            "design": design.model_dump(mode="json", exclude={"sources", "templates"}),
            "sources": material.fingerprints,
        },
        factors=FACTORS,
    )


def _cells(material: Material, design: WordsDesign) -> Iterator[dict[str, Any]]:
    goods = [
        (name, n) for name in design.goods for n in range(len(material.good(name).prices))
        if material.good(name).prices[n].value is not None
    ]  # fmt: skip
    people = [p for group in design.groups for p in material.participants(group)]
    orders = range(1, design.orders + 1)
    for role, (good, n), by, standing, own, goal, order in product(
        design.roles, goods, people, design.standing, design.own, design.goal, orders
    ):
        yield {
            "role": role, "good": good, "limits": n + 1, "by": by, "standing": standing,
            "own": own, "goal": goal, "order": order,
        }  # fmt: skip


def _trial(material: Material, design: WordsDesign, cell: dict[str, Any]) -> Trial:
    good, role, by = material.good(cell["good"]), cell["role"], cell["by"]
    prices = good.prices[cell["limits"] - 1]
    terms = _terms(prices)
    offered = terms.on_grid(terms.price(role, cell["standing"]))
    own = terms.on_grid(terms.price(role, cell["own"]))
    options = _options(material, good, terms, role, design, offered)
    shown = random.Random(f"{design.seed}:{sorted(cell.items(), key=str)}").sample(
        options, len(options)
    )
    lines = "\n".join(f"- {option.text}" for option in shown)
    question = _question(material, good, terms, role, cell, own, offered, lines)
    baseline = material.text("replies", "baseline").format(options=lines)
    return Trial(
        family=FAMILY,
        task=WORDS,
        cell={
            "group": by.group, "participant": by.number, "role": role, "good": cell["good"],
            "limits": cell["limits"], "goal": "yes" if cell["goal"] else "no",
            "offered": round(terms.share(role, offered), 6),
            "own": round(terms.share(role, own), 6),
            "order": cell["order"], "seed": design.seed,
        },
        answer=Choose(tuple(shown), (Message("user", baseline),)),
        messages=(Message("user", f"{by.prompt}\n\n{question}".strip()),),
    )  # fmt: skip


def _terms(prices: Prices) -> Terms:
    return Terms(prices.ask, prices.bid, prices.cost, prices.value, prices.step)


def _options(
    material: Material, good: Good, terms: Terms, role: Role, design: WordsDesign, offered: float
) -> list[Option]:
    """Three tones at the standing price, which accepts it, and at the demands above it."""
    money = material.money(good)
    demands = [terms.on_grid(terms.price(role, share)) for share in design.demands]
    prices = [("accept", offered)] + [
        (f"{terms.share(role, price):g}", price) for price in dict.fromkeys(demands)
    ]
    return [
        Option(
            f"{what}:{tone}",
            material.text("replies", role, tone, "accept" if what == "accept" else "offer").format(
                price=money.words(price)
            ),
        )
        for what, price in prices
        for tone in TONES
    ]


def _question(
    material: Material, good: Good, terms: Terms, role: Role, cell: dict[str, Any],
    own: float, offered: float, lines: str,
) -> str:  # fmt: skip
    money, names = material.money(good), good.names
    limit = terms.limit(role)
    text = material.text("replies", "question").format(
        scene=material.text(role, "scene").format(**names),
        limit="" if limit is None else material.text(role, "limit").format(
            limit=money.words(limit), **names
        ),
        goal=material.text(role, "goal").format(**names) if cell["goal"] else "",
        own=money.words(own),
        standing=money.words(offered),
        other=material.text(other(role), "role"),
        options=lines,
    )  # fmt: skip
    return re.sub(r"\n{3,}", "\n\n", text).strip()
