"""Moves and verdicts as the values of responses, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from many_wolves.families.bargaining.moves import KINDS, Move
from many_wolves.families.bargaining.reading.forms import objects, statement_words
from many_wolves.families.bargaining.reading.message import Form
from many_wolves.families.bargaining.reading.text import clean, own_part
from many_wolves.reading.thoughts import without_thoughts

STATES = ("deal", "left", "open")


def to_value(move: Move) -> dict[str, Any]:
    """A move as the value of a response: ``{"move": "offer", "price": 15.0}``."""
    value: dict[str, Any] = {"move": move.kind}
    if move.price is not None:
        value["price"] = move.price
    return value | ({"flags": list(move.flags)} if move.flags else {})


def from_value(value: Any) -> Move | None:
    """The move in the value of a response; None where there is none.

    The id of an option is an amount, or the name of a move.
    """
    if isinstance(value, Mapping):
        price = value.get("price")
        return Move(
            value["move"], None if price is None else float(price), tuple(value.get("flags", ()))
        )
    if isinstance(value, str) and value in KINDS:
        return Move(value)
    return None if value is None else Move("offer", float(value))


def spoken(text: str, role: str, form: Form) -> str:
    """What the other side hears of a message: its words, without marked line or JSON."""
    words = own_part(clean(text), role)
    if form == "free":
        return words
    return statement_words(without_thoughts(text) if form == "json" else words, form)


def verdict_value(text: str) -> dict[str, Any] | None:
    """Where a moderator says that a game stands; None where that cannot be read.

    Returns
    -------
    dict
        ``state`` (deal, left, open), ``price`` and ``closed_by`` where they are named.
    """
    plain = without_thoughts(text)
    for record in reversed(objects(plain)):
        state = str(record.get("state", "")).strip().lower()
        if state in STATES:
            return {"state": state} | _details(record)
    word = re.fullmatch(r"\W*(deal|left|open)\W*", plain, re.I)
    return {"state": word[1].lower()} if word else None


def _details(record: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    price = record.get("price")
    if isinstance(price, int | float) and not isinstance(price, bool):
        found["price"] = float(price)
    elif isinstance(price, str) and (match := re.search(r"\d+(?:\.\d+)?", price.replace(",", ""))):
        found["price"] = float(match[0])
    by = str(record.get("closed_by", "")).strip().lower()
    return found | ({"closed_by": by} if by in ("seller", "buyer") else {})
