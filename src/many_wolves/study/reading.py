"""A study file into a checked ``Study``; every fault names its line and its mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from many_wolves.errors import WolvesError
from many_wolves.sources import Source, nearest, read_source
from many_wolves.study.schema import Asking, Choices, Fit, Game, Speaker, Study, Trials

Place = tuple[str | int, ...]

_SECTIONS: dict[str, type[BaseModel]] = {
    "trials": Trials,
    "collect": Asking,
    "choices": Choices,
    "fit": Fit,
    "games": Game,
    "speakers": Speaker,
}


def read_study(path: str | Path) -> Study:
    """Read and check a study file.

    Raises
    ------
    WolvesError
        If the file is missing, is not YAML, or says something that the schema
        does not allow; the first fault in the file's order is the one named.
    """
    source = read_source(path)
    if not isinstance(source.node, yaml.MappingNode):
        raise source.error(
            "expected a study's fields, found none",
            "begin with `study: NAME`; studies/demo.yaml is an example",
        )
    lines: dict[Place, int] = {}
    content = _plain(source, lines, ())
    try:
        return Study.model_validate(content)
    except ValidationError as invalid:
        faults = sorted(invalid.errors(), key=lambda fault: _line(fault["loc"], lines))
        raise _error(faults[0], len(faults), lines, Path(path)) from None


def _plain(source: Source, lines: dict[Place, int], place: Place) -> Any:
    """The value, noting the line of every place in ``lines``."""
    lines.setdefault(place, source.line)
    if isinstance(source.node, yaml.MappingNode):
        return {key: _plain(value, lines, (*place, key)) for key, value in source.entries().items()}
    if isinstance(source.node, yaml.SequenceNode):
        parts = source.sequence() if source.node.value else []
        return [_plain(part, lines, (*place, i)) for i, part in enumerate(parts)]
    return yaml.SafeLoader("").construct_object(source.node)


def _line(place: Place, lines: dict[Place, int]) -> int:
    """The line of the innermost known part of ``place``."""
    for length in range(len(place), -1, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return 1


def _error(fault: ErrorDetails, faults: int, lines: dict[Place, int], path: Path) -> WolvesError:
    place = fault["loc"]
    field = ".".join(str(part) for part in place)
    problem, mend = _words(fault)
    if faults > 1:
        problem += f" (the first of {faults} faults)"
    return WolvesError(
        f"{field}: {problem}" if field else problem,
        where=path,
        line=_line(place, lines),
        mend=mend,
    )


def _words(fault: ErrorDetails) -> tuple[str, str]:
    """Problem and mend of one fault."""
    place, kind, context = fault["loc"], fault["type"], fault.get("ctx", {})
    name = str(place[-1]) if place else ""
    found = repr(fault["input"])
    if kind == "extra_forbidden":
        return f"expected a known field, found {name!r}", nearest(name, list(_fields(place)))
    if kind == "missing":
        return "expected this field, found none", f"add `{name}: ...`"
    if kind == "literal_error":
        return f"expected {context['expected']}, found {found}", f"use {context['expected']}"
    if kind == "value_error":
        return str(context["error"]), "add or remove what it names"
    expected = fault["msg"].removeprefix("Input should be ").removeprefix("Input should have ")
    if kind == "string_pattern_mismatch":
        expected = "letters, digits, dots, dashes, underscores"
    return f"expected {expected}, found {found}", f"write {expected}"


def _fields(place: Place) -> dict[str, Any]:
    """Fields that may stand beside the one at ``place``."""
    if len(place) == 1:
        return dict(Study.model_fields)
    section = _SECTIONS.get(str(place[0]))
    return dict(section.model_fields) if section else {}
