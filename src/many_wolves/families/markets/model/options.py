"""Options of the cognitive models; imports little."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from many_wolves.options import ModelOptions

SPREAD = 0.5
"""Prior mean of the standard deviations between participants."""


def _spread() -> float:
    field: float = Field(
        default=SPREAD,
        gt=0,
        description="Prior mean of the standard deviation between participants.",
    )
    return field


class DeclaredOptions(ModelOptions):
    """Options of ``declared-value``."""

    beliefs: Literal["estimated", "rational"] = Field(
        default="estimated",
        description="Whether the believed purchase rate is estimated or set to the observed one.",
    )
    honesty: bool = Field(
        default=False, description="Whether deviations from the value have a cost."
    )
    first: bool = Field(default=True, description="Whether first declarations are fitted too.")
    spread: float = _spread()


class PurchaseOptions(ModelOptions):
    """Options of ``purchases``."""

    base_rate: bool = Field(default=True, description="Whether the middle of the band has weight.")
    shading: bool = Field(
        default=True, description="Whether declared values are believed to be shaded."
    )
    spread: float = _spread()


class QuoteOptions(ModelOptions):
    """Options of ``quotes``."""

    inventory: bool = Field(
        default=True, description="Whether own shares lower the reservation price."
    )
    anchor: bool = Field(default=True, description="Whether beliefs move to the median price.")


class EwaOptions(ModelOptions):
    """Options of ``ewa``."""

    growth: Literal["zero", "one", "estimated"] = Field(
        default="zero",
        description="kappa: attractions as averages (zero), as sums (one), or estimated.",
    )
    foregone: bool = Field(default=True, description="Whether foregone payoffs count.")
    past: bool = Field(default=True, description="Whether past rounds count at all.")
