"""Hooks of the documentation site: the study schema as tables, equations as MathML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

import griffe
from latex2mathml.converter import convert
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

SCHEMA = "::: study-schema"
"""A line of a page that is replaced by the tables of the study file."""
INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
DISPLAY = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the marker of the study schema by its tables."""
    if SCHEMA not in markdown:
        return markdown
    from many_wolves.study.schema import Study

    return markdown.replace(SCHEMA, "\n".join(schema_tables(Study)))


def on_page_content(content: str, **_: Any) -> str:
    """Turn LaTeX into MathML, which browsers draw without a script from the network."""
    content = DISPLAY.sub(lambda found: _mathml(found[1], "block"), content)
    return INLINE.sub(lambda found: _mathml(found[1], "inline"), content)


def _mathml(latex: str, display: str) -> str:
    return convert(html.unescape(latex).strip(), display=display)


def schema_tables(model: type[BaseModel]) -> Iterator[str]:
    """Markdown of a model and of every model below it: a heading, its text and a table."""
    for part in _models(model):
        text, meanings = _documented(part)
        yield f"## {part.__name__} {{ #{part.__name__.lower()} }}\n\n{text}\n"
        yield "| field | value | default | meaning |\n| :-- | :-- | :-- | :-- |"
        for name, field in part.model_fields.items():
            meaning = field.description or meanings.get(name, "")
            yield f"| `{name}` | {_type(field)} | {_default(field)} | {meaning} |"
        yield ""


def _models(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return the model and those that its fields name, each once, in order of first use."""
    found = [model]
    for part in found:
        for field in part.model_fields.values():
            found += [m for m in _models_in(field.annotation) if m not in found]
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _documented(model: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """Return the text of a docstring, and what each parameter of the class and its bases means."""
    text = ""
    meanings: dict[str, str] = {}
    for part in reversed(model.__mro__):
        if not (issubclass(part, BaseModel) and part.__doc__) or part is BaseModel:
            continue
        text = ""
        for section in griffe.Docstring(part.__doc__).parse("numpy", warnings=False):
            if section.kind is griffe.DocstringSectionKind.text:
                text += section.value
            elif section.kind is griffe.DocstringSectionKind.parameters:
                for entry in section.value:
                    words = " ".join(entry.description.split())
                    meanings |= {name.strip(): words for name in entry.name.split(",")}
    return text, meanings


def _type(field: FieldInfo) -> str:
    return _type_words(field.annotation) + _bounds(field)


PLAIN = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}


def _type_words(annotation: Any) -> str:
    """Return a type in the words of a YAML file, linked where it is a section."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    inside = [a for a in get_args(annotation) if a not in (type(None), Ellipsis)]
    kind = get_origin(annotation)
    if kind is None:
        words = PLAIN.get(annotation, "any")
    elif kind is Literal:
        words = ", ".join(f"`{a}`" for a in inside)
    elif kind is Annotated:
        words = _type_words(inside[0])
    elif kind in (tuple, list):
        words = f"list of {_type_words(inside[0])}"
    elif kind is dict:
        words = f"mapping of {_type_words(inside[0])} to {_type_words(inside[1])}"
    else:
        words = " or ".join(_type_words(a) for a in inside)
    return words


def _bounds(field: FieldInfo) -> str:
    signs = {
        "ge": "at least",
        "gt": "above",
        "le": "at most",
        "lt": "below",
        "min_length": "at least",
    }
    words = [
        f"{sign} {getattr(item, name)}" + (" long" if name == "min_length" else "")
        for item in field.metadata
        for name, sign in signs.items()
        if getattr(item, name, None) is not None
    ]
    return f", {' and '.join(words)}" if words else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return "its defaults"
    if value is None or value in ((), {}, ""):
        return "none"
    if isinstance(value, tuple):
        return "`[" + ", ".join(map(str, value)) + "]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
