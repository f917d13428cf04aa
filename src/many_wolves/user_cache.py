"""The folder of the user's cache: compiled programs, and what need not be found out again."""

from __future__ import annotations

import os
from pathlib import Path

from many_wolves.errors import WolvesError

ELSEWHERE = (
    "set MANY_WOLVES_CACHE to a folder that you can write to, or have the owner of the shared "
    "one fit the model once"
)


def cache_folder(name: str) -> Path:
    """A folder of the cache: in ``MANY_WOLVES_CACHE``, or in the user's cache folder.

    It need not exist or be writable: compiled programs in a read-only cache can still be used.

    Raises
    ------
    WolvesError
        If the user has no home folder.
    """
    named = os.environ.get("MANY_WOLVES_CACHE")
    if named:
        return Path(named) / name
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError as fault:
        raise WolvesError(
            f"expected a home folder for the cache, found none: {fault}", fix=ELSEWHERE
        ) from fault
    return Path(home) / "many-wolves" / name
