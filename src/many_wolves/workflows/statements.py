"""Derives statements with their uncertainty from fits, and writes their page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from many_wolves.counting import number_of
from many_wolves.progress import log, step
from many_wolves.workflows.folders import fit_folders, make_ready, present

if TYPE_CHECKING:
    from many_wolves.findings import Findings


def state_findings(
    fits: Sequence[Path],
    out: Path,
    *,
    title: str = "Findings",
    seed: int = 1,
    axes: Sequence[str] = (),
    skip_missing: bool = False,
    skip_unconverged: bool = False,
) -> tuple[Findings, Path]:
    """Derive findings from fits, and write tables, draws and a page.

    Parameters
    ----------
    fits
        Fit folders, or folders that contain some.
    out
        Folder of statements.csv, one table per kind of finding, draws.nc and findings.html.
    axes
        Sizes for scaling laws: parameters, tokens, step.
    skip_missing, skip_unconverged
        Leave out folders without a fit, and fits that did not converge, with a notice.

    Returns
    -------
    tuple
        The findings, and the page.

    Raises
    ------
    WolvesError
        If a fit is missing or did not converge, the fits are of several families, or ``out``
        cannot be written into.
    """
    from many_wolves.figures import read_all
    from many_wolves.findings import Findings, state
    from many_wolves.report.findings import write_findings

    given, notes = list(fits), []
    if skip_missing:
        kept, missing = present(fits)
        given, notes = list(kept), [missing] if missing else []
    read = read_all([folder for found in given for folder in fit_folders(found)])
    gone = [fit for fit in read if not fit.converged] if skip_unconverged else []
    if gone:
        read = [fit for fit in read if fit.converged]
        failed = ", ".join(fit.label for fit in gone)
        notes.append(f"Left out, because the fit did not converge: {failed}.")
        log.warning("%s", notes[-1])
    make_ready(out)
    step(f"deriving findings from {number_of(len(read), 'fit')}")
    found = Findings((), (), (), seed)
    if read or not notes:
        found = state(read, seed, axes, gone)
    for sentence in found.lacking:
        log.info("%s", sentence)
    return found, write_findings(found, out, title=title, notes=notes)
