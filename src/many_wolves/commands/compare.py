"""``wolves compare``: which variant of a model fits the answers best?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.options import (
    MODEL,
    model_options,
    model_values,
    names_of,
    observations_of,
    sampling_options,
    sampling_values,
    table_options,
)


@wolves_command("compare", as_json=True)
@table_options("Compare on data that ship with the project")
@model_options()
@MODEL
@click.option(
    "--variants",
    "--models",
    "variants",
    help="Only these variants, separated by commas, such as inf+soc+pres,inf+pres,s1.",
)
@click.option(
    "--loo-unit",
    type=click.Choice(["choice", "cell", "row", "cluster"]),
    default="choice",
    show_default=True,
    help="Unit that LOO leaves out: one choice of each cell, a cell, all answers to a question, "
    "or all answers that depend on each other.",
)
@sampling_options()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the result.")
def command(variants: str | None, loo_unit: Any, out: Path, **options: Any) -> int:
    """Marginal likelihood and predictive accuracy of the variants of a model.
    For politeness, these are the seven utility subsets, the first-order speaker,
    and literal meanings that are estimated with the choices (own-meanings). Writes
    comparison.csv and a figure. Finished variants are not fitted again.

    \b
    Exit status: 0 every row is reliable, 1 at least one is not (its verdict gives the reason).
    """
    from many_wolves.workflows.compare import compare_variants

    found = compare_variants(
        observations_of(options),
        out,
        variants=names_of(variants),
        model=options["model"],
        options=model_values(options),
        unit=loo_unit,
        sampling=sampling_values(options),
    )

    def words() -> None:
        shown = found.table.drop(columns=["verdict", "utilities"])
        click.echo(shown.to_string(index=False, float_format=lambda x: f"{x:.2f}"))
        for _, row in found.table[~found.table["ok"]].iterrows():
            click.echo(f"{row['model']}: {row['verdict']}")
        click.echo(f"Written to {out}")

    show({"folder": out, "ok": found.ok, "variants": found.table}, words)
    return 0 if found.ok else 1
