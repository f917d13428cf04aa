"""Items, scales and sets of utterances, read from data files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.records import LABELS
from many_wolves.sources import Source, nearest, quoted, read_source

PLACEHOLDERS = ("item", "made", "met", "rating", "scale", "claim", "text", "options")
"""Placeholders that templates know for any items."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that Bob made.

    ``made`` and ``met`` are in the past tense: Bob *wrote a poem*, Ann *read it*. ``words``
    are further words that templates need, such as the noun with its article in another
    language: every item has the same.
    """

    id: str
    noun: str
    made: str
    met: str
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """Ann's true opinion: its value V(s) on the scale, and its wording."""

    value: int | float
    rating: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale of opinions, worst state first."""

    id: str
    about: str
    states: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Utterance:
    """An utterance: the sentence, and the claim that the literal task tests."""

    id: str
    sentence: str
    claim: str
    negated: bool


def read_items(path: Path) -> dict[str, Item]:
    """The items by id, in the order of the file.

    Raises
    ------
    WolvesError
        On a missing or unknown field, or a duplicate item, with its line.
    """
    items: dict[str, Item] = {}
    lines: dict[str, int] = {}
    for entry in read_source(path).fields(["items"])["items"].sequence():
        fields = entry.fields(["id", "made", "met"], ["noun", "words"])
        name = _id(fields["id"])
        _once(entry, "item", name, lines)
        items[name] = Item(
            id=name,
            noun=fields["noun"].words() if "noun" in fields else name,
            made=fields["made"].words(),
            met=fields["met"].words(),
            words=_further(fields["words"]) if "words" in fields else {},
        )
        first = next(iter(items.values()))
        if set(items[name].words) != set(first.words):
            raise entry.error(
                f"expected the same `words` as in the item {first.id!r}, found "
                f"{quoted(items[name].words) or 'none'}",
                f"write {quoted(first.words) or 'none'} under `words` of every item",
            )
    return items


def _further(source: Source) -> dict[str, str]:
    """Words of an item by the names of their placeholders."""
    found = {}
    for name, value in source.entries().items():
        if not name.isidentifier() or name in PLACEHOLDERS:
            raise value.error(
                f"expected a new name for a placeholder, found {name!r}",
                f"choose another than {quoted(PLACEHOLDERS)}, of letters",
            )
        found[name] = value.words()
    return found


def read_scale(path: Path, name: str) -> Scale:
    """The scale called ``name``.

    Raises
    ------
    WolvesError
        If there is none of that name, a state or a rating is a duplicate,
        or it has fewer than two states.
    """
    scales = read_source(path).fields(["scales"])["scales"]
    chosen = _chosen(scales, "scale", name)
    fields = chosen.fields(["about", "states"])
    states: list[State] = []
    values: dict[str, int] = {}
    ratings: dict[str, int] = {}
    for entry in fields["states"].sequence():
        state = entry.fields(["value", "rating"])
        found = State(state["value"].number(), state["rating"].words())
        _once(entry, "state", str(found.value), values)
        _once(entry, "rating", found.rating, ratings)
        states.append(found)
    if len(states) < 2:
        raise fields["states"].error(
            f"expected two states or more on the scale {name!r}, found {len(states)}",
            "add a state: with one state, no choice can depend on the state",
        )
    return Scale(name, fields["about"].words(), tuple(states))


def read_utterances(path: Path, name: str) -> tuple[Utterance, ...]:
    """The set of utterances called ``name``.

    Raises
    ------
    WolvesError
        If there is none with that name, it is empty, an id or a sentence is a
        duplicate, or there are more utterances than letters.
    """
    chosen = _chosen(read_source(path).fields(["sets"])["sets"], "set of utterances", name)
    utterances: list[Utterance] = []
    ids: dict[str, int] = {}
    sentences: dict[str, int] = {}
    for entry in chosen.sequence():
        fields = entry.fields(["id", "sentence", "claim", "negated"])
        found = Utterance(
            id=_id(fields["id"]),
            sentence=fields["sentence"].words(),
            claim=fields["claim"].words(),
            negated=fields["negated"].flag(),
        )
        _once(entry, "utterance", found.id, ids)
        _once(entry, "sentence", found.sentence.lower(), sentences)
        utterances.append(found)
    if not 2 <= len(utterances) <= len(LABELS):
        raise chosen.error(
            f"expected 2 to {len(LABELS)} utterances in {name!r}, found {len(utterances)}",
            "a choice needs two options or more, and every option a letter",
        )
    return tuple(utterances)


def select[T](known: Mapping[str, T], wanted: tuple[str, ...], kind: str, option: str) -> list[T]:
    """The entries that ``wanted`` names, in the order of ``known``; all of them when it is empty.

    Raises
    ------
    WolvesError
        If a name is unknown or a duplicate.
    """
    for name in wanted:
        if name not in known:
            raise WolvesError(f"unknown {kind} {name!r} in {option}", fix=nearest(name, known))
        if wanted.count(name) > 1:
            raise WolvesError(
                f"duplicate {kind} {name!r} in {option}", fix=f"list every {kind} once"
            )
    return [value for name, value in known.items() if not wanted or name in wanted]


def _chosen(source: Source, kind: str, name: str) -> Source:
    entries = source.entries()
    if name not in entries:
        raise source.error(f"expected a {kind} called {name!r}, found none", nearest(name, entries))
    return entries[name]


def _id(source: Source) -> str:
    name = source.words()
    if "," in name:
        raise source.error(
            f"expected a name without a comma, found {name!r}",
            "names are given as a list with commas on the command line: choose another",
        )
    return name


def _once(entry: Source, kind: str, name: str, lines: dict[str, int]) -> None:
    """Record the line of ``name``; raise an error for a duplicate."""
    if name in lines:
        raise entry.error(
            f"duplicate {kind} {name!r}, first on line {lines[name]}",
            f"rename or delete one of the two: every {kind} must be unique",
        )
    lines[name] = entry.line
