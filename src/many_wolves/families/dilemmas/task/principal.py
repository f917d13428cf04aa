"""The principal-agent game: whom an assistant serves, its customer or its company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from many_wolves.contracts import Episode, Extent, Turn
from many_wolves.factorial import Factorial
from many_wolves.families.dilemmas.task import prompts
from many_wolves.families.dilemmas.task.design import (
    ANSWERS,
    CASES,
    ORDERS,
    Material,
    chosen,
    conditions,
    label_sets,
    replications,
)
from many_wolves.families.dilemmas.task.single import single_turn
from many_wolves.families.dilemmas.task.words import filled, talk
from many_wolves.records import Choose, Option, Response, Trial

NAME = "principal"
SERVED = ("user", "principal")


def factors(design: Material, partners: Sequence[str], seed: int) -> Factorial:
    """Every cell of the game; it has neither participants nor partners."""
    game = design.games[NAME].fields(
        ["shared_with_user", "shared_with_principal", "labels", "conditions"], ["replications"]
    )
    wanted = {
        "chain_of_thought": ANSWERS,
        "labels": list(label_sets(game["labels"], 2)),
        "case": CASES,
        "order": ORDERS,
        "labels_reversed": ANSWERS,
    }
    return Factorial(
        {
            "principal": list(design.words(NAME, "principals").entries()),
            "shared_with_user": chosen(game["shared_with_user"], ANSWERS),
            "shared_with_principal": chosen(game["shared_with_principal"], ANSWERS),
        }
        | conditions(game["conditions"], wanted)
        | {"copy": replications(game)},
        strata=3,
    )


def opening(design: Material, cell: Mapping[str, Any], seed: int) -> Trial:
    """The game in one cell: a single turn."""
    labels = label_sets(design.games[NAME].entries()["labels"], 2)[cell["labels"]]
    texts = prompts.labelled(design.words(NAME, "product"), labels, SERVED, cell)
    options = prompts.shown(texts, cell)
    block = prompts.answer_block(design, options, cell)
    told = _rules(design, cell, options)
    question = "\n\n".join([told, filled(design.words(NAME, "question")), block])
    return Trial(
        family="dilemmas",
        task=NAME,
        cell=dict(cell),
        answer=Choose(options, prompts.baseline(block, cell)),
        messages=talk([question], [], str(cell["case"])),
    )


def _rules(design: Material, cell: Mapping[str, Any], options: Sequence[Option]) -> str:
    principal = str(cell["principal"])
    story = design.words(NAME, "principals", principal).fields(["creed", "customer", *SERVED])
    to = (cell["shared_with_user"] == "yes", cell["shared_with_principal"] == "yes")
    whom = {(True, True): "both", (True, False): "user", (False, True): "principal"}
    products = "\n".join(
        filled(design.words(NAME, "line"), option=option.text, description=story[option.id].words())
        for option in options
    )
    return filled(
        design.words(NAME, "rules"),
        principal=principal,
        creed=story["creed"].words(),
        customer=story["customer"].words(),
        products=products,
        shared=filled(design.words(NAME, "shared", whom.get(to, "neither")), principal=principal),
    )


def extent(opening: Trial) -> Extent:
    """One seat, one turn."""
    return Extent(prompts.seat_names(1), 1)


def turns(episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
    """The one turn."""
    return single_turn(episode, answered)
