"""Scripted partners of the dilemma: their moves after each history."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from many_wolves.families.dilemmas.task.design import probability
from many_wolves.sources import Source

PROBABILITIES = ("start", "CC", "CD", "DC", "DD")
"""Contexts of a memory-one partner: the start, or its own move and the other's."""

Played = Sequence[tuple[str, str]]
"""Rounds so far: the partner's own move, and the other player's."""


def read_partner(source: Source) -> dict[str, Any]:
    """A partner of ``games.yaml``: five probabilities of C, ``axelrod``, or ``speaker``.

    Raises
    ------
    WolvesError
        If it is none of these.
    """
    found = source.entries()
    if "speaker" in found:
        fields = source.fields(["speaker"], ["role"])
        if not fields["speaker"].flag():
            raise fields["speaker"].error("expected `speaker: true`", "write true")
        return {"speaker": True}
    if "axelrod" in found:
        from many_wolves.families.dilemmas.task.library import check

        name = source.fields(["axelrod"])["axelrod"]
        check(name)
        return {"axelrod": name.words()}
    fields = source.fields(PROBABILITIES)
    return {name: probability(value) for name, value in fields.items()}


def move(partner: Mapping[str, Any], played: Played, chance: str) -> str:
    """What a partner plays next, ``C`` or ``D``.

    Parameters
    ----------
    partner
        As ``read_partner`` gives it, not a speaker.
    played
        All rounds so far.
    chance
        Where its chance comes from: equal words give the same move.
    """
    if "axelrod" in partner:
        from many_wolves.families.dilemmas.task.library import next_move

        return next_move(str(partner["axelrod"]), played, chance)
    before = "".join(played[-1]) if played else "start"
    cooperates = float(partner[before])
    return "C" if random.Random(f"{chance}:{len(played)}").random() < cooperates else "D"
