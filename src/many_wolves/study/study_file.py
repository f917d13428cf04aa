"""Reads a study file into a checked ``Study``; every error states its line and its fix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from many_wolves.errors import WolvesError
from many_wolves.options import OptionError, explain
from many_wolves.secrets import refuse_secrets
from many_wolves.sources import Source, read_source
from many_wolves.study.schema import Asking, Choices, Shipped, Speaker, Study
from many_wolves.study.task_schema import Fit, Task

Place = tuple[str | int, ...]

_SECTIONS: Mapping[str, type[BaseModel]] = {
    "collect": Asking,
    "choices": Choices,
    "fit": Fit,
    "tasks": Task,
    "games": Task,
    "speakers": Speaker,
    "players": Speaker,
    "data": Shipped,
}


def read_study(path: str | Path) -> Study:
    """Read and check a study file.

    Raises
    ------
    WolvesError
        If the file is missing, is not YAML, or violates the schema. The message describes the
        first error in the file.
    """
    return study_of(read_source(path))


def study_of(source: Source) -> Study:
    """The study in a YAML file; see ``read_study``."""
    if not isinstance(source.node, yaml.MappingNode):
        raise source.error(
            "expected the fields of a study, found none",
            "begin with `study: NAME`; studies/demo.yaml is an example",
        )
    lines: dict[Place, int] = {}
    content = _plain(source, lines, ())
    try:
        return Study.model_validate(content)
    except ValidationError as invalid:
        faults = sorted(invalid.errors(), key=lambda fault: _line(_place(fault), lines))
        raise _error(faults[0], len(faults), lines, source.file) from None


def _plain(source: Source, lines: dict[Place, int], place: Place) -> Any:
    """The plain value; records the line of every place in ``lines``."""
    lines.setdefault(place, source.line)
    if isinstance(source.node, yaml.MappingNode):
        entries = source.entries()
        refuse_secrets(entries, where=source.file, line=source.line)
        if "<<" in entries:
            raise entries["<<"].error(
                "expected fields, found the merge key `<<`, which study files do not support",
                "write out the fields that it would merge",
            )
        return {key: _plain(value, lines, (*place, key)) for key, value in entries.items()}
    if isinstance(source.node, yaml.SequenceNode):
        parts = source.sequence() if source.node.value else []
        return [_plain(part, lines, (*place, i)) for i, part in enumerate(parts)]
    refuse_secrets([source.node.value], where=source.file, line=source.line)
    value = source.scalar()
    return str(Path(value).expanduser()) if str(value).startswith("~/") else value


def _place(fault: ErrorDetails) -> Place:
    """The place of an error; a validator of a section provides the field within it."""
    error = fault.get("ctx", {}).get("error")
    return (*fault["loc"], *(error.fields if isinstance(error, OptionError) else ()))


def _line(place: Place, lines: dict[Place, int]) -> int:
    """The line of the innermost known part of ``place``."""
    for length in range(len(place), -1, -1):
        if place[:length] in lines:
            return lines[place[:length]]
    return 1


def _error(fault: ErrorDetails, faults: int, lines: dict[Place, int], path: Path) -> WolvesError:
    place = _place(fault)
    field = ".".join(str(part) for part in place)
    problem, fix = explain(fault, list(_fields(place)))
    if faults > 1:
        problem += f" (the first of {faults} errors)"
    return WolvesError(
        f"{field}: {problem}" if field else problem,
        where=path,
        line=_line(place, lines),
        fix=fix,
    )


def _fields(place: Place) -> Mapping[str, Any]:
    """Fields of the section that contains ``place``."""
    if len(place) <= 1:
        return Study.model_fields
    section = _SECTIONS.get(str(place[0]))
    return section.model_fields if section else {}
