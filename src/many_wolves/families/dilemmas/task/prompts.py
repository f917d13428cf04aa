"""Parts of prompts that several games share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from many_wolves.families.dilemmas.task.design import Material, Participant
from many_wolves.families.dilemmas.task.words import cased, fill, filled, plain_number, template
from many_wolves.records import Message, Option
from many_wolves.sources import Source
from many_wolves.worlds import SPEAKER


def money_words(design: Material) -> str:
    """The template of an amount of money."""
    return template(design.words("money"), "amount")


def money(words: str, amount: float) -> str:
    """An amount of money in words."""
    return fill(words, amount=plain_number(amount))


def labelled(
    names: Source, labels: Sequence[str], ids: Sequence[str], cell: Mapping[str, Any]
) -> dict[str, str]:
    """Option id -> its text, by the cell's ``labels_reversed`` and letter case."""
    ordered = list(reversed(labels)) if cell["labels_reversed"] == "yes" else list(labels)
    texts = (cased(filled(names, label=label), str(cell["case"])) for label in ordered)
    return dict(zip(ids, texts, strict=True))


def shown(texts: Mapping[str, str], cell: Mapping[str, Any]) -> tuple[Option, ...]:
    """The options in the order of the cell."""
    listed = [Option(id, text) for id, text in texts.items()]
    return tuple(reversed(listed) if cell["order"] == "backward" else listed)


def answer_block(design: Material, options: Sequence[Option], cell: Mapping[str, Any]) -> str:
    """The options, one a line, and how to answer."""
    line = design.words("answer", "option")
    lines = "\n".join(filled(line, option=option.text) for option in options)
    kind = "chain_of_thought" if cell.get("chain_of_thought") == "yes" else "plain"
    return filled(design.words("answer", kind), options=lines)


def baseline(block: str, cell: Mapping[str, Any]) -> tuple[Message, ...]:
    """The question without its scene: the options alone."""
    return (Message("user", cased(block, str(cell["case"]))),)


def rules(design: Material, game: str, participant: Participant, cell: Mapping[str, Any],
          **values: Any) -> str:  # fmt: skip
    """What a participant reads first."""
    partner = design.words("pronouns", str(cell["pronoun"])).fields(["waits", "them"])
    return filled(
        design.words(game, "rules"),
        role=participant.role,
        waits=partner["waits"].words(),
        them=partner["them"].words(),
        **values,
    )


def seat_names(number: int) -> tuple[str, ...]:
    """Names of the seats of a game: a speaker alone, or with a partner."""
    return (SPEAKER, "partner")[:number]


def seats(
    design: Material, by: Participant, partner: Source, *, speaker: bool
) -> list[Participant]:
    """Who plays: the participant, and the role of a partner that is a speaker."""
    if not speaker:
        return [by]
    role = partner.entries().get("role")
    return [by, by if role is None else design.role(role.words(), role)]
