"""``wolves plot``: publication figures of fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves import families
from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.errors import EMPTY_PATH, WolvesError


@wolves_command("plot", as_json=True)
@click.argument("names_and_fits", nargs=-1, metavar="[NAME]... FIT...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("plots"),
    show_default=True,
    help="Folder of the files.",
)
@click.option("--list", "listing", is_flag=True, help="List the figures and exit.")
@click.option("--width", type=click.Choice(["one", "two"]), default="two", show_default=True,
              help="Width of a figure in columns (one: 85 mm, two: 174 mm).")  # fmt: skip
@click.option("--skip-missing", is_flag=True, help="Skip folders without a fit, with a notice.")
@click.option("--family", default=families.DEFAULT, show_default=True, help="Family for --list.")
def command(
    *,
    names_and_fits: tuple[str, ...],
    out: Path,
    listing: bool,
    width: Any,
    skip_missing: bool,
    family: str,
) -> None:
    """Draw figures of fits: PDF, SVG, PNG, and the tidy CSV behind each.

    Without a NAME, all figures of one fit are drawn, or those that compare
    several fits. A folder of fit folders means all of them.
    """
    from many_wolves.figures import read_all
    from many_wolves.workflows.figures import draw, plots_of_family
    from many_wolves.workflows.folders import fit_folders, present

    if listing:
        plots = plots_of_family(family)
        long = max(len(name) for name in plots)

        def list_plots() -> None:
            for name, plot in plots.items():
                click.echo(f"{name:{long}}  {plot.summary}")

        rows = [{"figure": name, "summary": plot.summary} for name, plot in plots.items()]
        show({"figures": rows}, list_plots)
        return
    if not all(word.strip() for word in names_and_fits):
        raise WolvesError("FIT: expected a path, found an empty text", fix=EMPTY_PATH)
    names = [word for word in names_and_fits if not Path(word).is_dir() and "/" not in word]
    folders = tuple(Path(word) for word in names_and_fits if word not in names)
    if skip_missing:
        folders, _ = present(folders)
    fits = read_all([found for given in folders for found in fit_folders(given)])
    files = draw(fits, out, names, width)

    def words() -> None:
        for file in files:
            click.echo(file)

    show({"files": files}, words)
