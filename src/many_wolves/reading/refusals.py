"""Detects texts that decline to answer."""

from __future__ import annotations

import re

_DECLINES = re.compile(
    r"\bi(?: am|'m)? (?:(?:can(?: ?not|'?t)|will not|won'?t|would not|wouldn'?t|do not|don'?t"
    r"|must|have to|would rather|prefer) "
    r"(?:be able|help|assist|answer|choose|pick|say|provide|make|comply|respond|give|engage"
    r"|participate|take part|decline|not|feel comfortable|continue|do (?:that|this)|have)"
    r"|unable|not able|not comfortable|sorry)"
    r"|\bas an ai\b|\bas a (?:large )?language model\b"
    r"|\bi(?: must| have to)? (?:respectfully |politely )?(?:decline|refuse|apologi[sz]e)\b"
    r"|\bi'?d rather not\b",
    re.I,
)


def declines(text: str) -> bool:
    """Whether a text declines to answer; use this only if nothing could be read."""
    return _DECLINES.search(text.replace("\u2019", "'")) is not None
