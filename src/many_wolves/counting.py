"""Numbers of things in words."""

from __future__ import annotations


def number_of(n: int, what: str) -> str:
    """A number and its noun: ``1 answer``, ``2 answers``, ``1,200 fits``.

    Parameters
    ----------
    n
        The number.
    what
        The noun in the singular; its plural ends in -s.
    """
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
