"""Comparisons of several fits: findings, figures, one report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from many_wolves.workflows.results import Fits, SpeakerFit, read_fits

if TYPE_CHECKING:
    import pandas as pd
    import plotnine as p9


def findings_of(fits: Fits | Sequence[SpeakerFit | str | Path]) -> pd.DataFrame:
    """Findings from several fits, one row per statement; see ``wolves findings``.

    Parameters
    ----------
    fits
        Fits, or fit folders.

    Raises
    ------
    WolvesError
        If a fit did not converge, or the fits are of several families.
    """
    return _fits(fits).findings()


def figure_of(fits: Fits | Sequence[SpeakerFit | str | Path], name: str = "weights") -> p9.ggplot:
    """One figure of several fits, as ``wolves plot NAME`` draws it.

    Parameters
    ----------
    fits
        Fits, or fit folders.
    name
        Name of a figure in ``wolves plot --list``.

    Raises
    ------
    WolvesError
        If there is none with that name, or the fits do not allow it.
    """
    return _fits(fits).figure(name)


def report_on(
    fits: Fits | Sequence[SpeakerFit | str | Path],
    out: str | Path,
    title: str = "Speakers side by side",
) -> Path:
    """Write one HTML page that compares several fits; return its path.

    Parameters
    ----------
    fits
        Fits, or fit folders.
    out
        The page.
    title
        Its heading.

    Raises
    ------
    WolvesError
        If there are no fits, or ``out`` is a file with something else.
    """
    return _fits(fits).report(out, title)


def _fits(fits: Fits | Sequence[SpeakerFit | str | Path]) -> Fits:
    if isinstance(fits, Fits):
        return fits
    return read_fits([one.folder if isinstance(one, SpeakerFit) else one for one in fits])
