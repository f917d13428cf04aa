"""Stan programs as one text, with their included files in place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from many_wolves.errors import WolvesError

_INCLUDE = re.compile(r"^\s*#include\s+[<\"]?([^>\"\s]+)[>\"]?\s*$")
_REPLACES = re.compile(r"^// replaces: (\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A Stan program as a compiler takes it.

    Parameters
    ----------
    text
        The program; a function that C++ stands in for is only declared.
    cpp
        The C++ of those functions, with their gradients; empty where there are none.
    """

    text: str
    cpp: str = ""


def program_text(path: Path) -> str:
    """The program with every ``#include`` replaced by the file, found beside it.

    Raises
    ------
    WolvesError
        If the program or an included file is missing.
    """
    return "".join(line for _, line in _lines(path))


def program_source(path: Path, *, plain: bool = False) -> Source:
    """The program, with the functions that are written in C++ beside it put in.

    A file ``NAME.hpp`` beside an included ``NAME.stanfunctions`` names in lines
    ``// replaces: FUNCTION`` what it stands in for.

    Parameters
    ----------
    plain
        Leave the C++ aside, for programs that are Stan alone.

    Raises
    ------
    WolvesError
        If a file is missing, or C++ stands in for a function that the program lacks.
    """
    lines = list(_lines(path))
    text = "".join(line for _, line in lines)
    headers = dict.fromkeys(file.with_suffix(".hpp") for file, _ in lines)
    found = [header for header in headers if header.exists()]
    if plain or not found:
        return Source(text)
    for header in found:
        for name in _REPLACES.findall(header.read_text()):
            text = _declared(text, name, header)
    return Source(text, "\n".join(header.read_text() for header in found))


def _lines(path: Path) -> Iterator[tuple[Path, str]]:
    """Each line of the program, with the file that it stands in."""
    if not path.exists():
        raise WolvesError(
            "the Stan program does not exist", where=path, fix="check the path of the program"
        )
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        found = _INCLUDE.match(line)
        if found is None:
            yield path, f"{line}\n"
            continue
        included = path.parent / found.group(1)
        if not included.exists():
            raise WolvesError(
                f"the included file {found.group(1)!r} is not beside the program",
                where=path,
                line=number,
                fix="put the file there, or correct its name",
            )
        yield from _lines(included)


def _declared(text: str, name: str, header: Path) -> str:
    """The program with the body of one function left out."""
    # In stanc's canonical format a definition begins and its body ends at the margin.
    found = re.search(rf"^\w[^\n]*\b{name}\([^{{]*(\{{.*?^\}})", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise WolvesError(
            f"the program has no function {name}, which C++ is to stand in for",
            where=header,
            fix="correct the line `// replaces: ...`",
        )
    return f"{text[: found.start(1)].rstrip()};{text[found.end(1) :]}"
