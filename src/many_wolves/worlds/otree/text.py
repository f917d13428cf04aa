"""The visible text of an HTML page, with tables, lists and the positions of form fields."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from cssselect import SelectorError
from lxml.cssselect import CSSSelector

Element = Any
"""An element of lxml, which has no type hints."""

_NEVER = {"script", "style", "template", "noscript", "head", "svg", "object", "audio", "video"}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "legend", "li", "main", "nav", "ol", "p", "pre", "section",
    "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
}  # fmt: skip
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HIDING_CLASSES = {"d-none", "visually-hidden", "sr-only", "invisible"}
_FURNITURE = {"powered-by-otree", "otree-timer", "progress", "otree-chat", "debug-info"}
_RULE = re.compile(r"(?P<selector>[^{}@]+)\{(?P<style>[^{}]*)\}")


def unseen(root: Element) -> set[Element]:
    """Elements that the page's own style rules hide."""
    hidden: set[Element] = set()
    for style in root.iter("style"):
        for rule in _RULE.finditer(style.text or ""):
            if not _HIDING.search(rule["style"]):
                continue
            try:
                hidden.update(CSSSelector(rule["selector"].strip())(root))
            except SelectorError:  # An unknown selector hides nothing.
                continue
    return hidden


def is_hidden(element: Element, hidden: Collection[Element] = ()) -> bool:
    """Whether a reader does not see an element, by its own attributes or the page's rules."""
    if element.tag in _NEVER or element.get("hidden") is not None or element in hidden:
        return True
    if element.tag == "dialog" and element.get("open") is None:
        return True
    classes = set((element.get("class") or "").split())
    return bool(classes & (_HIDING_CLASSES | _FURNITURE)) or bool(
        _HIDING.search(element.get("style") or "")
    )


def readable(root: Element, hidden: Collection[Element] = ()) -> str:
    """The text of an element as a person reads it.

    Blocks are on separate lines, and cells are separated by bars. List items begin with a dash, and
    a field is shown as its name in brackets.
    """
    pieces: list[str] = []
    _walk(root, hidden, pieces)
    lines = [re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(pieces).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def plain_words(element: Element) -> str:
    """The text of an element on one line."""
    return " ".join("".join(element.itertext()).split())


def _walk(element: Element, hidden: Collection[Element], pieces: list[str]) -> None:
    if not isinstance(element.tag, str) or is_hidden(element, hidden):
        return
    if element.tag == "tr":
        cells = [readable(cell, hidden) for cell in element if cell.tag in ("td", "th")]
        pieces.append("\n" + " | ".join(cell.replace("\n", " ") for cell in cells))
        return
    control = _control(element)
    if control is not None:
        pieces.append(control)
        return
    block = element.tag in _BLOCKS
    if block:
        pieces.append("\n\n" if element.tag in ("p", "table", "ul", "ol") else "\n")
    if element.tag == "li":
        pieces.append("- ")
    pieces.append(_spaced(element.text))
    for child in element:
        _walk(child, hidden, pieces)
        pieces.append(_spaced(child.tail))
    if block:
        pieces.append("\n")


def _spaced(text: str | None) -> str:
    """Text with single spaces; line breaks between elements are only source layout."""
    if not text or (text.isspace() and "\n" in text):
        return ""
    return re.sub(r"\s+", " ", text)


def _control(element: Element) -> str | None:
    """The text for a form control, a picture or a line break; None for other elements."""
    name = element.get("name") or element.get("id") or ""
    alt = (element.get("alt") or "").strip()
    shown = {
        "br": "\n",
        "hr": "\n---\n",
        "img": f"[image: {alt}]" if alt else "[image]",
        "iframe": "[embedded page]",
        "select": f"[{name}]",
        "textarea": f"[{name}]",
    }
    if element.tag == "button":
        return f"[{plain_words(element)}] "
    return _input(element, name) if element.tag == "input" else shown.get(element.tag)


def _input(element: Element, name: str) -> str:
    kind = element.get("type") or "text"
    if kind in ("radio", "checkbox"):
        return "( ) " if kind == "radio" else "[ ] "
    if kind in ("submit", "button"):
        return f"[{element.get('value') or 'Submit'}]"
    return "" if kind == "hidden" else f"[{name}]"
