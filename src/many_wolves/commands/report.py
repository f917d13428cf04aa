"""``wolves report``: a report on one fit, or a page with several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from many_wolves.errors import WolvesError


@click.command(name="report")
@click.argument("fits", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="HTML file of the study report.")
@click.option("--title", default="Speakers side by side", show_default=True)
@click.option("--introduction", multiple=True, help="A paragraph under the title; several in turn.")
@click.option(
    "--made-by",
    "commands",
    multiple=True,
    help="A command that makes the page again; those of the fits when left out.",
)
@click.option("--skip-missing", is_flag=True, help="Leave out what is no fit, and say so.")
@click.option("--summary", is_flag=True, help="Print the summary table as Markdown instead.")
def command(
    *,
    fits: tuple[Path, ...],
    out: Path | None,
    title: str,
    introduction: tuple[str, ...],
    commands: tuple[str, ...],
    skip_missing: bool,
    summary: bool,
) -> None:
    """Write a report on fit folders.

    Each fit gets its own report.html; with several fits, or with --out, a page
    that sets them side by side is written too, and reports of single fits are
    left as they are where they are newer than their fit. A folder that holds fit folders
    stands for all of them.
    """
    from many_wolves.report import summary_markdown, write_fit_report, write_study_report

    given, missing = present(fits) if skip_missing else (fits, "")
    introduction = (*introduction, missing) if missing else introduction
    folders = [folder for found in given for folder in fit_folders(found)]
    if summary:
        click.echo(summary_markdown(folders), nl=False)
        return
    together = out is not None or len(folders) > 1
    for folder in folders:
        if together and is_current(folder):
            continue
        click.echo(f"Writing the report on {folder}", err=True)
        click.echo(write_fit_report(folder))
    if together:
        target = out or Path("rsa-output") / "report.html"
        click.echo(f"Writing the report on {len(folders)} fits", err=True)
        page = write_study_report(
            title, folders, target, introduction=introduction, commands=commands
        )
        click.echo(page)


def present(fits: Sequence[Path]) -> tuple[tuple[Path, ...], str]:
    """The fits that are there, and a sentence on those that are not; it is said at once.

    Raises
    ------
    WolvesError
        If none is there.
    """
    found = tuple(fit for fit in fits if any(fit.rglob("fit.json")))
    if not found:
        raise WolvesError(
            f"expected fits, found none in {len(fits)} folders",
            where=fits[0],
            mend="give folders that `wolves fit ... --out FOLDER` wrote",
        )
    lost = [str(fit) for fit in fits if fit not in found]
    words = f"Left out, since there is no fit: {', '.join(lost)}." if lost else ""
    if words:
        click.echo(words, err=True)
    return found, words


def is_current(folder: Path) -> bool:
    """Whether a fit's report is there and newer than the fit."""
    report, fit = folder / "report.html", folder / "fit.json"
    return (
        report.is_file() and fit.is_file() and report.stat().st_mtime_ns >= fit.stat().st_mtime_ns
    )


def fit_folders(given: Path) -> list[Path]:
    """The folder itself if it is a fit, else the fits below it, in the order of their names.

    A folder without any fit is given back, so that reading it says what is missing.
    """
    if (given / "fit.json").is_file():
        return [given]
    return sorted(found.parent for found in given.rglob("fit.json")) or [given]
