"""``wolves report``: write a report on one fit, or a page that compares several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show, wants_json


@wolves_command("report", as_json=True)
@click.argument("fits", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="HTML file of the study report.")
@click.option(
    "--title", default="Speakers side by side", show_default=True, help="Title of the page."
)
@click.option(
    "--introduction", multiple=True, help="A paragraph under the title; can be given several times."
)
@click.option(
    "--made-by",
    "commands",
    multiple=True,
    help="A command that reproduces the page (default: the commands of the fits).",
)
@click.option("--skip-missing", is_flag=True, help="Skip folders without a fit, with a notice.")
@click.option("--one-page", is_flag=True, help="Write only the page on all fits.")
@click.option("--summary", is_flag=True, help="Print the summary table as Markdown instead.")
def command(*, fits: tuple[Path, ...], summary: bool, **options: Any) -> None:
    """Write a report on fit folders.

    Each fit gets its own report.html. With several fits, or with --out, the command also writes
    a page that compares them; reports that are newer than their
    fit are then kept. A folder of fit folders means all of them.
    """
    from many_wolves.workflows.folders import fit_folders, present
    from many_wolves.workflows.report import write_reports

    if summary:
        from many_wolves.report import summary_markdown, summary_of

        given = present(fits)[0] if options["skip_missing"] else fits
        folders = [folder for found in given for folder in fit_folders(found)]
        if wants_json():
            show({"summary": summary_of(folders).frame}, lambda: None)
        else:
            click.echo(summary_markdown(folders), nl=False)
        return
    pages = write_reports(fits, **options)

    def words() -> None:
        for page in pages:
            click.echo(page)

    show({"pages": pages}, words)
