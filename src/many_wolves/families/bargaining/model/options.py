"""Options of the family's cognitive models; imports little."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from many_wolves.options import ModelOptions

SPREAD = 0.5
"""Prior mean of the standard deviations between units, in prior sds of what varies."""


def _spread() -> float:
    field: float = Field(
        default=SPREAD,
        gt=0,
        description="Prior mean of the sds between role prompts, chains and games, in prior sds.",
    )
    return field


def _by_game() -> bool:
    field: bool = Field(default=True, description="Whether games of one chain or prompt differ.")
    return field


class ConcessionOptions(ModelOptions):
    """Options of ``concession``."""

    memory: Literal["all", "gap", "none"] = Field(
        default="all",
        description="What moves depend on: the gap, the round and the other's concessions; the "
        "gap; nothing.",
    )
    by_game: bool = _by_game()
    spread: float = _spread()


class AspirationOptions(ModelOptions):
    """Options of ``aspiration``."""

    reciprocity: bool = Field(
        default=True, description="Whether the aspiration answers the other side's concessions."
    )
    ends: Literal["all", "deals"] = Field(
        default="all",
        description="Games that are fitted: all, or those that ended with a deal, which is biased.",
    )
    by_game: bool = _by_game()
    spread: float = _spread()


class ValuesOptions(ModelOptions):
    """Options of ``values``."""

    fair: Literal["even", "inequity", "smooth", "none"] = Field(
        default="even", description="Form of the wish for an even split."
    )
    deal: bool = Field(default=True, description="Whether agreement as such has a value.")
    rows: Literal["all", "offers", "replies"] = Field(
        default="all", description="Messages that are fitted: all, offers, or replies."
    )
    by_game: bool = _by_game()
    spread: float = _spread()


class OutcomesOptions(ModelOptions):
    """Options of ``outcomes``."""

    by_partner: bool = Field(default=True, description="Whether partners differ.")
    arms: bool = Field(default=True, description="Whether advice between games has effects.")
    spread: float = _spread()


class WordsOptions(ModelOptions):
    """Options of ``kind-words``."""

    kind: bool = Field(default=True, description="Whether kind words have a value.")
    spread: float = _spread()
