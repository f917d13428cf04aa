"""What a task family contributes to reports: sections with text, tables and figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.theme import Width

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Parameters
    ----------
    frame
        Columns as shown. Text is unchanged; numbers are shown with ``digits`` decimals.
    caption
        Contents, n, and the kind of every interval.
    digits
        Decimals of numbers that are not whole.
    """

    frame: pd.DataFrame
    caption: str
    digits: int = 2


@dataclass(frozen=True)
class Section:
    """A part of a report under one heading.

    Parameters
    ----------
    id
        Anchor on the page; unique within it.
    title
        Heading.
    paragraphs
        Plain text, one string per paragraph.
    tables, figures
        Shown in this order after the paragraphs.
    folded
        Whether the page shows only the heading until a reader opens it.
    """

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Plot:
    """A figure that ``wolves plot`` can draw, with a summary in one line.

    ``draw`` takes the fits and a width. ``each`` plots show one fit; with several
    fits, each gets its own. ``several`` plots need several fits to be informative: they are
    drawn for one fit only if requested by name. ``lacking`` explains why the fits do not allow
    the plot; it is empty if they do. It raises ``WolvesError`` if they allow no such plot at all.
    """

    summary: str
    draw: Callable[[Sequence[Fitted], Width], Figure]
    each: bool = False
    several: bool = False
    lacking: Callable[[Sequence[Fitted]], str] = lambda _: ""


@dataclass(frozen=True)
class HeadlineMeasure:
    """The single number of a fit that is compared across task families.

    Parameters
    ----------
    words
        Its name in words.
    mean, low, high
        Posterior mean, and ends of the 95 % equal-tailed interval; all between 0 and 1.
    """

    words: str
    mean: float
    low: float
    high: float


def headline(words: str, values: xr.DataArray) -> HeadlineMeasure:
    """The measure from draws (chain, draw, ...), averaged over the speaker's conditions."""
    draws = values.mean([d for d in values.dims if d not in ("chain", "draw")]).to_numpy().ravel()
    low, high = np.quantile(draws, (0.025, 0.975))
    return HeadlineMeasure(words, float(draws.mean()), float(low), float(high))


class FamilyReport(Protocol):
    """The parts of reports and the figures that are specific to a family."""

    def fitted_words(self, fit: Fitted) -> Mapping[str, str]:
        """Facts about the fit: heading -> text."""
        ...

    def fit_sections(self, fit: Fitted) -> Sequence[Section]:
        """Sections of a fit report between these facts and the chains."""
        ...

    def study_summary(self, fits: Sequence[Fitted]) -> Table:
        """Every parameter of every speaker, by condition or group."""
        ...

    def study_sections(self, fits: Sequence[Fitted]) -> Sequence[Section]:
        """Sections of a study report after its summary."""
        ...

    def plots(self) -> Mapping[str, Plot]:
        """Figures by name."""
        ...

    def headline(self, fit: Fitted) -> HeadlineMeasure | None:
        """The headline measure, how kind the speaker is; None if the family has none."""
        ...

    def diagnosed(self, fit: Fitted) -> Sequence[str]:
        """Variables of the posterior whose chains a report shows."""
        ...

    def methods(self, fits: Sequence[Fitted]) -> Sequence[str]:
        """Paragraphs on the task and the cognitive model, for a methods section."""
        ...

    def bibtex(self, fits: Sequence[Fitted]) -> str:
        """BibTeX entries of the works that ``methods`` cites; may be empty."""
        ...
