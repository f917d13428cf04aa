"""Which amounts of a message the speaker offers itself, and which it only mentions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from many_wolves.families.bargaining.moves import RANGE, SELLER, Role
from many_wolves.families.bargaining.reading import price_cues
from many_wolves.families.bargaining.reading.amounts import Amount, Range, amounts

_STOP = re.compile(r"[!?;\n]|\.(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Situation:
    """The state of the game that a reader needs to read a message.

    Parameters
    ----------
    role
        Who speaks.
    own, other
        Standing prices of the speaker and of the other side; None where there is none.
    prices
        How prices are written, and the range of plausible ones.
    asked
        Whether the other side's last message named its price: only then can a mere yes
        be an acceptance.
    first
        The speaker's first price. Where it has moved since, "10 % off" is ambiguous.
    """

    role: Role
    own: float | None
    other: float | None
    prices: Range
    asked: bool = True
    first: float | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A price that the speaker names as its own: where it stands, and its flags."""

    start: int
    end: int
    price: float
    flags: tuple[str, ...] = ()


def own_prices(text: str, situation: Situation) -> list[Named]:
    """The prices that the speaker names as its own, in order; a range counts once."""
    own = _own(text, amounts(text, situation.prices), situation)
    named: list[Named] = []
    skip = False
    for one, two in pairwise([*own, None]):
        if one is None or skip:
            skip = False
        elif two is not None and _is_range(text, one, two):
            ends = sorted((one.value, two.value))
            worse = ends[0] if situation.role == SELLER else ends[1]
            named.append(Named(one.start, two.end, worse, (RANGE,)))
            skip = True
        else:
            named.append(Named(one.start, one.end, one.value))
    return named


def clause(text: str, start: int, end: int) -> tuple[str, str]:
    """The text before and after a place within its sentence."""
    before = text[:start]
    at = max((match.end() for match in _STOP.finditer(before)), default=0)
    rest = text[end:]
    stop = _STOP.search(rest)
    return before[at:], rest[: stop.start()] if stop else rest


def is_question(text: str, at: int) -> bool:
    """Whether the sentence that holds a place ends in a question mark."""
    end = re.search(r"[.!?\n]+(?=\s|$|\")", text[at:])
    return end is not None and "?" in end[0]


def taken_off(text: str, situation: Situation, own: float) -> float | None:
    """The seller's standing price less the discount that a message grants; None without one."""
    percent = price_cues.PERCENT_OFF.search(text)
    if percent and not price_cues.NEGATED.search(text[: percent.start()]):
        return round(own * (1 - float(percent["n"]) / 100), 2)
    for amount in amounts(text, _any_size(situation.prices)):
        before, after = clause(text, amount.start, amount.end)
        down = re.search(r"\b(?:drop|come down|go down)\b", before, re.I)
        off = (
            price_cues.OFF_AFTER.match(after)
            or price_cues.OFF_BEFORE.search(before)
            or (down and _is_change(before, amount, situation))
        )
        less = amount.unit and amount.value < own
        if less and off and not price_cues.NEGATED.search(before):
            return round(own - amount.value, 2)
    return None


def added(text: str, situation: Situation, own: float) -> float | None:
    """The speaker's standing price plus the amount that the buyer adds; None without one."""
    for amount in amounts(text, _any_size(situation.prices)):
        before, _ = clause(text, amount.start, amount.end)
        changes = amount.unit and _is_change(before, amount, situation)
        raises = price_cues.RAISES.search(before)
        if changes and raises and not price_cues.NEGATED.search(before):
            return round(own + amount.value, 2)
    return None


def asked_off(text: str, situation: Situation, other: float) -> float | None:
    """The other side's price less the discount that a buyer asks for; None without one."""
    for amount in amounts(text, _any_size(situation.prices)):
        before, after = clause(text, amount.start, amount.end)
        less = amount.unit and amount.value < other
        asks = price_cues.ASKS_OFF.search(before) and price_cues.OFF_AFTER.match(after)
        if less and asks and not is_question(text, amount.end):
            return round(other - amount.value, 2)
    return None


def _any_size(prices: Range) -> Range:
    """The same way of writing, for amounts that may be too small for a price."""
    return Range(0.01, prices.high, prices.decimal, prices.currency)


def _is_change(before: str, amount: Amount, situation: Situation) -> bool:
    """Whether an amount is by how much a price changes."""
    if price_cues.CHANGE_BEFORE.search(before):
        return True
    small = amount.value < 0.3 * situation.prices.low
    return small and price_cues.SMALL_CHANGE_BEFORE.search(before) is not None


def are_alternatives(text: str, named: Sequence[Named]) -> bool:
    """Whether the last two prices are for different things: picked up, and delivered."""
    if len(named) < 2:
        return False
    one, two = named[-2:]
    between = text[one.end : two.start]
    return bool(
        price_cues.WITH_CONDITION.match(between)
        and not re.search(r"[.!?\n]", between)
        and price_cues.WITH_CONDITION.match(text[two.end :])
    )


def _own(text: str, found: Sequence[Amount], situation: Situation) -> list[Amount]:
    """The speaker's own among the amounts; what is joined to a mention is one too."""
    own: list[Amount] = []
    last: Amount | None = None
    for amount in found:
        joined = last is not None and price_cues.MENTION_JOINT.match(text[last.end : amount.start])
        inherits = joined and (not own or own[-1] is not last)
        if not inherits and _is_own(text, amount, situation):
            own.append(amount)
        last = amount
    return own


def _is_own(text: str, amount: Amount, situation: Situation) -> bool:
    """Whether an amount is what the speaker offers, not what it mentions or rejects."""
    before, after = clause(text, amount.start, amount.end)
    before = before.rstrip("\"'([")
    asked = is_question(text, amount.end) and price_cues.ASKS.search(before)
    echoed = price_cues.ECHOED.match(text[amount.end :])
    if price_cues.MENTION_AFTER.match(after) or asked or echoed:
        return False
    if _is_change(before, amount, situation):
        return False
    if price_cues.LIMIT.search(before) or price_cues.BETWEEN.search(before):
        return True
    if price_cues.OWN_FIRST.search(before) and situation.role == SELLER:
        return True
    return not (_is_mention(before) or _is_rejected(before))


def _is_mention(before: str) -> bool:
    """Whether what stands left of an amount makes it another price than an offer."""
    if price_cues.MENTION_BEFORE.search(before) or price_cues.OFF_BEFORE.search(before):
        return True
    anothers = price_cues.LISTED.search(before) or price_cues.OTHERS.search(before)
    return anothers is not None and not _commits(before[: anothers.start()])


def _commits(before: str) -> bool:
    """Whether the speaker says that it would do it at the price that follows."""
    return bool(price_cues.COMMITS.search(before)) and not price_cues.NEAR.search(before)


def _is_rejected(before: str) -> bool:
    """Whether the speaker says that it does not do it at the price that follows."""
    negated = price_cues.NEGATED.search(before)
    return negated is not None and not price_cues.NEGATION_ENDS.search(negated["between"])


def _is_range(text: str, one: Amount, two: Amount) -> bool:
    between = text[one.end : two.start]
    if not price_cues.RANGE_JOINT.match(between):
        return False
    if between.strip() == "and":
        return bool(price_cues.BETWEEN.search(text[: one.start]))
    return one.value != two.value
