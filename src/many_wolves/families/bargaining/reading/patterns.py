"""How the reader's turns of phrase are put together."""

from __future__ import annotations

import re

NOT = (
    r"\b(?:can(?: ?no|'?n?)?'?t|couldn'?t|could not|won'?t|will not|wouldn'?t|would not|don'?t|"
    r"do not|doesn'?t|does not|isn'?t|is not|am not|'m not|unable to|not able to|not|never|nor|"
    r"neither|refuse to|no way|impossible(?: for me)? to|hard to|"
    r"(?:be|am|'m|is|are) (?:an? )?(?:\w+ )?(?:crazy|mad|insane|nuts|fool|foolish|stupid|silly|"
    r"idiot|mistake|unwise|absurd|ridiculous|irrational|unreasonable|reluctant|hesitant|"
    r"tempted) to|"
    r"too (?:hard|difficult) (?:for me )?to)\b"
)
"""A negation."""
WITHIN = r"[^.,;:!?\n]"
"""A character within a clause."""
FILLER = (
    r"(?:(?:a|the|for|just|only|about|around|approximately|roughly|like|say|maybe|even|actually|"
    r"something|at|somewhere|near|closer? to|price of|total of|sum of|full|good|great|whole|"
    r"least|most|cool|measly|mere|ok|okay|exactly|be|is|my|cash)\s+)*"
)
"""Filler words that may separate a cue from its amount."""


def any_of(*phrases: str) -> str:
    """A pattern that matches any of the phrases."""
    return "(?:" + "|".join(phrases) + ")"


def compiled(*phrases: str) -> re.Pattern[str]:
    """A pattern that matches any of the phrases, in whatever letters."""
    return re.compile(any_of(*phrases), re.I)


def left_of_amount(*phrases: str) -> re.Pattern[str]:
    """A pattern of what stands left of an amount, filler between the two."""
    return re.compile(rf"{any_of(*phrases)}\s+{FILLER}$", re.I)


def right_of_amount(*phrases: str) -> re.Pattern[str]:
    """A pattern of what stands right of an amount."""
    return re.compile(rf"^\s*{any_of(*phrases)}", re.I)
