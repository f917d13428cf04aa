"""Settings that a provider's packages are known to accept.

To find out, these packages are imported, which takes ten seconds. A plan or a dry run asks
nobody, so it finds out once for each version of the packages.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.files import fingerprint
from many_wolves.records import SpeakerSpec
from many_wolves.user_cache import cache_folder

PACKAGES = ("many-wolves", "inspect-ai", "anthropic", "openai", "google-genai")


def is_accepted(spec: SpeakerSpec) -> bool:
    """Whether these settings were accepted before, under the same versions of the packages."""
    with suppress(WolvesError, OSError):
        return _mark(spec).is_file()
    return False


def remember_accepted(spec: SpeakerSpec) -> None:
    """Keep that they were accepted; where the cache cannot be written, nothing is kept."""
    with suppress(WolvesError, OSError):
        mark = _mark(spec)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def _mark(spec: SpeakerSpec) -> Path:
    """An empty file in the cache, whose name stands for the settings and the versions."""
    return cache_folder("accepted") / fingerprint([spec.canonical, *map(_version, PACKAGES)])


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
