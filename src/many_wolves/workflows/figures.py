"""Lists and draws figures of fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from many_wolves.errors import WolvesError
from many_wolves.progress import log, step
from many_wolves.sources import nearest
from many_wolves.workflows.folder_names import folder_names
from many_wolves.workflows.folders import make_ready

if TYPE_CHECKING:
    from many_wolves.figures import Figure, Fitted, Plot
    from many_wolves.figures.theme import Width

FORMATS = ("pdf", "svg", "png")


def plots_of_family(family: str) -> dict[str, Plot]:
    """The family's figures, and those of its findings, if it has any."""
    from many_wolves.findings import plots, quantities_of_family
    from many_wolves.report.registry import pages_of_family

    found = dict(pages_of_family(family).plots())
    quantities = quantities_of_family(family)
    return found | plots(quantities.signature_name) if quantities else found


def figure(fits: Sequence[Fitted], name: str, width: Width = "two") -> Figure:
    """One figure of fits of one family.

    Raises
    ------
    WolvesError
        If there is none with that name, or the fits do not allow it.
    """
    return named(_offered(fits), name, fits).draw(fits, width)


def draw(
    fits: Sequence[Fitted],
    out: Path,
    names: Sequence[str] = (),
    width: Width = "two",
    formats: Sequence[str] = FORMATS,
) -> list[Path]:
    """Draw figures into a folder: the given ones, or all that the fits allow.

    Without names, several fits get the figures that compare them; figures of one fit are on its
    page, and are drawn by name. A family that compares nothing gets them all.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    WolvesError
        If a name is unknown, no fit is given, or ``out`` cannot be written into.
    """
    if not fits:
        raise WolvesError(
            "expected at least one fit folder, found none"
            + (f" (no folder is called {', '.join(names)})" if names else ""),
            fix="give a fit folder, as written by `wolves fit ... --out FOLDER`",
        )
    plots = _offered(fits)
    chosen = [named(plots, name, fits) for name in names]
    make_ready(out)
    alone = len(fits) == 1 or all(plot.each for plot in plots.values())
    single = [name for name, plot in plots.items() if plot.each and not (names or alone)]
    if single:
        log.info("Not drawn, because they show one fit each: %s", ", ".join(single))
    for name, plot in plots.items() if not names else ():
        if (plot.several and len(fits) == 1) or name in single:
            continue
        if lacking := _lack(plot, fits)[0]:
            log.info("Not drawn: %s (%s)", name, lacking)
        else:
            chosen.append(plot)
    return [file for plot in chosen for file in _draw_one(plot, fits, out, width, formats)]


def named(plots: Mapping[str, Plot], name: str, fits: Sequence[Fitted]) -> Plot:
    """The figure ``name``; ``WolvesError`` if it is unknown or the fits do not allow it."""
    if name not in plots:
        raise WolvesError(
            f"expected a figure among {', '.join(plots)}; found {name!r}",
            fix=nearest(name, plots).split(" known:")[0].strip() or "wolves plot --list",
        )
    lacking, fix = _lack(plots[name], fits)
    if lacking:
        raise WolvesError(f"{name} cannot be drawn: {lacking}", fix=fix)
    return plots[name]


def _lack(plot: Plot, fits: Sequence[Fitted]) -> tuple[str, str]:
    """Why the fits do not allow the plot (empty if they do), and the fix."""
    try:
        return plot.lacking(fits), "give fits that allow it, or draw another of wolves plot --list"
    except WolvesError as error:
        return error.problem, error.fix


def _offered(fits: Sequence[Fitted]) -> dict[str, Plot]:
    """Figures of the family of all fits; ``WolvesError`` if they belong to several."""
    from many_wolves.report.registry import family_of, pages_of

    pages_of(fits)
    return plots_of_family(family_of(fits[0]))


def _draw_one(
    plot: Plot, fits: Sequence[Fitted], out: Path, width: Width, formats: Sequence[str]
) -> list[Path]:
    """Draw one set of files, or one per fit if the figure shows a single fit."""
    from many_wolves.figures import save

    if not (plot.each and len(fits) > 1):
        step(f"drawing: {plot.summary}")
        return save(plot.draw(fits, width), out, formats)
    files: list[Path] = []
    for fit, name in zip(fits, folder_names([fit.label for fit in fits]), strict=True):
        step(f"drawing: {plot.summary} ({fit.label})")
        files += save(plot.draw([fit], width), out / name, formats)
    return files
