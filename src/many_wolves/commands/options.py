"""Options that several commands take alike: whose choices, which model, how it is sampled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves import families

if TYPE_CHECKING:
    from many_wolves.inference import Settings

_CHOICES = "many_wolves.choices"
Function = Callable[..., Any]
Option = Callable[[Function], Function]

LITERAL = click.option(
    "--literal",
    type=click.Choice(["joint", "cut", "fixed"]),
    default="joint",
    show_default=True,
    help="theta free in one model; from the literal judgments alone; at their means.",
)
UTILITIES = click.option(
    "--utilities", default="inf,soc,pres", show_default=True, help="Or s1: first order."
)
COST_FORM = click.option(
    "--cost-form",
    type=click.Choice(["prior", "utility"]),
    default="prior",
    show_default=True,
    help="Cost beside alpha * utility, or inside it.",
)
WEIGHTS_FORM = click.option(
    "--weights-form",
    type=click.Choice(["normalised", "three-way"]),
    default="normalised",
    show_default=True,
    help="Of reduced variants: weights over the utilities at hand, or over all three.",
)
POSITION_BIAS = click.option(
    "--position-bias",
    is_flag=True,
    help="Infer log-odds of the place an option stood in as well.",
)
MODEL = click.option("--model", help="Cognitive model; the family's first if left out.")
VARIANT = click.option(
    "--variant", help="Variant of the model, as `wolves compare` names them; else the full one."
)
NODES = click.option("--nodes", default=32, show_default=True, help="Quadrature nodes for phi.")
FRAMING = click.option("--framing", help="Only this framing; else each framing is a condition.")


def together(*options: Option) -> Option:
    """Several options as one decorator, shown in the order given."""

    def with_options(command: Function) -> Function:
        for option in reversed(options):
            command = option(command)
        return command

    return with_options


def table_argument() -> Option:
    """CHOICES, which may be given as --choices as well, and the task that it is a table of."""

    def remember(context: click.Context, _: click.Parameter, path: Path | None) -> None:
        context.meta[_CHOICES] = path

    def either(context: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
        named: Path | None = context.meta.get(_CHOICES)
        if path is not None and named is not None:
            raise click.UsageError("CHOICES was given twice: as an argument and as --choices")
        return path if named is None else named

    path = click.Path(path_type=Path)
    return together(
        click.argument("choices", required=False, type=path, callback=either),
        click.option(
            "--choices",
            "choices_again",
            metavar="CHOICES",
            type=path,
            is_eager=True,
            expose_value=False,
            callback=remember,
            help="The same as the argument CHOICES.",
        ),
        click.option(
            "--task",
            type=click.Choice(families.tasks()),
            help="What CHOICES is a table of; of a CSV file politeness if left out.",
        ),
    )


def table_options(human: str) -> Option:
    """Whose choices: CHOICES or people, one speaker, one framing; ``human`` is a help text."""
    return together(
        table_argument(),
        click.option("--human", metavar="NAME", help=f"{human}: yoon2020."),
        click.option("--speaker", help="Which speaker of the table."),
        FRAMING,
    )


def sampling_options(
    *,
    chains: int = 4,
    warmup: int = 1000,
    draws: int = 1000,
    least_draws: int = 50,
    adapt_delta: float = 0.8,
) -> Option:
    """Engine, chains, iterations, target acceptance and seed, with these defaults."""
    return together(
        click.option(
            "--engine",
            type=click.Choice(["auto", "httpstan", "cmdstan"]),
            default="auto",
            show_default=True,
        ),
        click.option("--chains", default=chains, show_default=True, type=click.IntRange(2)),
        click.option("--warmup", default=warmup, show_default=True, type=click.IntRange(50)),
        click.option("--draws", default=draws, show_default=True, type=click.IntRange(least_draws)),
        click.option(
            "--adapt-delta",
            default=adapt_delta,
            show_default=True,
            type=click.FloatRange(0.5, 0.999),
        ),
        click.option("--seed", default=1, show_default=True, type=click.IntRange(0)),
    )


def settings_of(options: Mapping[str, Any]) -> Settings:
    """The sampler's settings among the options of a command."""
    from many_wolves.inference import Settings

    names: Sequence[str] = ("chains", "warmup", "draws", "adapt_delta", "seed")
    return Settings(**{name: options[name] for name in names})
