"""The command that reproduces a result, from its arguments."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from many_wolves.contracts import Observations
from many_wolves.flags import flag

UNKNOWN = "CHOICES"
"""Placeholder for observations from memory."""


def command(
    name: str,
    observations: Observations | None,
    *options: BaseModel | Mapping[str, Any],
    flags: Sequence[str] = (),
) -> str:
    """A ``wolves`` command line.

    Parameters
    ----------
    name
        The subcommand.
    observations
        The fitted observations; their ``meta`` records the source.
    options
        Options by name; for a pydantic model, those that differ from their default.
    flags
        Further words.
    """
    words = ["wolves", name, *(source(observations) if observations is not None else ())]
    for given in options:
        words += _words(_changed(given) if isinstance(given, BaseModel) else given)
    return shlex.join([*words, *flags])


def source(observations: Observations) -> list[str]:
    """The command-line arguments that select the observations."""
    meta = observations.meta
    path = meta.get("path")
    if meta.get("reference"):
        words = ["--data", str(meta["reference"])]
    elif path is not None and "code_version" in meta:
        # A folder of `wolves choices`; the path is that of its main table.
        words = [shown(Path(path).parent)]
    else:
        words = [UNKNOWN if path is None else shown(Path(path))]
        words += ["--task", observations.task] if observations.task else []
    for column, value in dict(meta.get("kept", {})).items():
        words += ["--speaker", value] if column == "speaker" else ["--only", f"{column}={value}"]
    return words


def shown(path: Path) -> str:
    """A path without machine-specific parts: relative, or its last two components."""
    if not path.is_absolute():
        return str(path)
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(Path(*path.parts[-2:]))


def _changed(options: BaseModel) -> dict[str, Any]:
    return {
        name: value
        for name, value in options
        if value != type(options).model_fields[name].get_default(call_default_factory=True)
    }


def _words(given: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in given.items():
        option = flag(name)
        if value is None or (isinstance(value, list | tuple) and not value):
            continue
        if value is True:
            words.append(option)
        elif value is False:
            words.append(flag(f"no_{name}"))
        elif isinstance(value, BaseModel):
            words += [option, value.model_dump_json(exclude_unset=True)]
        elif isinstance(value, list | tuple):
            words += [option, ",".join(map(str, value))]
        else:
            words += [option, shown(value) if isinstance(value, Path) else str(value)]
    return words
