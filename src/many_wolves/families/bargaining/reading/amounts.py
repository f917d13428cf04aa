"""Amounts of money in a text: figures and number words, with or without a currency."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_BELOW_TWENTY = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
fifteen sixteen seventeen eighteen nineteen
"""
_ABOVE = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS = {word: n for n, word in enumerate(_BELOW_TWENTY.split())}
_TENS = {word: 10 * n for n, word in enumerate(_ABOVE.split(), start=2)}
_SCALES = {"hundred": 100, "thousand": 1000, "grand": 1000, "k": 1000}
_WORD = "|".join([*_UNITS, *_TENS, "hundred", "thousand", "grand"])
_SPOKEN = re.compile(
    rf"(?<!\d[ -])\b(?:(?:a|an)[ -](?=hundred|thousand|grand))?(?:{_WORD})"
    rf"(?:(?:[ -]and)?[ -](?:{_WORD}|k|a[ -]half))*\b",
    re.I,
)
_BEFORE = r"(?:us\$|ca\$|au\$|\$|€|£|¥|₹|\b(?:usd|eur|gbp|cad|aud|rs\.?)\s?)\s?"
_AFTER = r"(?:\s?(?:\$|€|£|¥)|\s?(?:dollars?|bucks?|usd|euros?|eur|quid|gbp)\b)"
_POUNDS = r"(?:\s?(?:\$|€|£|¥)|\s?(?:pounds?|quid|gbp|euros?|dollars?)\b)"
_FIGURE = {
    ".": r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d+(?:\.\d{1,3}|,\d{2}(?!\d))?|\.\d{2}",
    ",": r"\d{1,3}(?:[.\u00a0']\d{3})+(?:,\d{1,2})?|\d+(?:,\d{1,2}|\.\d{1,2}(?!\d))?",
}
_NOT_MONEY = re.compile(
    r"\s?-?(?:%|per ?cent\b|pence\b|°|\"|''|"
    r"(?:miles?|mi|km|kms|kilomet\w+|gb|tb|mb|ghz|mhz|hz|mp|megapixels?|years?|yrs?|yo|months?|"
    r"weeks?|days?|hours?|hrs?|minutes?|mins?|seconds?|inch(?:es)?|in\.|ft|feet|foot|cm|mm|lbs?|"
    r"kgs?|kilos?|oz|ounces?|sq\w*|square|pounds?|pm|am|o'clock|times|x|"
    r"bed(?:room)?s?|bath(?:room)?s?|br|ba|people|persons?|roommates?|seats?|seater|pieces?|pcs|"
    r"items?|units?|of (?:them|these|those|it)|"
    r"speed|gears?|doors?|cyl\w*|mpg|mph|volts?|watts?|amps?|stars?|owners?|tires?|wheels?|blocks?|"
    r"stor(?:y|ies)|floors?|reviews?|sets?|pairs?|boxes|bags|cents?|"
    r"(?:in|out of) (?:\d+|two|three|four|five|ten)|different|other|more (?:people|offers|things)|"
    r"friends?|guys?|buyers?|sellers?|offers?|kids?|children|customers|games?|"
    r"controllers?|th|st|nd|rd|series|models?|or newer)\b)",
    re.I,
)
_NAMED = re.compile(
    r"(?:\b(?:iphone|galaxy|model|version|windows|ios|size|number|no\.|series|gen|ps|xbox|"
    r"page|apt|unit|room|route|step|option|top|first|last|next|past|every|each|word)|#)\s?$",
    re.I,
)
_CENTS = re.compile(
    rf"\s+(?:and\s+)?(?P<n>\d{{1,2}}|(?:{_WORD})(?:-(?:{_WORD}))?)\s+cents?\b", re.I
)
_REST = re.compile(
    rf"\s+(?:and\s+)?(?P<n>(?:\d hundred )?\d{{2,3}}|"
    rf"(?:\d hundred|{_WORD})(?:(?:[ -]and)?[ -](?:{_WORD}))*)\b(?![.,]\d)",
    re.I,
)
_HALF = re.compile(r"\band a half (?P<scale>hundred|thousand|grand)\b")
_YEAR = re.compile(r"\b(?:in|since|year|from|a|the|this|my|our)\s$", re.I)


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money in a text.

    Parameters
    ----------
    start, end
        Its place.
    value
        How much.
    unit
        Whether it has a currency.
    """

    start: int
    end: int
    value: float
    unit: bool


@dataclass(frozen=True, slots=True)
class Range:
    """How prices are written.

    Parameters
    ----------
    low, high
        Range of prices.
    decimal
        Decimal sign.
    currency
        Symbol of the currency.
    """

    low: float
    high: float
    decimal: str = "."
    currency: str = "$"

    def plausible(self, value: float) -> bool:
        """Whether a bare number can be a price: between .3 and 1.6 of the range."""
        return 0.3 * self.low <= value <= 1.6 * self.high


def amounts(text: str, prices: Range) -> list[Amount]:
    """The amounts of money in a text, from left to right.

    A number counts with a currency, or where it is a plausible price and no unit of
    something else follows.
    """
    text = _without_spaces_in_thousands(text, prices)
    found = [*_figures(text, prices), *_spoken(text, prices)]
    found.sort(key=lambda amount: (amount.start, -amount.end))
    kept: list[Amount] = []
    for amount in found:
        if not kept or amount.start >= kept[-1].end:
            kept.append(amount)
    # Only now: otherwise the end of an implausible amount would be read as a second amount.
    return [amount for amount in kept if amount.unit or prices.plausible(amount.value)]


def _without_spaces_in_thousands(text: str, prices: Range) -> str:
    """``13 500`` as ``13,500`` where only that is a plausible price; the length stays."""
    sign = "," if prices.decimal == "." else "."

    def joined(match: re.Match[str]) -> str:
        whole = float(match[1] + match[2])
        split = prices.plausible(float(match[1])) or prices.plausible(float(match[2]))
        return f"{match[1]}{sign}{match[2]}" if prices.plausible(whole) and not split else match[0]

    return re.sub(r"(?<![\w.,])(\d{1,3})[ \u00a0](\d{3})(?![\w]|[.,]\d{3})", joined, text)


def _figures(text: str, prices: Range) -> list[Amount]:
    found = []
    after = re.compile(_after(prices.currency), re.I)
    for match in _pattern(prices.decimal, prices.currency).finditer(text):
        value = _value(match["figure"], match["scale"] or "", prices)
        unit = bool(match["before"] or match["after"])
        if not unit and _other_thing(text, match, value):
            continue
        if unit and re.match(r"\s?(?:%|per ?cent)", text[match.end() :]):
            continue
        more, end = _rest(text, match.end(), unit, (match["scale"] or "").strip().lower())
        if more and (behind := after.match(text, end)):
            unit, end = True, behind.end()
        found.append(Amount(match.start(), end, value + more, unit))
    return found


def _rest(text: str, end: int, unit: bool, scale: str) -> tuple[float, int]:
    """What follows an amount and belongs to it, and where it ends.

    It is cents, or what is less than the amount's ``scale``: ``7 hundred fifty``.
    """
    if unit and (cents := _CENTS.match(text, end)):
        return _number(cents["n"]) / 100, cents.end()
    rest = _REST.match(text, end) if scale else None
    if rest is None or _NOT_MONEY.match(text, rest.end()):
        return 0.0, end
    value, least = _number(rest["n"]), _SCALES[scale] / 10
    return (value, rest.end()) if least <= value < 10 * least else (0.0, end)


def _number(words: str) -> float:
    """The value of digits, of number words, or of both: ``2 hundred fifty``."""
    if words.isdigit():
        return float(words)
    digit, _, others = words.lower().partition(" hundred")
    if digit.isdigit():
        return 100 * float(digit) + (_number(others.strip()) if others.strip() else 0.0)
    return next(iter(_spoken_values(words.lower())), 0.0)


def _after(currency: str) -> str:
    """What may stand behind a number: pounds are money where prices are in pounds."""
    return _POUNDS if currency == "£" else _AFTER


@lru_cache(maxsize=8)
def _pattern(decimal: str, currency: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?<![\w.,])(?:(?P<before>{_BEFORE})|(?<![\w]))(?P<figure>{_FIGURE[decimal]})"
        rf"(?:(?P<scale>\s?(?:k|thousand|grand|hundred))\b)?(?P<after>{_after(currency)})?"
        r"(?![\d]|[.,]\d|[a-z]*\d)",
        re.I,
    )


def _value(figure: str, scale: str, prices: Range) -> float:
    plain = re.sub(r"[\u00a0']", "", figure)
    if prices.decimal == ",":
        grouped = re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", plain)
        plain = plain.replace(".", "") if grouped else plain
        value = float(plain.replace(",", "."))
    elif re.fullmatch(r"\d+,\d{2}", plain):
        value = float(plain.replace(",", "."))
    else:
        value = float(plain.replace(",", ""))
    thousands = re.fullmatch(r"\d{1,3}\.\d{3}", plain)
    if thousands and prices.plausible(value * 1000) and not prices.plausible(value):
        value *= 1000  # a point between thousands
    return value * _SCALES.get(scale.strip().lower(), 1)


def _other_thing(text: str, match: re.Match[str], value: float) -> bool:
    """Whether a bare number counts or names something that is not money."""
    before, after = text[: match.start()], text[match.end() :]
    if _NOT_MONEY.match(after) or _NAMED.search(before):
        return True
    if re.match(r"[a-z]|\s?[/:]\s?\d|-\w*[a-z]", after, re.I) or re.search(
        r"\d\s?[/:]\s?$", before
    ):
        return True
    is_year = 1950 <= value <= 2035 and value == int(value) and "," not in match["figure"]
    return bool(
        is_year and (_YEAR.search(before) or re.match(r"\s(?:[A-Z][a-z]|[A-Z]{2}|model\b)", after))
    )


def _spoken(text: str, prices: Range) -> list[Amount]:
    found = []
    for match in _SPOKEN.finditer(text):
        unit = re.match(_after(prices.currency), text[match.end() :], re.I)
        for value in _spoken_values(match[0].lower()):
            money = unit is not None or prices.plausible(value)
            if money and (unit or not _NOT_MONEY.match(text[match.end() :])):
                end = match.end() + (unit.end() if unit else 0)
                more, end = _rest(text, end, unit is not None, "")
                found.append(Amount(match.start(), end, value + more, unit is not None))
                break
    return found


def _spoken_values(words: str) -> list[float]:
    """What number words may mean, the usual meaning first: ``twelve fifty`` is 12.5 or 1250."""
    words = words.replace("-", " ")
    half = 0.5 if words.endswith(" and a half") else 0.0
    if scaled := _HALF.search(words):
        half = 0.5 * _SCALES[scaled["scale"]]
    tokens = [w for w in re.split(r"[ -]+", words) if w not in ("a", "an", "and", "half")]
    if tokens == ["one"] or not tokens:
        return []
    groups = _groups(tokens)
    if groups is None:
        return []
    if len(groups) == 1:
        return [groups[0] + half]
    if len(groups) == 2 and groups[0] < 100 and 10 <= groups[1] < 100:
        return [groups[0] + groups[1] / 100, groups[0] * 100 + groups[1]]
    return []


def _groups(tokens: list[str]) -> list[float] | None:
    """Number words as numbers that follow one another: ``twelve fifty`` is 12, 50."""
    groups: list[float] = []
    total = current = 0.0
    last = 0.0  # value of the last word below hundred, 0 after a scale
    began = False
    for token in tokens:
        if token in _SCALES:
            scale = _SCALES[token]
            current = (current or 1.0) * scale
            if scale == 1000:
                total, current = total + current, 0.0
            last, began = 0.0, True
            continue
        value = float(_UNITS.get(token, _TENS.get(token, 0)))
        if not began or last == 0 or (last >= 20 and last % 10 == 0 and value < 10):
            current += value
        else:
            groups.append(total + current)
            total, current = 0.0, value
        last, began = value, True
    groups.append(total + current)
    return groups if all(group > 0 for group in groups) else None
