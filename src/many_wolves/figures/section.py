"""What a task family offers to reports: sections of words, tables and figures."""

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
        Columns as they are shown. Text stays text; numbers are shown with
        ``digits`` decimals.
    caption
        What it holds, n, and the kind of every interval.
    digits
        Decimals of numbers with a fraction.
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
        Plain text, one string a paragraph.
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
    """A figure that ``wolves plot`` can draw, and what it shows in one line.

    ``draw`` takes the fits and a width. ``each`` plots show one fit; of several
    fits each gets its own. ``several`` plots say nothing of one fit alone: they are
    drawn of one only when asked for by name. ``lacking`` says why the fits do not allow
    it; empty where they do.
    """

    summary: str
    draw: Callable[[Sequence[Fitted], Width], Figure]
    each: bool = False
    several: bool = False
    lacking: Callable[[Sequence[Fitted]], str] = lambda _: ""


@dataclass(frozen=True)
class HeadlineMeasure:
    """The one number of a fit by which tasks of several families are compared.

    Parameters
    ----------
    words
        What it is.
    mean, low, high
        Posterior mean, and ends of the 95 % equal-tailed interval; all between 0 and 1.
    """

    words: str
    mean: float
    low: float
    high: float


def headline(words: str, values: xr.DataArray) -> HeadlineMeasure:
    """The headline from draws (chain, draw, ...), averaged over what the speaker met."""
    draws = values.mean([d for d in values.dims if d not in ("chain", "draw")]).to_numpy().ravel()
    low, high = np.quantile(draws, (0.025, 0.975))
    return HeadlineMeasure(words, float(draws.mean()), float(low), float(high))


class FamilyReport(Protocol):
    """The parts of reports and the figures that only a family can make."""

    def fitted_words(self, fit: Fitted) -> Mapping[str, str]:
        """What was fitted: heading -> plain words."""
        ...

    def fit_sections(self, fit: Fitted) -> Sequence[Section]:
        """Sections of a fit report between what was fitted and the chains."""
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
        """How kind the speaker is, as far as this family can tell; None where it cannot."""
        ...

    def diagnosed(self, fit: Fitted) -> Sequence[str]:
        """Variables of the posterior whose chains are shown."""
        ...

    def methods(self, fits: Sequence[Fitted]) -> Sequence[str]:
        """Paragraphs on the task and the cognitive model, for a methods section."""
        ...

    def bibtex(self, fits: Sequence[Fitted]) -> str:
        """BibTeX entries of what ``methods`` cites; empty where it cites nothing."""
        ...
