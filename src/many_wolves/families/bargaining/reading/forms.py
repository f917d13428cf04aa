"""Structured answers: a marked last line, or a JSON object, next to the words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from many_wolves.families.bargaining.moves import COMPUTED, CROSSED, REVERSED, Move, same
from many_wolves.families.bargaining.reading.amounts import Range, amounts
from many_wolves.families.bargaining.reading.prices import Situation
from many_wolves.families.bargaining.reading.words import is_beyond
from many_wolves.reading.objects import every_value

_MARK = re.compile(
    r"^[^\w\n]*(?:my |final |new |next )?(?:move|decision|answer|action)?[^\w\n]*"
    r"(?P<word>offer|counter-?offer|price|bid|deal|accept(?:ed)?|agreed|walk(?:ing)?(?: away)?|"
    r"no (?:offer|move)|talk)\b[ \t]*"
    r"(?P<rest>[:=-][ \t]*[^\n]{0,40}|(?:at |of )?[$€£]?\d[^\n]{0,12}|[.!]?)[ \t]*$",
    re.I | re.M,
)
_DENIED = re.compile(r"\b(?:no|not|none|never|nope|false|if|unless|only|but)\b|n't\b", re.I)
"""Behind the mark of an acceptance: it is none."""
_KINDS = {
    "offer": "offer",
    "counter": "offer",
    "counteroffer": "offer",
    "counter-offer": "offer",
    "propose": "offer",
    "price": "offer",
    "bid": "offer",
    "accept": "accept",
    "accepted": "accept",
    "agree": "accept",
    "agreed": "accept",
    "deal": "accept",
    "walk": "walk",
    "walk away": "walk",
    "walking": "walk",
    "walking away": "walk",
    "walk_away": "walk",
    "leave": "walk",
    "quit": "walk",
    "talk": "talk",
    "none": "talk",
    "message": "talk",
    "reject": "talk",
    "no offer": "talk",
    "no move": "talk",
}
_SAY, _MOVE, _PRICE = (
    ("say", "message", "text"),
    ("move", "action", "decision"),
    ("price", "amount"),
)


@dataclass(frozen=True, slots=True)
class Structured:
    """A structured answer.

    Parameters
    ----------
    move
        The move that it states; None where it states none that makes sense.
    words
        The words around it.
    """

    move: Move | None
    words: str


def marked(text: str, situation: Situation) -> Structured | None:
    """The last marked line of a text and the words before it; None where there is none.

    ``Offer: $15``, ``Deal``, ``Walk away``, ``No offer``.
    """
    found = list(_MARK.finditer(text))
    if not found:
        return None
    last = found[-1]
    kind = _KINDS[re.sub(r"\s+", " ", last["word"].lower())]
    price = _only_price(last["rest"], situation.prices)
    words = (text[: last.start()] + text[last.end() :]).strip()
    if kind == "accept" and _DENIED.search(last["rest"]):
        return Structured(None, words)
    return Structured(_stated(kind, price, situation), words)


def from_json(text: str, situation: Situation) -> Structured | None:
    """The last JSON object of a text that states a move; None where there is none."""
    for record in reversed(objects(text)):
        lower = {str(key).lower(): value for key, value in record.items()}
        word = next((str(lower[k]) for k in _MOVE if lower.get(k) is not None), "")
        kind = _KINDS.get(word.strip().lower())
        said = str(next((lower[k] for k in _SAY if lower.get(k) is not None), ""))
        value = next((lower[k] for k in _PRICE if lower.get(k) is not None), None)
        if kind is not None:
            return Structured(_stated(kind, _as_price(value, situation.prices), situation), said)
    return None


def statement_words(text: str, form: str) -> str:
    """The words around the structured part of an answer; the whole text if it has none."""
    if form == "json":
        for record in reversed(objects(text)):
            lower = {str(key).lower(): value for key, value in record.items()}
            said = next((lower[key] for key in _SAY if lower.get(key) is not None), None)
            if said is not None:
                return str(said).strip()
        return text.strip()
    found = list(_MARK.finditer(text))
    return (text[: found[-1].start()] + text[found[-1].end() :]).strip() if found else text


def agree(stated: Move, words: Move | None, situation: Situation) -> Move | None:
    """The stated move where the words do not say another; else None.

    Words without a move, and words that cannot be read, say nothing against it.
    """
    if words is None or words.kind == "talk":
        flags = () if words is None else words.flags
        return Move(stated.kind, stated.price, _joined(stated.flags, flags))
    if REVERSED in stated.flags and words.kind == "accept":
        return Move("accept", flags=(CROSSED,))
    if stated.kind != words.kind:
        return None
    rounded = COMPUTED in words.flags and stated.price is not None and words.price is not None
    near = rounded and abs(float(stated.price or 0) - float(words.price or 0)) < 1
    if stated.kind == "offer" and not near and not same(stated.price, words.price):
        return None
    return Move(stated.kind, stated.price, _joined(stated.flags, words.flags))


def _joined(one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *two)))


def _stated(kind: str, price: float | None, situation: Situation) -> Move | None:
    """The move of a structured answer; None where move and price do not go together."""
    if kind in ("walk", "talk"):
        return None if price is not None else Move("walk" if kind == "walk" else "talk")
    if price is None and kind == "offer":
        return None
    if price is None or same(price, situation.other):
        return Move("talk" if situation.other is None else "accept")
    move = Move("offer", price)
    if not is_beyond(move, situation):
        return move
    return Move("accept", flags=(CROSSED,)) if kind == "accept" else Move("talk", flags=(REVERSED,))


def _only_price(text: str, prices: Range) -> float | None:
    """The one amount on a marked line, whatever its size."""
    found = amounts(text, Range(0.0, 1e12, prices.decimal, prices.currency))
    return found[0].value if len(found) == 1 else None


def _as_price(value: Any, prices: Range) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if value >= 0 and math.isfinite(value) else None
    return _only_price(str(value), prices) if value is not None else None


def objects(text: str) -> list[Mapping[str, Any]]:
    """The JSON objects in a text, from left to right.

    A brace that does not open a valid object is skipped. A field that is given twice with
    different values holds a list of them: neither a price nor a move.
    """
    found: list[Mapping[str, Any]] = []
    decoder = json.JSONDecoder(object_pairs_hook=every_value)
    at = text.find("{")
    while at >= 0:
        try:
            value, length = decoder.raw_decode(text[at:])
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        if isinstance(value, dict):
            found.append(value)
        at = text.find("{", at + max(length, 1))
    return found
