"""The move that a message makes in words: an amount, an acceptance, a walk, or talk."""

from __future__ import annotations

import re
from collections.abc import Sequence

from many_wolves.families.bargaining.moves import (
    COMPUTED,
    CROSSED,
    OTHER_GOODS,
    REVERSED,
    SELLER,
    Move,
    Role,
    better,
    same,
)
from many_wolves.families.bargaining.reading import move_cues, price_cues
from many_wolves.families.bargaining.reading.acceptance import takes
from many_wolves.families.bargaining.reading.prices import (
    Named,
    Situation,
    added,
    are_alternatives,
    asked_off,
    clause,
    is_question,
    own_prices,
    taken_off,
)
from many_wolves.families.bargaining.reading.text import sentences


def read_words(text: str, situation: Situation) -> Move | None:
    """The one move that a message makes; None if it is not clear which.

    Parameters
    ----------
    text
        What the speaker says itself, cleaned.
    situation
        Roles and standing prices.
    """
    move = _read(text, situation)
    return None if move is None else _in_role(text, situation, move)


def is_beyond(move: Move, situation: Situation) -> bool:
    """Whether an offer is better for the other side than what it asks for, or the same."""
    return (
        move.kind == "offer"
        and move.price is not None
        and situation.other is not None
        and OTHER_GOODS not in move.flags
        and not better(situation.role, move.price, situation.other)
    )


def _read(text: str, situation: Situation) -> Move | None:
    """The move, whatever role its words belong to."""
    named = own_prices(text, situation)
    news = [price for price in named if not same(price.price, situation.other)]
    accepts = None if situation.other is None else _accepts(text)
    if accepts is not None:
        return _accepted(text, situation, news, accepts)
    if news:
        return _offer(text, news)
    if named:
        return _standing_named(text, named[-1])
    if _walks(text):
        return Move("walk")
    if situation.other is not None and situation.asked and _may_accept(text, situation.other):
        return _acceptance(text, 0)
    return _computed(text, situation)


def _accepted(text: str, situation: Situation, news: Sequence[Named], at: int) -> Move:
    """A message with a cue of acceptance: a deal, or an offer of other terms."""
    if not news or situation.other is None:
        return _acceptance(text, at)
    last = news[-1]
    if better(situation.role, last.price, situation.other) or _extras_near(text, last.start):
        return _offer(text, news)
    return Move("accept", flags=(CROSSED, *_extras_near(text, at)))


def _acceptance(text: str, at: int) -> Move:
    """An acceptance; where the same sentence asks for extras, it is none."""
    if _extras_near(text, at):
        return Move("talk", flags=(OTHER_GOODS,))
    return Move("accept", flags=_extras(text))


def _standing_named(text: str, price: Named) -> Move:
    """A message that names the other side's standing price alone: taken, or asked about."""
    before, after = clause(text, price.start, price.end)
    if move_cues.DECLINES.search(f"{before}{text[price.start : price.end]}{after}"):
        return Move("talk", flags=_extras(text))
    if not takes(text, before, after):
        return Move("talk", flags=_extras(text))
    proposed = move_cues.PROPOSES.search(before)
    if is_question(text, price.end) and not proposed:
        reply = text[price.end :].partition("?")[2]
        if move_cues.YES.match(reply) and not move_cues.THANKS.match(reply):
            return _acceptance(text, price.start)
        return Move("talk", flags=_extras(text))
    return _acceptance(text, price.start)


def _offer(text: str, news: Sequence[Named]) -> Move:
    """An offer of the last price named."""
    last = news[-1]
    goods = (OTHER_GOODS,) if are_alternatives(text, news) else _extras_near(text, last.start)
    return Move("offer", last.price, tuple(dict.fromkeys((*last.flags, *goods))))


def _accepts(text: str) -> int | None:
    """Where a message accepts; None where it does not."""
    for match in move_cues.ACCEPTS.finditer(text):
        before, after = _sentence(text, match)
        if move_cues.NOT_ACCEPTED.search(before) or is_question(text, match.end()):
            continue
        if not move_cues.CONDITION.search(after):
            return match.start()
    return None


def _may_accept(text: str, standing: float) -> bool:
    """Whether a message agrees, and nothing in it speaks against; not to another price."""
    if move_cues.YES.match(text):
        return not move_cues.THANKS.match(text) and not text.endswith("?")
    match = move_cues.MAY_ACCEPT.search(text)
    if match is None or "?" in text or move_cues.CONDITION.search(text):
        return False
    figure = re.match(r"\$?(\d+(?:\.\d+)?)", match[0])
    if figure and not same(float(figure[1]), standing):
        return False
    before, _ = _sentence(text, match)
    return not (move_cues.REJECTS.search(text) or move_cues.NOT_ACCEPTED.search(before))


def _walks(text: str) -> bool:
    """Whether a message leaves: no threat, no condition, no question."""
    for match in move_cues.WALKS.finditer(text):
        before, after = _sentence(text, match)
        threat = move_cues.NOT_WALKED.search(before) or move_cues.CONDITION.search(after)
        if not threat and not is_question(text, match.end()):
            return True
    return False


def _sentence(text: str, match: re.Match[str]) -> tuple[str, str]:
    """The rest of a match's sentence, before and after it."""
    before = re.split(r"[.!?\n]", text[: match.start()])[-1]
    return before, re.split(r"[.!?\n]", text[match.end() :])[0]


def _computed(text: str, situation: Situation) -> Move | None:
    """A price that follows from the standing ones, or talk; None if it is not clear from which."""
    halfway = price_cues.HALFWAY.search(text)
    own, other = situation.own, situation.other
    if halfway and own is not None and other is not None:
        before = text[: halfway.start()].rsplit(".", 1)[-1]
        if not price_cues.NEGATED.search(before):
            extras = _extras_near(text, halfway.start())
            return Move("offer", (own + other) / 2, (COMPUTED, *extras))
    bid = _bid(text, situation)
    if bid is not None:
        return Move("offer", bid, (COMPUTED,))
    off = taken_off(text, situation, own) if own is not None and situation.role == SELLER else None
    if off is None:
        relative = price_cues.RELATIVE.search(text) or price_cues.ADDED_TO_OTHERS.search(text)
        if relative and not price_cues.NEGATED.search(text[: relative.start()].rsplit(".", 1)[-1]):
            return None
        return Move("talk", flags=_extras(text))
    moved = situation.first is not None and not same(own, situation.first)
    return None if moved else Move("offer", off, (COMPUTED,))


def _bid(text: str, situation: Situation) -> float | None:
    """The price that a buyer names by a change: so much more, or so much off the other's."""
    own, other = situation.own, situation.other
    if situation.role == SELLER:
        return None
    bid = None if own is None else added(text, situation, own)
    return asked_off(text, situation, other) if bid is None and other is not None else bid


def _extras(text: str) -> tuple[str, ...]:
    """``other_goods`` where any sentence speaks of extras."""
    return (OTHER_GOODS,) if any(_has_extras(part) for part in sentences(text)) else ()


def _extras_near(text: str, at: int) -> tuple[str, ...]:
    """``other_goods`` where the sentence at a place speaks of extras."""
    start = max((match.end() for match in re.finditer(r"[.!?\n]\s", text[:at])), default=0)
    end = re.search(r"[.!?\n](?=\s|$)", text[at:])
    sentence = text[start : at + end.start()] if end else text[start:]
    return (OTHER_GOODS,) if _has_extras(sentence) else ()


def _has_extras(sentence: str) -> bool:
    match = move_cues.EXTRAS.search(sentence)
    return match is not None and not move_cues.EXTRAS_DECLINED.search(sentence[: match.start()])


def _in_role(text: str, situation: Situation, move: Move) -> Move:
    """The move, marked where the speaker took the other role or offered beyond the other."""
    if is_beyond(move, situation):
        if situation.asked and move_cues.AGREES.search(text) and "?" not in text:
            return Move("accept", flags=(*move.flags, CROSSED))
        return Move("talk", flags=(*move.flags, REVERSED))
    if _speaks_as_other(text, situation.role):
        return Move(move.kind, move.price, (*move.flags, REVERSED))
    return move


def _speaks_as_other(text: str, role: Role) -> bool:
    """Whether a message says of itself what only the other role says."""
    pattern = move_cues.BUYER_WORDS if role == SELLER else move_cues.SELLER_WORDS
    return any(
        not move_cues.ASKED.search(text[: match.start()]) for match in pattern.finditer(text)
    )
