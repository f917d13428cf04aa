"""``wolves plot``: publication figures of fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from many_wolves.commands.report import fit_folders, present
from many_wolves.errors import WolvesError

if TYPE_CHECKING:
    from many_wolves.figures import Figure, Fitted, Plot
    from many_wolves.figures.theme import Width


@click.command(name="plot")
@click.argument("names_and_fits", nargs=-1, metavar="[NAME]... FIT...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("plots"),
    show_default=True,
    help="Folder of the files.",
)
@click.option("--list", "listing", is_flag=True, help="List the figures, and stop.")
@click.option("--width", type=click.Choice(["one", "two"]), default="two", show_default=True,
              help="Columns that a figure spans (85 or 174 mm).")  # fmt: skip
@click.option("--skip-missing", is_flag=True, help="Leave out what is no fit, and say so.")
@click.option("--family", default="politeness", show_default=True, help="Family for --list.")
def command(
    *,
    names_and_fits: tuple[str, ...],
    out: Path,
    listing: bool,
    width: Width,
    skip_missing: bool,
    family: str,
) -> None:
    """Draw figures of fits: PDF, SVG, PNG, and the tidy CSV behind each.

    Without a NAME every figure is drawn. A folder that holds fit folders stands
    for all of them.
    """
    if listing:
        plots = _of_family(family)
        long = max(len(name) for name in plots)
        for name, plot in plots.items():
            click.echo(f"{name:{long}}  {plot.summary}")
        return
    names = [word for word in names_and_fits if not Path(word).is_dir() and "/" not in word]
    folders = tuple(Path(word) for word in names_and_fits if word not in names)
    if skip_missing:
        folders, _ = present(folders)
    draw(names, [found for given in folders for found in fit_folders(given)], out, width)


def draw(
    names: Sequence[str],
    folders: Sequence[Path],
    out: Path,
    width: Width,
    formats: Sequence[str] = ("pdf", "svg", "png"),
) -> list[Path]:
    """Draw the named figures (all, where none is named) of fit folders into ``out``.

    Prints and returns the files written.

    Raises
    ------
    WolvesError
        If a name is unknown, or no fit is given.
    """
    from many_wolves.figures import read_all

    if not folders:
        raise WolvesError(
            "expected at least one fit folder, found none"
            + (f" (no folder is called {', '.join(names)})" if names else ""),
            mend="give the folder that `wolves fit ... --out FOLDER` wrote",
        )
    fits = read_all(folders)
    plots = _offered(fits)
    chosen = [named(plots, name, fits) for name in names]
    files: list[Path] = []
    for name, plot in plots.items() if not names else ():
        if plot.several and len(fits) == 1:
            continue
        if lacking := plot.lacking(fits):
            click.echo(f"Not drawn: {name} ({lacking})", err=True)
        else:
            chosen.append(plot)
    for plot in chosen:
        files += _draw_one(plot, fits, out, width, formats)
    for file in files:
        click.echo(file)
    return files


def figure_of(name: str, fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """One figure of fits of one family.

    Raises
    ------
    WolvesError
        If there is none of that name, or the fits do not allow it.
    """
    return named(_offered(fits), name, fits).draw(fits, width)


def named(plots: Mapping[str, Plot], name: str, fits: Sequence[Fitted]) -> Plot:
    """The figure called ``name``, if the fits allow it; WolvesError otherwise."""
    if name not in plots:
        raise WolvesError(
            f"expected a figure among {', '.join(plots)}; found {name!r}",
            mend="wolves plot --list",
        )
    if lacking := plots[name].lacking(fits):
        raise WolvesError(f"{name} cannot be drawn: {lacking}", mend="wolves plot --list")
    return plots[name]


def _offered(fits: Sequence[Fitted]) -> dict[str, Plot]:
    """Figures of the family that all fits belong to; WolvesError where there is no such one."""
    from many_wolves.report.offer import family_of, pages_of

    pages_of(fits)
    return _of_family(family_of(fits[0]))


def _of_family(family: str) -> dict[str, Plot]:
    """The family's figures, and those of its findings where it has any."""
    from many_wolves.findings import plots, quantities_of_family
    from many_wolves.report.offer import pages_of_family

    found = dict(pages_of_family(family).plots())
    quantities = quantities_of_family(family)
    return found | plots(quantities.signature_name) if quantities else found


def _draw_one(
    plot: Plot, fits: Sequence[Fitted], out: Path, width: Width, formats: Sequence[str]
) -> list[Path]:
    """One file set, or one for each fit where the figure shows a single fit."""
    from many_wolves.figures import save

    files: list[Path] = []
    for group in [[fit] for fit in fits] if plot.each else [list(fits)]:
        single = plot.each and len(fits) > 1
        who = f" ({group[0].label})" if single else ""
        click.echo(f"Drawing: {plot.summary}{who}", err=True)
        folder = out / _slug(group[0].label) if single else out
        files += save(plot.draw(group, width), folder, formats)
    return files


def _slug(label: str) -> str:
    """A folder name for a speaker."""
    return "".join(c if c.isalnum() or c in ".-+@" else "-" for c in label).strip("-.") or "speaker"
