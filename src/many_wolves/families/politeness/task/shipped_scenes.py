"""Paths of the shipped items, scales, utterances and templates; imports little."""

from __future__ import annotations

from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.files import shipped
from many_wolves.sources import nearest

SOURCES = "task-data/politeness"
"""Folder of the shipped items, scales, utterances and templates."""


def sources_of(language: str) -> Path:
    """Folder of the shipped scenes in a language.

    Raises
    ------
    WolvesError
        If none ship in it.
    """
    folder = shipped(SOURCES)
    known = ["en", *sorted(place.parent.name for place in folder.glob("*/items.yaml"))]
    if language not in known:
        raise WolvesError(
            f"no scenes ship in the language {language!r}",
            fix=f"{nearest(language, known)}; or give your own folder with --sources",
        )
    return folder if language == "en" else folder / language
