"""The prompts of the ultimatum game, round by round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from many_wolves.families.dilemmas.task import prompts
from many_wolves.families.dilemmas.task.words import fill
from many_wolves.records import Trial

REPORTS = {
    "my_offer_accepted": ("amount", "own", "other"),
    "my_offer_rejected": ("amount",),
    "offer_accepted": ("amount", "own", "other"),
    "offer_rejected": ("amount",),
}
"""The result of a round, for a player -> placeholders."""


class Round(NamedTuple):
    """One round: the seat that proposes, its offer, and whether it was accepted."""

    proposer: int
    offer: float
    accepted: bool | None


def questions(opening: Trial, seat: int, rounds: Sequence[Round], offer: float | None) -> list[str]:
    """What a seat reads in every round, this one included."""
    news = str(opening.script["rules"][seat])
    listed = []
    for n, one in enumerate(rounds, start=1):
        met = None if one.proposer == seat else one.offer
        listed.append(f"{news}\n\n{_question(opening, n, met)}")
        news = _report(opening, seat, one)
    listed.append(f"{news}\n\n{_question(opening, len(rounds) + 1, offer)}")
    return listed


def _question(opening: Trial, n: int, offer: float | None) -> str:
    script, cell = opening.script, opening.cell
    endowment, rounds = float(cell["endowment"]), cell["rounds"]
    if offer is None:
        asked = fill(
            script["propose"],
            round=n,
            rounds=rounds,
            endowment=prompts.money(script["money"], endowment),
        )
        return f"{asked}\n\n{script['proposer']['answer']}"
    asked = fill(
        script["respond"],
        round=n,
        rounds=rounds,
        amount=prompts.money(script["money"], offer),
        rest=prompts.money(script["money"], endowment - offer),
    )
    return f"{asked}\n\n{script['responder']['answer']}"


def _report(opening: Trial, seat: int, one: Round) -> str:
    """The result of a round, for a seat."""
    script, rest = opening.script, float(opening.cell["endowment"]) - one.offer
    ours = one.proposer == seat
    kind = ("my_offer_" if ours else "offer_") + ("accepted" if one.accepted else "rejected")
    own, other = (rest, one.offer) if ours else (one.offer, rest)
    return fill(
        script["reports"][kind],
        amount=prompts.money(script["money"], one.offer),
        own=prompts.money(script["money"], own),
        other=prompts.money(script["money"], other),
    )
