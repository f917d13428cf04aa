"""Fonts for characters that the font of all figures lacks, such as Chinese ones."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from many_wolves.figures.theme import FONT
from many_wolves.progress import log

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

_PLACEHOLDERS = "Last Resort"
"""A font of matplotlib that claims all characters, and draws a box for each."""

_told: set[str] = set()


def complete(drawing: Drawing) -> list[str]:
    """Give each text of a drawing the fonts that its characters need.

    The drawing must have been rendered once: before that, axes have no text.

    Returns
    -------
    list of str
        Texts with characters that no font of this machine has.
    """
    from matplotlib.text import Text

    base = _base()
    texts = [(t, lacking) for t in drawing.findobj(Text) if (lacking := _letters(t) - base)]
    families, absent = further(frozenset().union(*(lacking for _, lacking in texts)))
    for text, _ in texts:
        text.set_fontfamily([FONT, *families])
    return list(dict.fromkeys(text.get_text() for text, lacking in texts if lacking & absent))


def warn(names: list[str]) -> None:
    """Say once per text that its characters are boxes, and what helps."""
    new = [name for name in names if name not in _told]
    if not new:
        return
    _told.update(new)
    log.warning(
        "PNG and PDF figures show boxes in place of characters that no font of this machine has: "
        "%s. SVG figures and reports keep the text. Fix: install a font with these characters, "
        "such as Noto Sans CJK (Debian: fonts-noto-cjk), and draw again",
        ", ".join(new),
    )


@cache
def further(lacking: frozenset[int]) -> tuple[tuple[str, ...], frozenset[int]]:
    """Families of installed fonts with these code points, and the code points without a font."""
    found: list[str] = []
    for name, characters in _installed() if lacking else ():
        if lacking & characters:
            found.append(name)
            lacking = lacking - characters
        if not lacking:
            break
    return tuple(found), lacking


def _letters(text: object) -> set[int]:
    """Code points of a text that need a glyph."""
    return {ord(c) for c in text.get_text() if c.isprintable()}  # type: ignore[attr-defined]


@cache
def _base() -> frozenset[int]:
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(font_manager.findfont(FONT)).get_charmap())


def _installed() -> Iterator[tuple[str, frozenset[int]]]:
    """Upright fonts of normal weight by name, sans serif first, with their code points."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    manager = font_manager.fontManager
    # The cached list lacks fonts that were installed after it was written.
    for path in sorted({*font_manager.findSystemFonts()} - {e.fname for e in manager.ttflist}):
        try:
            manager.addfont(path)
        except (OSError, RuntimeError, ValueError):
            continue
    plain = [e for e in manager.ttflist if e.style == "normal" and e.weight in (400, "normal")]
    for entry in sorted(plain, key=lambda e: ("Sans" not in e.name, e.name, e.fname)):
        if entry.name.startswith(_PLACEHOLDERS) or entry.name == FONT:
            continue
        try:
            font = FT2Font(entry.fname)
        except (OSError, RuntimeError, ValueError):
            continue
        # Agg cannot draw a font of coloured bitmaps.
        if font.scalable:
            yield entry.name, frozenset(font.get_charmap())
