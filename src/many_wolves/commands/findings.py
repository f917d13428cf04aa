"""``wolves findings``: from fits to statements with their uncertainty."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("findings")
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
@click.option("--skip-missing", is_flag=True, help="Leave out what is no fit, and say so.")
@click.option("--skip-unconverged", is_flag=True, help="Leave out fits that did not converge.")
def command(
    *,
    fits: tuple[Path, ...],
    out: Path | None,
    title: str,
    seed: int,
    axes: tuple[str, ...],
    skip_missing: bool,
    skip_unconverged: bool,
) -> None:
    """State what effort, goal prompts and training change, and how far from people it is.

    FITS are fit folders, or folders that hold some, such as rsa-output/STUDY.
    Writes statements.csv (one row a statement, with its sentence), one table a kind
    of finding as CSV, Markdown and LaTeX, draws.nc, and findings.html.
    """
    from many_wolves.commands.report import fit_folders, present
    from many_wolves.figures import read_all
    from many_wolves.findings import Findings, state
    from many_wolves.report.findings import write_findings

    given, notes = list(fits), []
    if skip_missing:
        kept, missing = present(fits)
        given, notes = list(kept), [missing] if missing else []
    read = read_all([folder for found in given for folder in fit_folders(found)])
    if skip_unconverged:
        failed = [fit.label for fit in read if not fit.converged]
        read = [fit for fit in read if fit.converged]
        if failed:
            notes.append(f"Left out, since the fit did not converge: {', '.join(failed)}.")
            click.echo(notes[-1], err=True)
    folder = out or fits[0] / "findings"
    click.echo(f"Stating what {len(read)} fits say", err=True)
    found = state(read, seed, axes) if read or not notes else Findings((), (), (), seed)
    for sentence in (*notes, *found.lacking):
        click.echo(sentence, err=True)
    page = write_findings(found, folder, title=title, notes=notes)
    click.echo(f"{len(found.statements)} statements in {folder}")
    click.echo(page)
