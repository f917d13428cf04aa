"""The rules of vale that this project uses, read from its style files.

Some machines cannot install vale. So three kinds of rule run here as well: ``existence``,
``substitution``, and ``occurrence`` within a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

KNOWN = {
    "existence": {"tokens", "nonword"},
    "substitution": {"swap", "nonword"},
    "occurrence": {"max", "token"},
}
"""Fields that a kind of rule may have, in addition to the common ones."""
COMMON = {"extends", "message", "level", "scope", "ignorecase", "link"}
NOT_AN_END = re.compile(
    r"(?:\b(?:e\.g|i\.e|cf|vs|al|etc|Fig|Eq|No|approx|resp|St|Dr)\.|\b[A-Z]\.|…|\.\.\.)$"
)
"""What ends with a full stop and not a sentence."""
END = re.compile(r"""[.!?][)"'”’*\]]*(?=\s+["'“‘(*\[]*[A-Z_`])""")


@dataclass(frozen=True)
class Match:
    """One place in a text that breaks a rule."""

    start: int
    message: str


class Rule(Protocol):
    """A rule that finds its matches in a text."""

    @property
    def name(self) -> str:
        """Name of the style file."""

    @property
    def raw(self) -> bool:
        """Whether the rule reads code as well."""

    def find(self, text: str) -> Iterator[Match]:
        """Yield what breaks the rule, in order."""


@dataclass(frozen=True)
class Existence:
    """Words that should not be there."""

    name: str
    raw: bool
    message: str
    pattern: re.Pattern[str]

    def find(self, text: str) -> Iterator[Match]:
        """Yield each of the words."""
        for found in self.pattern.finditer(text):
            yield Match(found.start(), _fill(self.message, found[0]))


@dataclass(frozen=True)
class Substitution:
    """Words with a better one; group i + 1 of the pattern stands for ``better[i]``."""

    name: str
    raw: bool
    message: str
    pattern: re.Pattern[str]
    better: tuple[str, ...]

    def find(self, text: str) -> Iterator[Match]:
        """Yield each word that has a better one."""
        for found in self.pattern.finditer(text):
            assert found.lastindex is not None
            better = self.better[found.lastindex - 1]
            yield Match(found.start(), _fill(self.message, better, found[0]))


@dataclass(frozen=True)
class Occurrence:
    """At most ``most`` matches of a pattern in one sentence."""

    name: str
    raw: bool
    message: str
    pattern: re.Pattern[str]
    most: int

    def find(self, text: str) -> Iterator[Match]:
        """Yield the start of each sentence with too many matches."""
        for start, sentence in sentences(text):
            count = len(self.pattern.findall(sentence))
            if count > self.most:
                words = " ".join(sentence.split()[:6])
                yield Match(start, f"{self.message} ({count}: “{words} …”)")


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Split a text into sentences, each with its place in the text."""
    start = 0
    for found in END.finditer(text):
        if NOT_AN_END.search(text, max(start, found.start() - 12), found.start() + 1):
            continue
        yield _stripped(text, start, found.end())
        start = found.end()
    if text[start:].strip():
        yield _stripped(text, start, len(text))


def _stripped(text: str, start: int, end: int) -> tuple[int, str]:
    sentence = text[start:end]
    return start + len(sentence) - len(sentence.lstrip()), sentence.strip()


def _fill(message: str, *words: str) -> str:
    """Put the words, without their line breaks, in the place of each ``%s``."""
    for word in words:
        message = message.replace("%s", " ".join(word.split()), 1)
    return message


def read_rules(config: Path) -> list[Rule]:
    """Read the rules that a ``.vale.ini`` names.

    Raises
    ------
    ValueError
        If a style file has a kind of rule, or a field, that is not known here. A rule that
        only vale can check must not seem to be checked.
    """
    parser = ConfigParser()
    parser.read_string("[top]\n" + config.read_text(encoding="utf-8"))
    folder = config.parent / parser["top"]["StylesPath"]
    styles = {
        name.strip()
        for section in parser.sections()
        for name in parser[section].get("BasedOnStyles", "").split(",")
        if name.strip()
    }
    files = sorted(path for style in styles for path in (folder / style).glob("*.yml"))
    if not files:
        raise ValueError(f"{config}: expected style files in {folder}, found none")
    return [read_rule(path) for path in files]


def read_rule(path: Path) -> Rule:
    """Read one style file; an unknown field is a ``ValueError``."""
    fields: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    kind = fields.get("extends")
    if kind not in KNOWN:
        raise ValueError(f"{path}: expected `extends` among {', '.join(KNOWN)}, found {kind!r}")
    unknown = fields.keys() - KNOWN[kind] - COMMON
    if unknown:
        raise ValueError(f"{path}: field {sorted(unknown)[0]!r} is not known to tools/prose")
    name, raw, message = path.stem, fields.get("scope") == "raw", fields["message"]
    flags = re.MULTILINE | (re.IGNORECASE if fields.get("ignorecase") else 0)
    if kind == "occurrence":
        if fields.get("scope") != "sentence":
            raise ValueError(f"{path}: expected `scope: sentence`, found {fields.get('scope')!r}")
        return Occurrence(name, raw, message, re.compile(fields["token"], flags), fields["max"])
    edge = "" if fields.get("nonword") else r"\b"
    if kind == "existence":
        words = "|".join(_spaced(word) for word in fields["tokens"])
        return Existence(name, raw, message, re.compile(f"{edge}(?:{words}){edge}", flags))
    words = "|".join(f"({_spaced(word)})" for word in fields["swap"])
    pattern = re.compile(f"{edge}(?:{words}){edge}", flags)
    return Substitution(name, raw, message, pattern, tuple(fields["swap"].values()))


def _spaced(word: str) -> str:
    """Let a blank match a line break too."""
    return word.replace(" ", r"\s+")
