"""How a speaker is fitted: the options of `wolves fit` and `wolves fit-all`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from many_wolves.commands.options import (
    COST_FORM,
    LITERAL,
    MODEL,
    NODES,
    POSITION_BIAS,
    UTILITIES,
    VARIANT,
    WEIGHTS_FORM,
    sampling_options,
    together,
)

if TYPE_CHECKING:
    from many_wolves.inference import EngineName

fit_options = together(
    LITERAL,
    UTILITIES,
    COST_FORM,
    WEIGHTS_FORM,
    POSITION_BIAS,
    MODEL,
    VARIANT,
    NODES,
    sampling_options(),
)
"""The options of a fit."""


@dataclass(frozen=True)
class FitOptions:
    """Options of one fit, as the command takes them."""

    literal: str = "joint"
    utilities: str = "inf,soc,pres"
    cost_form: str = "prior"
    weights_form: str = "normalised"
    position_bias: bool = False
    model: str | None = None
    variant: str | None = None
    nodes: int = 32
    engine: EngineName = "auto"
    chains: int = 4
    warmup: int = 1000
    draws: int = 1000
    adapt_delta: float = 0.8
    seed: int = 1
    allow_unconverged: bool = False
    no_report: bool = False
