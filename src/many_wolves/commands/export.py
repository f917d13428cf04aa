"""``wolves export``: fits as CSV files."""

from __future__ import annotations

from pathlib import Path

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show


@wolves_command("export", as_json=True)
@click.argument("fits", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the CSV files (default: FITS/csv).",
)
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="Include parameters of many cells, such as the literal meaning of each utterance.",
)
def command(*, fits: tuple[Path, ...], out: Path | None, every: bool) -> None:
    """Write fits as CSV files for R and spreadsheets.

    FITS are fit folders, or folders that contain some. The file draws.csv has one row per draw,
    parameter and condition, and summary.csv has one per parameter and condition. The file
    choices.csv has one row per outcome, observed and predicted. Each row names its speaker.
    Missing numbers are NA.
    """
    from many_wolves.workflows.export import export

    written = export(fits, out or fits[0] / "csv", every=every)

    def words() -> None:
        for path in written:
            click.echo(path)

    show({"files": written}, words)
