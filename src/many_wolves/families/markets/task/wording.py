"""The wording file: what players read, with the shipped English one as the measure of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.families.markets.rules.words import Wording
from many_wolves.files import shipped
from many_wolves.sources import read_mapping

ENGLISH = "task-data/markets/wording.en.yaml"


def read_wording(path: Path | None = None) -> Wording:
    """A wording file; the shipped English one without a path.

    Raises
    ------
    WolvesError
        If the YAML is invalid, or its entries differ from those of the English file.
    """
    english = _english()
    if path is None:
        return english
    wording = read_mapping(path)
    found, expected = set(_entries(wording)), set(_entries(english))
    if found != expected:
        missing = ", ".join(sorted(expected - found)) or "none"
        unknown = ", ".join(sorted(found - expected)) or "none"
        raise WolvesError(
            f"{path}: missing entries: {missing}; unknown entries: {unknown}",
            fix=f"compare it with {shipped(ENGLISH)}",
        )
    return wording


@cache
def _english() -> Wording:
    return read_mapping(shipped(ENGLISH))


def _entries(value: Any, path: str = "") -> Iterator[str]:
    """Dotted names of all entries."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _entries(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path
