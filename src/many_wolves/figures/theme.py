"""The theme of all figures: column widths of a journal, colours, shapes and scales."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import plotnine as p9

Width = Literal["one", "two"]

MM = {"one": 85.0, "two": 174.0}
"""Widths of a one-column and a two-column figure, in millimetres."""

FONT = "DejaVu Sans"
"""This font comes with matplotlib, so figures look the same on every machine."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito (2008), without its yellow, which is too faint on white."""

SHAPES = ("o", "s", "^", "D", "v", "P", "X")
"""Markers in the order of ``COLOURS``, which distinguish groups in grey print."""

LINES = ("solid", "dashed", "dashdot", "dotted", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)))

KEY_MM, LETTER_MM, LINE_MM = 8.0, 1.45, 4.5
"""Sizes in a legend: a key with its space, a letter, a line."""

INK = "#222222"
MUTED = "#6b6b6b"
BAND = "#d9d9d9"
"""Fill of a reference band behind the points."""

LOW, HIGH = "#f7fbff", "#08306b"
"""Ends of the sequential scale: darker means larger, in colour and in grey print."""


def theme(size: float = 7.5) -> p9.theme:
    """The theme of every figure.

    Parameters
    ----------
    size
        Base size of the text in points.
    """
    import plotnine as p9

    made = p9.theme_bw(base_size=size, base_family=FONT) + p9.theme(
        text=p9.element_text(color=INK),
        axis_text=p9.element_text(color=INK, size=size - 1),
        axis_title=p9.element_text(size=size),
        axis_ticks_major=p9.element_line(color=MUTED, size=0.3),
        axis_ticks_minor=p9.element_blank(),
        axis_ticks_length=2,
        panel_border=p9.element_rect(color="#8c8c8c", size=0.5, fill=None),
        panel_grid_major=p9.element_line(color="#ebebeb", size=0.3),
        panel_grid_minor=p9.element_blank(),
        panel_spacing=0.02,
        strip_background=p9.element_rect(fill="#f2f2f2", color="#8c8c8c", size=0.5),
        strip_text=p9.element_text(size=size - 0.5, margin={"t": 2, "b": 2, "l": 2, "r": 2}),
        legend_position="bottom",
        legend_title=p9.element_blank(),
        legend_text=p9.element_text(size=size - 0.5),
        legend_key_size=9,
        legend_margin=0,
        legend_box_spacing=0.01,
        plot_margin=0.01,
    )
    # Names are shown as they are: matplotlib reads `x$y$` as mathematics.
    made._rcParams = {**made._rcParams, "text.parse_math": False}
    return made


def tagged(panels: Sequence[str]) -> list[str]:
    """Headings of panels with letters for reference: ``a  phi``, ``b  w_inf``."""
    return [f"{ascii_lowercase[i % 26]}  {name}" for i, name in enumerate(panels)]


def cycle(values: Sequence[object], n: int) -> list[object]:
    """The first ``n`` values, starting again when they run out."""
    return [values[i % len(values)] for i in range(n)]


def legend_columns(names: Sequence[str], width: Width = "two", taken: float = 0.0) -> int:
    """Number of columns of a legend with these names that fits into the figure.

    The names of rows take ``taken`` millimetres: a legend is centred below the panels only.
    """
    widest = KEY_MM + LETTER_MM * max((len(name) for name in names), default=0)
    return max(1, min(len(names), int((MM[width] - taken) // widest)))


def legend_mm(names: Sequence[str], width: Width = "two", taken: float = 0.0) -> float:
    """Height of a legend with these names, in millimetres."""
    return LINE_MM * -(-len(names) // legend_columns(names, width, taken))


def legend(names: Sequence[str], width: Width = "two", taken: float = 0.0) -> p9.guides:
    """The legend of groups, within the width of the figure."""
    import plotnine as p9

    columns = legend_columns(names, width, taken)
    # One guide per aesthetic: a shared object would draw only one of them.
    color, fill, shape = (p9.guide_legend(ncol=columns) for _ in range(3))
    return p9.guides(color=color, fill=fill, shape=shape)


def ribbon_alpha(n: int) -> float:
    """Opacity of each of ``n`` ribbons, so that together they do not hide the lines."""
    return min(0.2, 0.6 / max(n, 1))


def group_shapes(n: int, shapes: Sequence[str] = SHAPES) -> list[str]:
    """Markers of ``n`` groups, shifted each time the colours start again."""
    return [shapes[(i + i // len(COLOURS)) % len(shapes)] for i in range(n)]


def group_scales(names: Sequence[str]) -> list[p9.scales.scale]:
    """Colour and shape of each name; shapes shift when the colours start again."""
    import plotnine as p9

    n = len(names)
    shapes = group_shapes(n)
    return [
        p9.scale_color_manual(values=cycle(COLOURS, n), limits=list(names)),
        p9.scale_fill_manual(values=cycle(COLOURS, n), limits=list(names)),
        p9.scale_shape_manual(values=shapes, limits=list(names)),
    ]
