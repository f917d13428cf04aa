"""Options of engines, parsed from text."""

from __future__ import annotations

from collections.abc import Mapping

from many_wolves.errors import WolvesError


def read_number(options: Mapping[str, str], name: str, default: float) -> float:
    """A positive number among options.

    Raises
    ------
    WolvesError
        If it is none.
    """
    words = options.get(name)
    if words is None:
        return default
    try:
        value = float(words)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise WolvesError(
            f"{name}: expected a positive number, found {words!r}",
            fix=f"--engine_option {name}={default:g}",
        )
    return value
