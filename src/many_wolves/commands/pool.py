"""``wolves pool``: fit many speakers in one model, with partial, no and complete pooling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.options import (
    FRAMING,
    MODEL,
    ONLY,
    model_options,
    model_values,
    names_of,
    sampling_options,
    sampling_values,
)
from many_wolves.contracts import PooledModel
from many_wolves.workflows.models import all_models
from many_wolves.workflows.sampling import POOLED

_MODELS = {name: model for name, model in all_models().items() if isinstance(model, PooledModel)}


@wolves_command("pool", as_json=True)
@click.argument("tables", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--data",
    "data",
    multiple=True,
    metavar="NAME",
    help="Speakers of shipped data, such as zhao2025; can be given several times.",
)
@click.option(
    "--pooling", help="Only these methods, separated by commas (default: partial,none,complete)."
)
@click.option(
    "--groups",
    type=click.Path(path_type=Path),
    help="CSV file with the columns speaker and group; speakers of a group share a prior.",
)
@ONLY
@FRAMING
@MODEL
@model_options(_MODELS, leave_out=("pooling", "groups"))
@sampling_options(POOLED)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the result.")
def command(
    tables: tuple[Path, ...],
    data: tuple[str, ...],
    pooling: str | None,
    groups: Path | None,
    only: tuple[str, ...],
    framing: str | None,
    out: Path,
    **options: Any,
) -> int:
    """Fit all speakers of TABLES jointly, so that they borrow strength from each other.

    TABLES are folders of `wolves choices` or CSV files. Writes pooling.csv, which
    compares the pooling methods by leave-one-out predictive accuracy, and a fit folder for
    each. Finished fits are not repeated.

    \b
    Exit status: 0 every row is reliable, 1 at least one is not (its verdict gives the reason).
    """
    from many_wolves.workflows.data import joined, load, part, reference
    from many_wolves.workflows.pool import pool_speakers, read_groups

    places = [*map(str, tables), *(f"--data {name}" for name in data)]
    found = [*map(load, tables), *map(reference, data)]
    for chosen in (*only, *([f"framing={framing}"] if framing else [])):
        found = [part(table, chosen, place) for table, place in zip(found, places, strict=True)]
    given = model_values(options, _MODELS)
    done = pool_speakers(
        joined(found, places),
        out,
        poolings=names_of(pooling),
        model=options["model"],
        options=given | ({"groups": read_groups(groups)} if groups else {}),
        sampling=sampling_values(options, POOLED),
    )

    def words() -> None:
        shown = done.table.drop(columns=["verdict"])
        click.echo(shown.to_string(index=False, float_format=lambda x: f"{x:.2f}"))
        for _, row in done.table[~done.table["ok"]].iterrows():
            click.echo(f"{row['pooling']}: {row['verdict']}")
        click.echo(
            f"elpd: leave-one-choice-out, summed over all choices, in nats. Written to {out}"
        )

    show({"folder": out, "ok": done.ok, "poolings": done.table}, words)
    return 0 if done.ok else 1
