"""A study file into a checked ``Study``; every fault names its line and its mend."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from many_wolves.errors import WolvesError
from many_wolves.study.schema import Asking, Choices, Fit, Speaker, Study, Trials

Place = tuple[str | int, ...]

_SECTIONS: dict[str, type[BaseModel]] = {
    "trials": Trials,
    "collect": Asking,
    "choices": Choices,
    "fit": Fit,
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
    lines: dict[Place, int] = {}
    content = _plain(_document(Path(path)), lines, (), Path(path))
    if not isinstance(content, dict):
        raise WolvesError(
            f"expected a mapping of fields, found {_kind(content)}",
            where=path,
            line=1,
            mend="begin with `study: NAME`; studies/demo.yaml is an example",
        )
    try:
        return Study.model_validate(content)
    except ValidationError as invalid:
        faults = sorted(invalid.errors(), key=lambda fault: _line(fault["loc"], lines))
        raise _error(faults[0], len(faults), lines, Path(path)) from None


def _document(path: Path) -> yaml.Node | None:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise WolvesError(
            f"expected a study file, found none ({fault.strerror})",
            where=path,
            mend="give the path of a YAML file such as studies/demo.yaml",
        ) from None
    except UnicodeDecodeError:
        raise WolvesError(
            "expected UTF-8 text, found other bytes", where=path, mend="save the file as UTF-8"
        ) from None
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        raise WolvesError(
            f"expected YAML, found: {fault.problem}",
            where=path,
            line=mark.line + 1 if mark else None,
            mend="look at the indentation, colons and quotes on and above this line",
        ) from None
    except yaml.YAMLError as fault:
        raise WolvesError(f"expected YAML, found: {fault}", where=path, mend="mend it") from None
    return node


def _plain(node: yaml.Node | None, lines: dict[Place, int], place: Place, path: Path) -> Any:
    """The node's value, noting the line of every place in ``lines``."""
    if node is None:
        return None
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in mapping:
                raise WolvesError(
                    f"expected every field once, found {key!r} twice",
                    where=path,
                    line=line,
                    mend=f"remove one of the two (the other is on line {lines[(*place, key)]})",
                )
            lines[(*place, key)] = line
            mapping[key] = _plain(value_node, lines, (*place, key), path)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(part, lines, (*place, i), path) for i, part in enumerate(node.value)]
    loader = yaml.SafeLoader("")
    return loader.construct_object(node)


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
        known = list(_fields(place))
        near = get_close_matches(name, known, 1)
        mend = f"write `{near[0]}`" if near else f"use one of: {', '.join(known)}"
        return f"expected a known field, found {name!r}", mend
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


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
