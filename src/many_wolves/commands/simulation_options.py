"""What `wolves recover` and `wolves calibrate` ask alike: a design, and how it is fitted again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

Function = Callable[..., Any]


def simulation_options(
    *, count: int, least: int, literal: Sequence[str], out: str
) -> Callable[[Function], Function]:
    """Options of a command that simulates answers and fits them.

    Parameters
    ----------
    count, least
        Default and smallest number of simulations.
    literal
        Treatments of the literal judgments; the first is the default.
    out
        Default folder of the results.
    """
    options = (
        click.argument("choices", required=False, type=click.Path(path_type=Path)),
        click.option(
            "--human", metavar="NAME", help="The design of the shipped human counts: yoon2020."
        ),
        click.option("--speaker", help="Which speaker of the table."),
        click.option("--n", "count", default=count, show_default=True, type=click.IntRange(least)),
        click.option(
            "--literal", type=click.Choice(literal), default=literal[0], show_default=True
        ),
        click.option(
            "--utilities", default="inf,soc,pres", show_default=True, help="Or s1: first order."
        ),
        click.option(
            "--engine",
            type=click.Choice(["auto", "httpstan", "cmdstan"]),
            default="auto",
            show_default=True,
        ),
        click.option("--chains", default=2, show_default=True, type=click.IntRange(2)),
        click.option("--warmup", default=400, show_default=True, type=click.IntRange(50)),
        click.option("--draws", default=300, show_default=True, type=click.IntRange(50)),
        click.option(
            "--adapt-delta", default=0.9, show_default=True, type=click.FloatRange(0.5, 0.999)
        ),
        click.option("--seed", default=1, show_default=True, type=click.IntRange(0)),
        click.option(
            "--workers", type=click.IntRange(1), help="Processes; as many as cores if not given."
        ),
        click.option("--out", type=click.Path(path_type=Path), default=Path(out)),
    )

    def with_options(command: Function) -> Function:
        for option in reversed(options):
            command = option(command)
        return command

    return with_options


def simulate(
    choices: Path | None,
    human: str | None,
    options: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
) -> tuple[Any, list[Any]]:
    """What is simulated, and all simulations fitted; goes on where an earlier run stopped."""
    from many_wolves.commands.executors import cores
    from many_wolves.commands.simulating import Trials, run_trials
    from many_wolves.commands.tables import human_or_table

    trials = Trials(
        table=human_or_table(choices, human, options["speaker"]),
        options={
            "literal": options["literal"],
            "utilities": tuple(u.strip() for u in options["utilities"].split(",")),
        },
        engine=options["engine"],
        settings={k: options[k] for k in ("chains", "warmup", "draws", "adapt_delta")},
        given=given,
    )
    done = run_trials(
        trials,
        options["count"],
        seed=options["seed"],
        path=options["out"] / "simulations.jsonl",
        workers=options["workers"] or cores(),
        label="simulations",
    )
    return trials, list(done)
