"""Stan programs as one text, with their included files in place."""

from __future__ import annotations

import re
from pathlib import Path

from many_wolves.errors import WolvesError

_INCLUDE = re.compile(r"^\s*#include\s+[<\"]?([^>\"\s]+)[>\"]?\s*$")


def program_text(path: Path) -> str:
    """The program with every ``#include`` replaced by the file, found beside it.

    Raises
    ------
    WolvesError
        If the program or an included file is missing.
    """
    if not path.exists():
        raise WolvesError(
            "the Stan program does not exist", where=path, mend="check the path of the program"
        )
    lines: list[str] = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        found = _INCLUDE.match(line)
        if found is None:
            lines.append(line)
            continue
        included = path.parent / found.group(1)
        if not included.exists():
            raise WolvesError(
                f"the included file {found.group(1)!r} is not beside the program",
                where=path,
                line=number,
                mend="put the file there, or correct its name",
            )
        lines.append(program_text(included))
    return "\n".join(lines) + "\n"
