"""The family's reader: messages, probes, advice and verdicts, each by its question."""

from __future__ import annotations

from many_wolves.contracts import Reading
from many_wolves.families.bargaining.reading.amounts import Range
from many_wolves.families.bargaining.reading.message import Form, read_message
from many_wolves.families.bargaining.reading.prices import Situation
from many_wolves.families.bargaining.reading.values import to_value, verdict_value
from many_wolves.reading import read as read_plain
from many_wolves.reading.refusals import declines
from many_wolves.records import Cell, Question


def read(question: Question, text: str) -> Reading:
    """What a text answers, given where its game stands.

    Returns
    -------
    Reading
        Of a message ``{"move": ..., "price": ..., "flags": [...]}``; of a probe the id of an
        option; of a moderator ``{"state": ..., "price": ..., "closed_by": ...}``; of advice no
        value: all of it counts.
    """
    kind = question.cell.get("kind", "message")
    if question.options:
        return read_plain(question, text)
    if kind == "critic":
        return Reading(None, read_plain(question, text).status)
    if kind == "moderator":
        verdict = verdict_value(text)
        if verdict is not None:
            return Reading(verdict, "answered")
        status = read_plain(question, text).status
        return Reading(None, "refused" if declines(text) else "empty" if status == "empty" else
                       "unparsed")  # fmt: skip
    message = read_message(text, situation(question.cell), _form(question.cell))
    value = None if message.move is None else to_value(message.move)
    return Reading(value, message.status)


def situation(cell: Cell) -> Situation:
    """What the reader must know, from the cell of a message."""
    prices = [_number(cell[name]) for name in ("ask", "bid", "cost", "value", "standing")]
    known = [price for price in prices if price is not None]
    return Situation(
        role="seller" if cell["asked_role"] == "seller" else "buyer",
        own=_number(cell["own_before"]),
        other=_number(cell["standing"]),
        prices=Range(min(known), max(known), str(cell["decimal"]), str(cell["currency"])),
        asked=cell["heard"] == "offer",
        first=_number(cell["own_first"]),
    )


def _form(cell: Cell) -> Form:
    form = str(cell["form"])
    return "json" if form == "json" else "marked" if form == "marked" else "free"


def _number(entry: str | int | float) -> float | None:
    return None if entry == "" else float(entry)
