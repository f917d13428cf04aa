"""Saves figures: PDF with embedded fonts, SVG, PNG, and the tidy CSV behind each."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.figures import fonts
from many_wolves.figures.figure import Figure
from many_wolves.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

FORMATS = ("pdf", "svg", "png")
DPI = 300

_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "ModDate": None},
    "svg": {"Date": None},
    "png": {},
}


@contextmanager
def _settings(name: str) -> Iterator[None]:
    """Settings that embed fonts in PDF, keep text in SVG as it is, and make files reproducible."""
    import warnings

    import matplotlib

    with (
        matplotlib.rc_context(
            {
                "pdf.fonttype": 42,
                "ps.fonttype": 42,
                "svg.fonttype": "none",
                "svg.hashsalt": name,
                "axes.unicode_minus": True,
                # Names are shown as they are: matplotlib reads `x$y$` as mathematics.
                "text.parse_math": False,
            }
        ),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", category=UserWarning, module="plotnine")
        yield


def render(figure: Figure, kind: str, dpi: int = DPI) -> bytes:
    """The figure as the bytes of one file; see ``render_all``."""
    return render_all(figure, (kind,), dpi)[kind]


def render_all(figure: Figure, kinds: Sequence[str], dpi: int = DPI) -> dict[str, bytes]:
    """The figure as the bytes of files, drawn once.

    Parameters
    ----------
    figure
        The figure.
    kinds
        One or more of ``pdf``, ``svg``, ``png``.
    dpi
        Resolution of PNG, in dots per inch.
    """
    import matplotlib.pyplot as plt
    import plotnine as p9

    with _settings(figure.name):
        drawn = (figure.plot + p9.theme(figure_size=figure.size_inches, dpi=dpi)).draw()
        try:
            files, boxes = _rendered(drawn, kinds, dpi)
            if boxes and (lacking := fonts.complete(drawn)) and set(kinds) != {"svg"}:
                fonts.warn(lacking)
            return _rendered(drawn, kinds, dpi)[0] if boxes else files
        finally:
            plt.close(drawn)


def _rendered(drawn: Drawing, kinds: Sequence[str], dpi: int) -> tuple[dict[str, bytes], bool]:
    """The drawing as the bytes of each kind, and whether a character had no glyph."""
    import warnings

    files = {}
    with warnings.catch_warnings(record=True) as found:
        warnings.filterwarnings("always", message="Glyph ")
        for kind in kinds:
            out = io.BytesIO()
            drawn.savefig(out, format=kind, dpi=dpi, metadata=_METADATA[kind])
            files[kind] = out.getvalue()
    boxes = [w for w in found if str(w.message).startswith("Glyph ")]
    for other in found:
        if other not in boxes:
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    return files, bool(boxes)


def save(figure: Figure, folder: str | Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write the figure, its tidy data and its caption into ``folder``.

    Returns the files written: ``NAME.pdf``, ``NAME.svg``, ``NAME.png``,
    ``NAME.csv`` and ``NAME.txt`` (caption, and text alternative).
    """
    place = Path(folder)
    rendered = render_all(figure, formats)
    files = [write_atomic(place / f"{figure.name}.{kind}", rendered[kind]) for kind in formats]
    table = figure.data.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    files.append(write_atomic(place / f"{figure.name}.csv", table))
    words = f"{figure.title}. {figure.caption}\n\nText alternative: {figure.alt}\n"
    files.append(write_atomic(place / f"{figure.name}.txt", words))
    return files


def inline_svg(figure: Figure, prefix: str = "") -> str:
    """The figure as an ``<svg>`` element that a page can hold with others.

    Referenced ids get the figure's name (and ``prefix``), so that no two
    figures of a page share an id. Other ids are removed, and the width follows the page.
    """
    text = render(figure, "svg").decode()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    mark = re.sub(r"[^A-Za-z0-9]+", "-", f"{prefix}{figure.name}") + "-"
    text = re.sub(r' id="([^"]*)"', lambda m: _kept_id(m.group(1), used, mark), text)
    text = re.sub(r'(href="#|url\(#)', rf"\1{mark}", text)
    # Two decimals of a point are finer than any screen, and halve the size of a page.
    text = re.sub(r'\b(?:d|x|y)="[^"]*"', lambda m: _shorter(m.group()), text)
    text = re.sub(r"<svg [^>]*?>", lambda m: _responsive(m.group(), figure), text, count=1)
    return re.sub(r"\n\s*", "\n", text).strip()


def _kept_id(name: str, used: set[str], mark: str) -> str:
    return f' id="{mark}{name}"' if name in used else ""


def _shorter(attribute: str) -> str:
    """Coordinates with two decimals at most."""
    return re.sub(r"(\.\d{2})\d+", r"\1", attribute)


def _responsive(tag: str, figure: Figure) -> str:
    """The opening tag without its fixed size (the view box is enough) and its namespaces."""
    tag = re.sub(r'\s(width|height|version|xmlns(:xlink)?)="[^"]*"', "", tag)
    label = html.escape(figure.alt, quote=True)
    return tag.replace("<svg", f'<svg role="img" aria-label="{label}" focusable="false"', 1)


def inline_png(figure: Figure, dpi: int = 160) -> str:
    """The figure as a ``data:`` URL for an ``<img>`` element, in 64 colours."""
    from PIL import Image

    full = Image.open(io.BytesIO(render(figure, "png", dpi))).convert("RGB")
    out = io.BytesIO()
    full.quantize(64, dither=Image.Dither.NONE).save(out, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
