"""Stan programs as one text, with their includes resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from many_wolves.errors import WolvesError

_INCLUDE = re.compile(r"^\s*#include\s+[<\"]?([^>\"\s]+)[>\"]?\s*$")


@dataclass(frozen=True)
class Source:
    """A Stan program as a compiler takes it.

    Parameters
    ----------
    name
        Name of the program's file, for messages.
    text
        The program; functions defined in C++ are declared but not defined.
    cpp
        The C++ that defines them; empty if there are none.
    """

    name: str
    text: str
    cpp: str = ""


def program_text(path: Path) -> str:
    """The program with every ``#include`` replaced by the file, found next to it.

    Raises
    ------
    WolvesError
        If the program or an included file is missing.
    """
    return program_source(path).text


def program_source(path: Path, instead: Mapping[str, Path] | None = None) -> Source:
    """The program and the C++ of the functions that it declares but does not define.

    A file ``NAME.hpp`` next to an included ``NAME.stanfunctions`` defines what is declared there.

    Parameters
    ----------
    instead
        Name of an included file -> the file that replaces it.

    Raises
    ------
    WolvesError
        If a file is missing.
    """
    lines = list(_lines(path, instead or {}))
    headers = dict.fromkeys(file.with_suffix(".hpp") for file, _ in lines)
    cpp = "\n".join(header.read_text() for header in headers if header.exists())
    return Source(path.name, "".join(line for _, line in lines), cpp)


def _lines(path: Path, instead: Mapping[str, Path]) -> Iterator[tuple[Path, str]]:
    """Each line of the program, with the file that it comes from."""
    if not path.exists():
        raise WolvesError(
            "the Stan program does not exist", where=path, fix="check the path of the program"
        )
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        found = _INCLUDE.match(line)
        if found is None:
            yield path, f"{line}\n"
            continue
        included = instead.get(found.group(1), path.parent / found.group(1))
        if not included.exists():
            raise WolvesError(
                f"the included file {found.group(1)!r} is not in the folder of the program",
                where=path,
                line=number,
                fix="add the file to that folder, or correct its name",
            )
        yield from _lines(included, instead)
