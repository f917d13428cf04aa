"""The design that a researcher edits: games, participants and wording, each value checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.options import SOURCES
from many_wolves.files import file_fingerprint, shipped
from many_wolves.sources import Source, nearest, quoted, read_source

GAMES = ("dictator", "dilemma", "ultimatum", "principal")
"""Games, and tasks of their trials."""

ANSWERS = ("no", "yes")
CASES = ("as written", "lower", "upper")
ORDERS = ("forward", "backward")
LENGTHS = ("announced", "hidden", "geometric")
_SETTINGS = ("temperature", "top_p", "max_tokens")
_FILES = ("games.yaml", "participants.en.yaml", "wording.en.yaml")


@dataclass(frozen=True)
class Participant:
    """One role prompt: ``number`` counts from one within its group."""

    group: str
    number: int
    role: str


@dataclass(frozen=True)
class Material:
    """What is played, by whom, and in which words.

    Parameters
    ----------
    games, wording
        The values of ``games.yaml`` and ``wording.en.yaml`` by key.
    participants
        Every role prompt.
    asked_with
        Settings of the speaker that the design proposes, each with its values.
    fingerprints
        File -> fingerprint.
    """

    games: Mapping[str, Source]
    wording: Mapping[str, Source]
    participants: tuple[Participant, ...]
    asked_with: Mapping[str, list[float]]
    fingerprints: Mapping[str, str]

    def words(self, *path: str) -> Source:
        """A value of the wording by its path of keys; WolvesError where it is missing."""
        return inner(self.wording, *path)

    def role(self, name: str, at: Source) -> Participant:
        """The participant that is called ``Group N``."""
        known = {f"{p.group} {p.number}": p for p in self.participants}
        if name not in known:
            raise at.error(f"unknown participant {name!r}", nearest(name, known))
        return known[name]


def read_material(
    sources: Path | None = None, templates: Path | None = None, groups: Sequence[str] = ()
) -> Material:
    """The design in a folder.

    Parameters
    ----------
    sources
        Folder with games.yaml, participants.en.yaml and wording.en.yaml; the shipped one
        when None.
    templates
        The wording, if it is another file.
    groups
        Groups that take part; all when empty.

    Raises
    ------
    WolvesError
        If a file or value is at fault, with file and line.
    """
    folder = sources or shipped(SOURCES)
    files = [folder / name for name in _FILES]
    if templates is not None:
        files[2] = templates
    games = read_source(files[0]).fields([], ["asked_with", *GAMES])
    asked_with = games.pop("asked_with", None)
    return Material(
        games=games,
        wording=read_source(files[2]).entries(),
        participants=_participants(read_source(files[1]), groups),
        asked_with=_asked_with(asked_with) if asked_with is not None else {},
        fingerprints={file.name: file_fingerprint(file) for file in files},
    )


def _participants(source: Source, groups: Sequence[str]) -> tuple[Participant, ...]:
    found = source.entries()
    for group in groups:
        if group not in found:
            raise WolvesError(f"unknown group {group!r}", fix=nearest(group, found))
    return tuple(
        Participant(group, number, role.words())
        for group, roles in found.items()
        if not groups or group in groups
        for number, role in enumerate(roles.sequence(), start=1)
    )


def _asked_with(source: Source) -> dict[str, list[float]]:
    return {
        name: [one.number() for one in value.sequence()] if value.listed else [value.number()]
        for name, value in source.fields([], _SETTINGS).items()
    }


def inner(fields: Mapping[str, Source], *path: str) -> Source:
    """A value by its path of keys, with an error that says where it is missing."""
    first, *rest = path
    if first not in fields:
        raise WolvesError(
            f"expected the field {first!r}, found {quoted(fields) or 'none'}",
            where=next((s.file for s in fields.values()), None),
            fix=f"add `{first}:`",
        )
    found = fields[first]
    for key in rest:
        known = found.entries()
        if key not in known:
            raise found.error(
                f"expected the field {key!r} in `{found.name}`, found {quoted(known) or 'none'}",
                f"add a line `{key}: ...`",
            )
        found = known[key]
    return found


def conditions(source: Source, wanted: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Values of each condition of a game.

    Parameters
    ----------
    source
        The game's ``conditions``.
    wanted
        Condition -> what its values may be.

    Raises
    ------
    WolvesError
        If a condition is missing or unknown, or a value is.
    """
    return {
        name: chosen(found, wanted[name]) for name, found in source.fields(list(wanted)).items()
    }


def chosen(source: Source, known: Sequence[str]) -> list[str]:
    """A list of different names, each of the known ones."""
    values: list[str] = []
    for value in source.sequence():
        word = value.words()
        if word not in known:
            raise value.error(f"unknown value {word!r} in `{source.name}`", nearest(word, known))
        if word in values:
            raise value.error(f"duplicate {word!r} in `{source.name}`", "delete one")
        values.append(word)
    return values


def label_sets(source: Source, n: int) -> dict[str, list[str]]:
    """Kind of labels -> ``n`` different labels.

    Raises
    ------
    WolvesError
        If a list has another length, or a label is a duplicate.
    """
    sets: dict[str, list[str]] = {}
    for kind, listed in source.entries().items():
        labels = [label.words() for label in listed.sequence()]
        if len(labels) != n or len({label.lower() for label in labels}) != n:
            raise listed.error(
                f"expected {n} different labels in `{listed.name}`, found {quoted(labels)}",
                f"write {n} labels",
            )
        sets[kind] = labels
    return sets


def amounts(source: Source) -> list[int | float]:
    """A list of different amounts of money, none below zero."""
    found = [value.number() for value in source.sequence()]
    if len(set(found)) != len(found) or min(found) < 0:
        raise source.error(
            f"expected different amounts, zero or more, in `{source.name}`, found {found}",
            "write each amount once",
        )
    return found


def count(source: Source) -> int:
    """A whole number of one or more."""
    number = source.number()
    if not isinstance(number, int) or number < 1:
        raise source.error(
            f"expected a whole number of one or more in `{source.name}`, found {number}",
            "write a number such as 6",
        )
    return number


def probability(source: Source) -> float:
    """A number from zero to one."""
    number = float(source.number())
    if not 0 <= number <= 1:
        raise source.error(
            f"expected a probability in `{source.name}`, found {number:g}",
            "write a number from 0 to 1",
        )
    return number


def replications(game: Mapping[str, Source]) -> list[int]:
    """Numbers of the replications of each cell, from one."""
    return list(range(1, count(game["replications"]) + 1)) if "replications" in game else [1]


def as_cell(participant: Participant) -> dict[str, Any]:
    """Group and number, as cells have them."""
    return {"group": participant.group, "participant": participant.number}
