"""Renders sections as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from many_wolves.figures import Figure
from many_wolves.figures.save import inline_png, inline_svg
from many_wolves.files import code_version

if TYPE_CHECKING:
    import jinja2
    import markupsafe


def render_page(template: str, context: Mapping[str, Any]) -> str:
    """A page from one of the package's templates.

    Text is escaped; figures are inlined; style and script are inside the page.
    """
    return _environment().get_template(template).render(version=code_version(), **context)


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("many_wolves.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawn"] = drawn
    environment.globals["cells"] = cells
    environment.globals["numeric"] = numeric
    return environment


def drawn(figure: Figure) -> markupsafe.Markup:
    """A figure as markup, in its wide form and its narrow form, if it has one."""
    import markupsafe

    if figure.raster:
        image = markupsafe.Markup('<img class="{}" src="{}" alt="{}">')
        return image.format(f"{figure.width}-column", inline_png(figure), figure.alt)
    wide = markupsafe.Markup(inline_svg(figure))
    if figure.narrow is None:
        return markupsafe.Markup('<div class="{}-column">{}</div>').format(figure.width, wide)
    narrow = markupsafe.Markup(inline_svg(figure.narrow, "narrow-"))
    both = '<div class="wide {}-column">{}</div><div class="narrow one-column">{}</div>'
    return markupsafe.Markup(both).format(figure.width, wide, narrow)


def cells(frame: pd.DataFrame, digits: int) -> list[list[tuple[str, bool]]]:
    """The rows of a table as pairs (text, whether it is a number)."""
    columns = [_shown(frame[name], digits) for name in frame]
    return [list(row) for row in zip(*columns, strict=True)]


def numeric(rows: list[list[tuple[str, bool]]], column: int) -> bool:
    """Whether a column of ``cells`` contains only numbers, which are then aligned to the right."""
    filled = [number for text, number in (row[column] for row in rows) if text != "–"]
    return bool(filled) and all(filled)


def _shown(column: pd.Series[Any], digits: int) -> list[tuple[str, bool]]:
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        texts = ["–" if pd.isna(value) else str(value) for value in column]
        return [(text, _starts_with_number(text)) for text in texts]
    whole = bool((column.dropna() % 1 == 0).all())
    form = ",.0f" if whole else f",.{digits}f"
    return [("–" if pd.isna(value) else format(value, form), True) for value in column]


def _starts_with_number(text: str) -> bool:
    """Whether a text is a number or a number with its interval."""
    first = text.split(" ", 1)[0].replace(",", "")
    try:
        float(first)
    except ValueError:
        return False
    return " " not in text or text.endswith("]")
