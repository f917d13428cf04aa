"""Personas: texts before the prompts of some seats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.sources import nearest, read_mapping

EVERYONE = "everyone"
EXAMPLE = "personas: {cautious: You avoid risks.}\nseats: {speculator: [cautious]}"


@dataclass(frozen=True)
class Personas:
    """Texts by name, and the names by role; those of a role take its seats in turn.

    Parameters
    ----------
    texts
        Name -> text.
    roles
        Role, or ``everyone`` -> names of personas.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def seat(self, roles: Mapping[int, str]) -> dict[int, str]:
        """Name of the persona of each seat, by the seats' roles; seats without one are left out."""
        placed: dict[str, int] = {}
        found: dict[int, str] = {}
        for number, role in roles.items():
            names = self.roles.get(role) or self.roles.get(EVERYONE) or ()
            place = placed.get(role, 0)
            placed[role] = place + 1
            if names:
                found[number] = names[place % len(names)]
        return found


def read_personas(path: Path | None, roles: Sequence[str]) -> Personas:
    """Personas of a YAML file; none without a path.

    Parameters
    ----------
    path
        A file with ``personas`` (name: text) and ``seats`` (role: names).
    roles
        Roles that the experiment has.

    Raises
    ------
    WolvesError
        If the file cannot be read, or a role or a persona is unknown.
    """
    if path is None:
        return Personas()
    found = read_mapping(path)
    if set(found) != {"personas", "seats"}:
        raise _fault(path, "expected the entries personas and seats")
    texts, seats = _mapping(found["personas"], path), _mapping(found["seats"], path)
    for role, names in seats.items():
        if role not in (*roles, EVERYONE):
            raise WolvesError(
                f"unknown role {role!r}", where=path, fix=nearest(role, [*roles, EVERYONE])
            )
        if not isinstance(names, list) or not names:
            raise _fault(path, f"expected a list of personas for {role}")
        for name in names:
            if name not in texts:
                raise WolvesError(
                    f"unknown persona {name!r}", where=path, fix=nearest(str(name), texts)
                )
    if not all(isinstance(text, str) and text.strip() for text in texts.values()):
        raise _fault(path, "expected a text for each persona")
    return Personas(texts, seats)


def _mapping(value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise _fault(path, f"expected names with values, found {value!r:.60}")
    return value


def _fault(path: Path, problem: str) -> WolvesError:
    return WolvesError(problem, where=path, fix=f"write it like this:\n{EXAMPLE}")
