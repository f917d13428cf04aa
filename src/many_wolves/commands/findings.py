"""``wolves findings``: derive statements with their uncertainty from fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.counting import number_of


@wolves_command("findings", as_json=True)
@click.argument("fits", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the tables, the draws and the page (default: FITS/findings).",
)
@click.option("--title", default="Findings", show_default=True, help="Title of the page.")
@click.option("--seed", default=1, show_default=True, help="Seed of the draws.")
@click.option(
    "--scaling",
    "axes",
    multiple=True,
    type=click.Choice(["parameters", "tokens", "step"]),
    help="Also fit scaling laws over this; can be given several times.",
)
@click.option("--skip-missing", is_flag=True, help="Skip folders without a fit, with a notice.")
@click.option("--skip-unconverged", is_flag=True, help="Leave out fits that did not converge.")
def command(*, fits: tuple[Path, ...], out: Path | None, **options: Any) -> None:
    """State the effects of effort, goal prompts and training, and the distance from people.
    FITS are fit folders, or folders that contain some, such as rsa-output/STUDY.
    Writes statements.csv (one row per statement, with its sentence), one table per kind
    of finding as CSV, Markdown and LaTeX, draws.nc, and findings.html.
    """
    from many_wolves.findings import table
    from many_wolves.workflows.statements import state_findings

    folder = out or fits[0] / "findings"
    found, page = state_findings(fits, folder, **options)

    def words() -> None:
        click.echo(f"{number_of(len(found.statements), 'statement')} in {folder}")
        click.echo(page)

    result = {"folder": folder, "page": page, "lacking": found.lacking}
    show(result | {"statements": table(found.statements)}, words)
