"""How a speaker is fitted: the options of `wolves fit` and `wolves fit-all`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from many_wolves.inference import EngineName

Function = Callable[..., Any]

_OPTIONS = (
    click.option(
        "--literal",
        type=click.Choice(["joint", "cut", "fixed"]),
        default="joint",
        show_default=True,
        help="theta free in one model; from the literal judgments alone; at their means.",
    ),
    click.option(
        "--utilities", default="inf,soc,pres", show_default=True, help="Or s1: first order."
    ),
    click.option(
        "--cost-form",
        type=click.Choice(["prior", "utility"]),
        default="prior",
        show_default=True,
        help="Cost beside alpha * utility, or inside it.",
    ),
    click.option(
        "--weights-form",
        type=click.Choice(["normalised", "three-way"]),
        default="normalised",
        show_default=True,
        help="Of reduced variants: weights over the utilities at hand, or over all three.",
    ),
    click.option(
        "--position-bias",
        is_flag=True,
        help="Infer log-odds of the place an option stood in as well.",
    ),
    click.option("--model", help="Cognitive model; the family's first if left out."),
    click.option("--nodes", default=32, show_default=True, help="Quadrature nodes for phi."),
    click.option(
        "--engine",
        type=click.Choice(["auto", "httpstan", "cmdstan"]),
        default="auto",
        show_default=True,
    ),
    click.option("--chains", default=4, show_default=True, type=click.IntRange(2)),
    click.option("--warmup", default=1000, show_default=True, type=click.IntRange(50)),
    click.option("--draws", default=1000, show_default=True, type=click.IntRange(50)),
    click.option(
        "--adapt-delta", default=0.8, show_default=True, type=click.FloatRange(0.5, 0.999)
    ),
    click.option("--seed", default=1, show_default=True, type=click.IntRange(0)),
)


def fit_options(command: Function) -> Function:
    """Give a command the options of a fit."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class FitOptions:
    """Options of one fit, as the command takes them."""

    literal: str = "joint"
    utilities: str = "inf,soc,pres"
    cost_form: str = "prior"
    weights_form: str = "normalised"
    position_bias: bool = False
    model: str | None = None
    nodes: int = 32
    engine: EngineName = "auto"
    chains: int = 4
    warmup: int = 1000
    draws: int = 1000
    adapt_delta: float = 0.8
    seed: int = 1
    allow_unconverged: bool = False
    no_report: bool = False
