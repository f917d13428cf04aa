"""Keys stay out of everything that is written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from urllib.parse import urlsplit

from many_wolves.errors import WolvesError

_ENDS = ("_API_KEY", "_AUTH_TOKEN", "_SECRET_KEY", "HF_TOKEN")
_SHORTEST = 8


def secrets(*more: str) -> tuple[str, ...]:
    """Keys in the environment and those given, the longest first."""
    found = {value for name, value in os.environ.items() if name.endswith(_ENDS)} | set(more)
    return tuple(sorted((s for s in found if len(s) >= _SHORTEST), key=len, reverse=True))


def redact(text: str, keys: Iterable[str]) -> str:
    """``text`` with every key replaced by ``[key]``."""
    for key in keys:
        text = text.replace(key, "[key]")
    return text


def check_base_url(url: str) -> None:
    """Refuse a server address that is none, or carries credentials.

    Raises
    ------
    WolvesError
        With the mend.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WolvesError(
            f"expected an address such as http://localhost:8000/v1, found {url!r}",
            mend="--base_url http://HOST:PORT/v1",
        )
    if parts.username or parts.password or "key=" in parts.query:
        raise WolvesError(
            "the address of the server carries credentials, which would be stored",
            mend="take them out of --base_url and set the key in the environment",
        )
