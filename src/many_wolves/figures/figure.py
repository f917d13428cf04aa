"""A figure with its data, caption and text alternative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from many_wolves.figures.theme import MM, Width

if TYPE_CHECKING:
    import plotnine as p9


@dataclass(frozen=True)
class Figure:
    """A plotnine figure, ready to save or to set into a page.

    Parameters
    ----------
    name
        Stem of its files.
    title
        Heading for pages; it is not drawn in the figure.
    plot
        The figure itself.
    data
        The tidy data behind it, one row per mark.
    caption
        What is drawn, n, and the kind of every interval.
    alt
        Text alternative: what the figure shows, in words.
    width
        Width of one or of two columns.
    height_mm
        Height in millimetres.
    raster
        Whether pages embed it as PNG, because the SVG would be too large.
    narrow
        The same figure for narrow screens.
    """

    name: str
    title: str
    plot: p9.ggplot
    data: pd.DataFrame
    caption: str
    alt: str
    width: Width = "two"
    height_mm: float = 80.0
    raster: bool = False
    narrow: Figure | None = None

    @property
    def size_inches(self) -> tuple[float, float]:
        """Width and height in inches."""
        return MM[self.width] / 25.4, self.height_mm / 25.4


def both_widths(draw: Callable[[Width], Figure]) -> Figure:
    """A figure of two columns that carries its form of one column, for narrow screens."""
    return replace(draw("two"), narrow=draw("one"))
