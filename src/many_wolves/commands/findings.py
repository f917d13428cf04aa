"""``wolves findings``: from fits to statements with their uncertainty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show


@wolves_command("findings", as_json=True)
@click.argument("fits", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the tables, the draws and the page; FITS/findings if not given.",
)
@click.option("--title", default="Findings", show_default=True)
@click.option("--seed", default=1, show_default=True, help="Of the draws.")
@click.option(
    "--scaling",
    "axes",
    multiple=True,
    type=click.Choice(["parameters", "tokens", "step"]),
    help="State laws over this as well; several in turn.",
)
@click.option("--skip-missing", is_flag=True, help="Leave out what is not a fit, with a notice.")
@click.option("--skip-unconverged", is_flag=True, help="Leave out fits that did not converge.")
def command(*, fits: tuple[Path, ...], out: Path | None, **options: Any) -> None:
    """State what effort, goal prompts and training change, and how far from people it is.

    FITS are fit folders, or folders that hold some, such as rsa-output/STUDY.
    Writes statements.csv (one row per statement, with its sentence), one table per kind
    of finding as CSV, Markdown and LaTeX, draws.nc, and findings.html.
    """
    from many_wolves.findings import table
    from many_wolves.workflows.stating import state_findings

    folder = out or fits[0] / "findings"
    found, page = state_findings(fits, folder, **options)

    def words() -> None:
        click.echo(f"{len(found.statements)} statements in {folder}")
        click.echo(page)

    result = {"folder": folder, "page": page, "lacking": found.lacking}
    show(result | {"statements": table(found.statements)}, words)
