"""Errors for arguments of the wrong type, from the annotations of a function."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from many_wolves.errors import EMPTY_PATH, WolvesError

_PLAIN: dict[str, tuple[str, Any]] = {
    "str": ("text", str),
    "Path": ("a path", os.PathLike),
    "None": ("None", type(None)),
    "int": ("an integer", int | np.integer),
    "float": ("a number", float | int | np.number),
}
_LISTS = ("Sequence", "Iterable")
_NAMED = {
    "Observations": "observations",
    "SpeakerFit": "a fit",
    "Fits": "fits",
    "pd.DataFrame": "a data frame",
}

_PLURAL = {
    "text": "text",
    "a path": "paths",
    "an integer": "integers",
    "a number": "numbers",
    "observations": "observations",
    "a fit": "fits",
    "a data frame": "data frames",
}


def check_arguments(function: str, signature: inspect.Signature, given: Mapping[str, Any]) -> None:
    """Refuse an argument whose type its annotation excludes, and an empty text as a path.

    Annotations that are objects, or that have an unknown part, are not checked.

    Raises
    ------
    WolvesError
        With the name of the argument, what was expected and what was found.
    """
    for name, value in given.items():
        parameter = signature.parameters.get(name)
        annotation = parameter.annotation if parameter is not None else None
        if not isinstance(annotation, str) or value is parameter.default:  # type: ignore[union-attr]
            continue
        parts = _parts(annotation)
        if _is_empty_path(value, parts):
            raise WolvesError(
                f"{function}() expected a path as `{name}`, found an empty text",
                fix=EMPTY_PATH,
            )
        if all(map(_known, parts)) and not any(_fits(value, part) for part in parts):
            expected = _listed([_words(part) for part in parts])
            raise WolvesError(
                f"{function}() expected {expected} as `{name}`, found {_shown(value)}",
                fix=f"give `{name}` as {expected}",
            )


def _parts(annotation: str) -> list[str]:
    """The parts of a union: ``a | b[c | d]`` has two."""
    depth, start, found = 0, 0, []
    for at, character in enumerate(annotation):
        depth += (character == "[") - (character == "]")
        if character == "|" and not depth:
            found.append(annotation[start:at])
            start = at + 1
    return [part.strip() for part in [*found, annotation[start:]]]


def _split(part: str) -> tuple[str, str]:
    """Name and content of ``Sequence[str]``."""
    name, _, inside = part.partition("[")
    return name, inside.removesuffix("]")


def _known(part: str) -> bool:
    name, inside = _split(part)
    if name in _LISTS:
        return all(part in _PLAIN or part in _NAMED for part in _parts(inside))
    return name == "Mapping" or (not inside and (name in _PLAIN or name in _NAMED))


def _fits(value: Any, part: str) -> bool:
    name, inside = _split(part)
    kinds = {kind.__name__ for kind in type(value).__mro__}
    if name in _PLAIN:
        return isinstance(value, _PLAIN[name][1]) and not isinstance(value, bool)
    if name in _NAMED:
        return name.rpartition(".")[2] in kinds
    if name == "Mapping":
        return isinstance(value, Mapping)
    listed = isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)
    # Only these can be read without using them up.
    entries = value if isinstance(value, list | tuple) else ()
    fitting = all(any(_fits(one, each) for each in _parts(inside)) for one in entries)
    return listed and "DataFrame" not in kinds and fitting


def _is_empty_path(value: Any, parts: Sequence[str]) -> bool:
    """Whether a value, or an entry of a list, is an empty text in place of a path."""
    if isinstance(value, str):
        return not value.strip() and "Path" in parts
    inside = [_parts(content) for name, content in map(_split, parts) if name in _LISTS]
    listed = value if isinstance(value, list | tuple) else ()
    return any(_is_empty_path(one, each) for one in listed for each in inside)


def _words(part: str) -> str:
    name, inside = _split(part)
    if name in _LISTS:
        return f"a list of {_listed([_PLURAL[_words(one)] for one in _parts(inside)])}"
    return "a mapping" if name == "Mapping" else _NAMED.get(name) or _PLAIN[name][0]


def _listed(words: Sequence[str]) -> str:
    named = [word for word in words if word != "None"]
    if "text" in named and {"a path", "paths"} & set(named):
        named.remove("text")
    *before, last = named
    return f"{', '.join(before)} or {last}" if before else last


def _shown(value: Any) -> str:
    if value is None or isinstance(value, str | int | float):
        return repr(value)
    return f"an object of type {type(value).__name__}"
