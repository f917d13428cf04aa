"""``wolves power``: how many items and answers are needed to detect a difference?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.options import (
    MODEL,
    WORKERS,
    model_options,
    model_values,
    sampling_options,
    sampling_values,
)
from many_wolves.commands.simulations import workers_of
from many_wolves.workflows.models import planned_models
from many_wolves.workflows.power import SHORT


def _numbers(_: Any, __: Any, text: str) -> list[int]:
    try:
        found = sorted({int(part) for part in text.split(",") if part.strip()})
    except ValueError as error:
        raise click.BadParameter("expected whole numbers, as in 1,5,10") from error
    if not found or found[0] < 1:
        raise click.BadParameter("expected whole numbers of one or more, as in 1,5,10")
    return found


@wolves_command("power", as_json=True)
@click.option(
    "--weight",
    "--parameter",
    "parameter",
    metavar="NAME",
    help="Parameter that differs between two conditions; for politeness w_inf, w_soc, w_pres or "
    "phi.",
)
@click.option(
    "--difference",
    default=0.1,
    show_default=True,
    type=click.FloatRange(-0.9, 0.9),
    help="True difference between the two conditions.",
)
@click.option(
    "--at",
    type=click.Path(path_type=Path, exists=True),
    help="JSON file with the parameters of the first condition (default for politeness: those of "
    "people asked for both goals, and an icc of 0.1).",
)
@click.option(
    "--items",
    default="6,24",
    show_default=True,
    callback=_numbers,
    help="Numbers of items, separated by commas.",
)
@click.option(
    "--replicates",
    default="3,12",
    show_default=True,
    callback=_numbers,
    help="Numbers of answers per item and question, separated by commas.",
)
@click.option(
    "--n",
    "count",
    default=40,
    show_default=True,
    type=click.IntRange(10),
    help="Number of fits per design.",
)
@model_options(planned_models())
@MODEL
@sampling_options(SHORT)
@WORKERS
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("rsa-output/power"),
    show_default=True,
    help="Folder of the result.",
)
def command(at: Path | None, out: Path, count: int, **options: Any) -> None:
    """Probability that a 95 % interval of a difference between two conditions excludes zero.

    Simulates speakers with known parameters in designs of several sizes, and fits them. With
    --difference 0, the table gives the false-positive rate. Resumes after an interrupt.

    Answers to the same item and question are correlated, with the correlation icc. So more items
    are more informative than more replicates. The file of --at may set icc; 0 is for a model
    whose answers to one prompt are independent.
    """
    from many_wolves.workflows.power import find_power
    from many_wolves.workflows.seats import read_parameters

    found = find_power(
        out,
        parameter=options["parameter"],
        difference=options["difference"],
        items=options["items"],
        replicates=options["replicates"],
        n=count,
        given=read_parameters(at) if at else None,
        model=options["model"],
        options=model_values(options, planned_models()),
        sampling=sampling_values(options, SHORT),
        workers=workers_of(options),
    )

    def words() -> None:
        click.echo(found.table.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
        click.echo(found.conclusion)
        click.echo(f"Written to {out}")

    show({"folder": out, "conclusion": found.conclusion, "table": found.table}, words)
