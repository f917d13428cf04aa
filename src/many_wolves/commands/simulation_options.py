"""What `wolves recover` and `wolves calibrate` ask alike: a design, and how it is fitted again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from many_wolves.commands.options import (
    MODEL,
    UTILITIES,
    VARIANT,
    Option,
    sampling_options,
    table_argument,
    together,
)


def simulation_options(*, count: int, least: int, literal: Sequence[str], out: str) -> Option:
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
    return together(
        table_argument(),
        click.option(
            "--human", metavar="NAME", help="The design of the shipped human counts: yoon2020."
        ),
        click.option("--speaker", help="Which speaker of the table."),
        click.option("--n", "count", default=count, show_default=True, type=click.IntRange(least)),
        click.option(
            "--literal", type=click.Choice(literal), default=literal[0], show_default=True
        ),
        UTILITIES,
        MODEL,
        VARIANT,
        sampling_options(chains=2, warmup=400, draws=300, adapt_delta=0.9),
        click.option(
            "--workers", type=click.IntRange(1), help="Processes; as many as cores if not given."
        ),
        click.option("--out", type=click.Path(path_type=Path), default=Path(out)),
    )


def simulate(
    choices: Path | None,
    human: str | None,
    options: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
) -> tuple[Any, list[Any]]:
    """What is simulated, and all simulations fitted; goes on where an earlier run stopped."""
    from many_wolves.commands.modelling import problem_options, simulated_model, task_of
    from many_wolves.commands.simulating import Trials, run_trials
    from many_wolves.commands.tables import human_or_table
    from many_wolves.inference.threads import cores

    table = human_or_table(choices, human, options["speaker"], task=options["task"])
    model = simulated_model(table.family, options["model"], task_of(table))
    chosen = problem_options(model, options)
    trials = Trials(
        table=table,
        options={k: tuple(v) if isinstance(v, list) else v for k, v in chosen.items()},
        model=model.name,
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
