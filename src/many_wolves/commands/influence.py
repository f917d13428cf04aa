"""``wolves influence``: the influence of each item, participant or cell on each weight."""

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
    sampling_options,
    sampling_values,
    speakers_of,
    table_options,
)

if TYPE_CHECKING:
    from many_wolves.workflows.influence import Influence


@wolves_command("influence", as_json=True)
@table_options("Fit data that ship with the project")
@model_options()
@MODEL
@sampling_options()
@click.option(
    "--by",
    metavar="PART",
    help="Unit to leave out: item, participant or cell (default: the first that the table has).",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the fits.")
def command(out: Path, by: str | None, **options: Any) -> int:
    """Fit each speaker of CHOICES with and without each item, participant or cell.

    The fit without a part is computed from the draws by importance weighting. If the weights are
    unreliable, the remaining data are fitted again. Prints, for each weight, the jackknife
    standard error
    over parts and the posterior standard deviation. Writes influence.csv, jackknife.csv, a
    figure, and each fit.

    \b
    Exit status: 0 all numbers are reliable, 1 some are not (influence.csv marks them).
    """
    from many_wolves.workflows.influence import measure_influence

    found = measure_influence(
        speakers_of(options),
        out,
        by=by,
        model=options["model"],
        options=model_values(options),
        sampling=sampling_values(options),
    )
    show(
        {
            "folder": out,
            "ok": found.ok,
            "criterion": found.criterion,
            "summary": found.summary,
            "spread": found.spread,
        },
        lambda: _print(found),
    )
    return 0 if found.ok else 1


def _print(found: Influence) -> None:
    summary = found.summary
    if len(summary) == 1:
        shown = found.spread.drop(columns="speaker")
        click.echo(shown.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
    click.echo(
        "median_ratio: jackknife standard error / posterior standard deviation, median over the "
        f"weights. largest_shift: largest shift of a weight without one {found.by}, in "
        "posterior standard deviations."
    )
    click.echo(summary.to_string(index=False, float_format=lambda x: f"{x:.2f}"))
    for sentence in found.criterion:
        click.echo(sentence)
    for _, row in found.table[~found.table["ok"]].iterrows():
        name = f"{row['parameter']} {row['condition']}".strip()
        click.echo(f"{row['speaker']} without {row['left_out']}: {name}: {row['verdict']}")
    click.echo(f"Written to {found.folder}")
