"""The dictator game: one choice, which the other player has to accept."""

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
    amounts,
    as_cell,
    conditions,
    label_sets,
    replications,
)
from many_wolves.families.dilemmas.task.single import single_turn
from many_wolves.families.dilemmas.task.words import filled, plain_number, talk
from many_wolves.records import Choose, Response, Trial

NAME = "dictator"


def factors(design: Material, partners: Sequence[str], seed: int) -> Factorial:
    """Every cell of the game; it has no partner that acts."""
    game = design.games[NAME].fields(
        ["endowment", "gifts", "labels", "conditions"], ["replications"]
    )
    labels = label_sets(game["labels"], len(amounts(game["gifts"])))
    wanted = {
        "chain_of_thought": ANSWERS,
        "labels": list(labels),
        "case": CASES,
        "pronoun": list(design.words("pronouns").entries()),
        "order": ORDERS,
        "labels_reversed": ANSWERS,
    }
    return Factorial(
        {"by": design.participants}
        | conditions(game["conditions"], wanted)
        | {"copy": replications(game)},
        strata=1,
    )


def opening(design: Material, cell: Mapping[str, Any], seed: int) -> Trial:
    """The game in one cell: a single turn."""
    game = design.games[NAME].entries()
    endowment, gifts = game["endowment"].number(), amounts(game["gifts"])
    if max(gifts) > endowment:
        raise game["gifts"].error(
            f"expected gifts of at most the endowment, {plain_number(endowment)}, found "
            f"{plain_number(max(gifts))}",
            "leave it out, or raise `endowment`",
        )
    labels = label_sets(game["labels"], len(gifts))[cell["labels"]]
    ids = [plain_number(gift) for gift in gifts]
    texts = prompts.labelled(design.words("project"), labels, ids, cell)
    options = prompts.shown(texts, cell)
    words = prompts.money_words(design)
    outcomes = "\n".join(
        filled(
            design.words(NAME, "outcome"),
            option=option.text,
            own=prompts.money(words, endowment - float(option.id)),
            other=prompts.money(words, float(option.id)),
        )
        for option in options
    )
    told = prompts.rules(
        design,
        NAME,
        cell["by"],
        cell,
        endowment=prompts.money(words, endowment),
        outcomes=outcomes,
    )
    block = prompts.answer_block(design, options, cell)
    question = "\n\n".join([told, filled(design.words(NAME, "question")), block])
    kept = {name: value for name, value in cell.items() if name != "by"}
    return Trial(
        family="dilemmas",
        task=NAME,
        cell=as_cell(cell["by"]) | kept | {"endowment": endowment},
        answer=Choose(options, prompts.baseline(block, cell)),
        messages=talk([question], [], str(cell["case"])),
    )


def extent(opening: Trial) -> Extent:
    """One seat, one turn."""
    return Extent(prompts.seat_names(1), 1)


def turns(episode: Episode, answered: Sequence[Response]) -> Sequence[Turn]:
    """The one turn."""
    return single_turn(episode, answered)
