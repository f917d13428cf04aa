"""A message -> at most one move, by the answer form that was asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from many_wolves.families.bargaining.moves import UNMARKED, Move
from many_wolves.families.bargaining.reading.forms import Structured, agree, from_json, marked
from many_wolves.families.bargaining.reading.move_cues import REFUSES
from many_wolves.families.bargaining.reading.prices import Situation
from many_wolves.families.bargaining.reading.text import clean, own_part
from many_wolves.families.bargaining.reading.words import read_words
from many_wolves.reading.thoughts import without_thoughts

Form = Literal["free", "marked", "json"]
FORMS: tuple[Form, ...] = ("free", "marked", "json")
MessageStatus = Literal["answered", "refused", "empty", "unparsed"]


@dataclass(frozen=True, slots=True)
class Message:
    """What was read of a message.

    Parameters
    ----------
    move
        Its move; None where the status is not ``answered``.
    status
        ``empty`` without words, ``refused`` where the speaker declines the task,
        ``unparsed`` if its move is not clear.
    words
        The words for the other side: without thoughts, and without lines written for the other
        side.
    """

    move: Move | None
    status: MessageStatus
    words: str = ""


def read_message(text: str, situation: Situation, form: Form = "free") -> Message:
    """The move of a message.

    A marked line or a JSON object counts if the words do not contradict it. Without one, the words
    are read, and the move is flagged ``unmarked``.

    Parameters
    ----------
    text
        The message as the speaker wrote it, thoughts included.
    situation
        Roles and standing prices.
    form
        The answer form that was asked for.
    """
    cleaned = clean(text)
    if not re.search(r"\w", cleaned):
        return Message(None, "unparsed" if re.search(r"\w", text) else "empty")
    words = own_part(cleaned, situation.role)
    stated = _statement(text, words, situation, form)
    if stated is not None:
        return _with_statement(stated, situation)
    move = read_words(words, situation) if re.search(r"\w", words) else None
    if move is None or (move.kind == "talk" and REFUSES.search(words)):
        return Message(None, "refused" if REFUSES.search(words) else "unparsed", words)
    if form != "free":
        move = Move(move.kind, move.price, (*move.flags, UNMARKED))
    return Message(move, "answered", words)


def _statement(text: str, words: str, situation: Situation, form: Form) -> Structured | None:
    """The structured part of a message in the form that was asked for, if it has one."""
    if form == "json":
        return from_json(without_thoughts(text), situation)
    return marked(words, situation) if form == "marked" else None


def _with_statement(stated: Structured, situation: Situation) -> Message:
    """A structured answer, compared with its words."""
    if stated.move is None:
        return Message(None, "unparsed", stated.words)
    said = own_part(clean(stated.words), situation.role)
    words = read_words(said, situation) if re.search(r"\w", said) else None
    if words is not None and words.kind == "talk" and REFUSES.search(said):
        return Message(None, "refused", said)
    move = agree(stated.move, words, situation)
    return Message(move, "unparsed" if move is None else "answered", said)
