"""``wolves sensitivity``: compute the sensitivity of a fit to its prior and other assumptions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.options import (
    MODEL,
    model_options,
    model_values,
    observations_of,
    sampling_options,
    sampling_values,
    table_options,
)

if TYPE_CHECKING:
    from many_wolves.workflows.sensitivity import Sensitivity


@wolves_command("sensitivity", as_json=True)
@table_options("Fit data that ship with the project")
@model_options()
@MODEL
@sampling_options()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the fit.")
@click.option("--no-report", is_flag=True, help="Do not write report.html.")
def command(out: Path, no_report: bool, **options: Any) -> int:
    """Fit CHOICES as `wolves fit` does, and vary the assumptions.
    Power-scales the prior and the likelihood, and tries the model's alternative assumptions:
    form of the cost, priors, quadrature. Writes sensitivity.csv into the folder of the fit;
    the report of the fit shows it.

    \b
    Exit status: 0 all numbers are reliable, 1 some are not (sensitivity.csv marks them).
    """
    from many_wolves.workflows.sensitivity import vary_assumptions

    found = vary_assumptions(
        observations_of(options),
        out,
        model=options["model"],
        options=model_values(options),
        sampling=sampling_values(options),
        report=not no_report,
    )
    show(
        {"folder": out, "ok": found.ok, "table": found.table},
        lambda: _print(found, report=not no_report),
    )
    return 0 if found.ok else 1


def _print(found: Sensitivity, *, report: bool) -> None:
    shown = found.short
    wide = shown.pivot_table(
        index=["parameter", "condition"], columns="variant", values="shift", sort=False
    )
    click.echo("Shift of the posterior mean, in posterior standard deviations:")
    click.echo(wide.reset_index().to_string(index=False, float_format=lambda x: f"{x:+.2f}"))
    for _, row in shown[shown["verdict"] != ""].iterrows():
        name = f"{row['parameter']} {row['condition']}".strip()
        click.echo(f"{row['variant']}: {name}: {row['verdict']}")
    if report:
        click.echo(f"Report: {found.folder / 'report.html'}")
    click.echo(f"Written to {found.folder / 'sensitivity.csv'}")
