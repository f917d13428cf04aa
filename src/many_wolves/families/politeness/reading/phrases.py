"""Phrases in other languages that the reader knows, from ``reader.yaml``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from many_wolves.families.politeness.task.shipped_scenes import SOURCES
from many_wolves.files import shipped
from many_wolves.sources import read_source

_LISTS = ("rejections", "refusals", "introductions", "sayings")


@dataclass(frozen=True)
class Phrases:
    """Phrases of all languages together.

    Parameters
    ----------
    languages
        Languages for which more than rejections is known.
    prefixes
        Beginnings of the sentences of options, in lower case with a trailing space.
    rejections, refusals
        Found anywhere in a text.
    introductions, sayings
        Found at the beginning of a sentence.
    """

    languages: tuple[str, ...]
    prefixes: tuple[str, ...]
    rejections: re.Pattern[str]
    refusals: re.Pattern[str]
    introductions: re.Pattern[str]
    sayings: re.Pattern[str]


@cache
def phrases() -> Phrases:
    """The shipped phrases.

    Raises
    ------
    WolvesError
        If the file is invalid.
    """
    source = read_source(shipped(f"{SOURCES}/reader.yaml")).fields(["languages"])["languages"]
    prefixes: list[str] = []
    found: dict[str, list[str]] = {name: [] for name in _LISTS}
    known: list[str] = []
    for code, language in source.entries().items():
        own = language.fields((), ("prefix", *_LISTS))
        if "prefix" in own:
            known.append(code)
            prefixes.append(f"{own['prefix'].words().lower()} ")
        for name in _LISTS:
            found[name] += [e.words() for e in own[name].sequence()] if name in own else []
    behind = r"(?:\s+(?:bob|ihm|zu\s+bob|zu\s+ihm))?(?:\s*,?\s*dass)?\s*[:,]?\s*"
    return Phrases(
        languages=("en", *known),
        prefixes=tuple(prefixes),
        rejections=_pattern(rf"\b(?:{_any(found['rejections'])})\b"),
        refusals=_pattern(rf"\b(?:{_any(found['refusals'])})\b"),
        introductions=_pattern(rf"^[\"'(\s]*(?:{_any(found['introductions'])})\b{behind}"),
        sayings=_pattern(rf"^[\"'(\s]*(?:{_any(found['sayings'])})\b{behind}"),
    )


def _any(words: Sequence[str]) -> str:
    """A regular expression for any of some phrases, the longest first; a star is any ending."""
    longest = sorted(words, key=len, reverse=True)
    escaped = (re.escape(word).replace(r"\*", r"\w*") for word in longest)
    return "|".join(word.replace(r"\ ", r"\s+") for word in escaped)


def _pattern(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.I)
