"""Folder names of speakers: readable, and unique on disks that ignore case too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from many_wolves.files import file_name, fingerprint

_LONGEST = 100
_KEPT = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.I)
"""Names that Windows reserves for devices."""


def folder_names(names: Sequence[str]) -> list[str]:
    """A readable and unique folder name for each speaker.

    Long names get a fingerprint as a suffix, and so do names that Windows reserves. Names that
    would give the same folder, or an empty one, get it as well. If a name comes again, its
    folders are numbered.
    """
    words = [file_name(name).strip(".") for name in names]
    alike = Counter(word.lower() for word in words)
    plain = [
        0 < len(word) <= _LONGEST and alike[word.lower()] == 1 and not _KEPT.fullmatch(word)
        for word in words
    ]
    made = [
        word if good else f"{word[:_LONGEST] or 'speaker'}-{fingerprint(name, 12)}"
        for name, word, good in zip(names, words, plain, strict=True)
    ]
    return [
        f"{name}-{made[:at].count(name) + 1}" if name in made[:at] else name
        for at, name in enumerate(made)
    ]
