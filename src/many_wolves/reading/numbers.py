"""The number that an answer gives, in figures or in words.

Nothing is guessed. An answer is unparsed if it gives two numbers without declaring one, rejects
its only number, or gives one out of range.
"""

from __future__ import annotations

import re
import unicodedata

from many_wolves.contracts import Reading
from many_wolves.reading.refusals import declines
from many_wolves.reading.thoughts import without_thoughts
from many_wolves.records import Number

_WORDS = {
    **{"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7},
    **{"eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13},
    **{"fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18},
    **{"nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60},
    **{"seventy": 70, "eighty": 80, "ninety": 90},
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_FACTORS = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "": 1.0}

_SIGN = r"(?P<sign>[-+]?)\s?"
_FIGURES = r"(?P<figures>\d{1,3}(?:[,\u2009' ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_NUMBER = re.compile(
    rf"(?<![\w.,/:]){_SIGN}(?:[$€£¥]\s?|(?:USD|EUR|GBP)\s)?{_FIGURES}"
    r"(?:\s?(?P<factor>k|m|thousand|million)\b)?(?![\w/:]|[.,]\d)",
    re.I,
)
_SPELT = re.compile(
    rf"\b(?:(?:an?|{'|'.join([*_WORDS, *_SCALES])})(?:[\s-]+(?:and\s+)?|\b))+", re.I
)
_OUT_OF = re.compile(r"(?<=\d)\s*(?:/|out\s+of)\s*(\d+(?:\.\d+)?)", re.I)
_DECLARED = re.compile(
    r"(?:^|[\s>*\"'(])(?:final\s+|my\s+|the\s+)*"
    r"(?:answer|number|amount|value|price|offer|bid|estimate|guess|choice|decision|rating)"
    r"\s*(?:(?:is|would\s+be|will\s+be|of)\s*:?|[:=\u2013\u2014])\s*(?P<rest>.+)$",
    re.I | re.M,
)
_RANGE = re.compile(r"\s*(?:-|\u2013|\u2014|to|or|and|up\s+to)\s*[$€£¥]?\d", re.I)
"""Text after a number that makes it the beginning of a range."""
_REJECTED = re.compile(
    r"(?:\bnot|\bnever|n't|\bless than|\bmore than|\bat least|\bat most|\bover|\bunder|\bbelow"
    r"|\babove|\bexcept|\binstead of|\brather than)\s+(?:\w+\s+)?$",
    re.I,
)
_BOXED = re.compile(r"\\(?:boxed|text|textbf|mathrm)\s*\{([^{}]*)\}")


def read_number(answer: Number, text: str) -> Reading:
    """Read the number in a text, if it gives exactly one.

    Parameters
    ----------
    answer
        Limits and unit of the number.
    text
        The answer as the speaker wrote it, thoughts included.

    Returns
    -------
    Reading
        ``answered`` with a float, or an int if the number must be whole. ``empty`` without
        words; ``refused`` if no number is given and the speaker declines; ``unparsed``
        otherwise.
    """
    words = _clean(without_thoughts(text), answer)
    if not re.search(r"\w", words):
        return Reading(None, "unparsed" if re.search(r"\w", text) else "empty")
    for found in (_alone(words), _declared(words), _all(words)):
        if found is not None:
            return _checked(answer, found)
    return Reading(None, "refused" if not _all(words) and declines(words) else "unparsed")


def numbers_in(text: str) -> list[float]:
    """Every number in a text: in figures if there are any, otherwise in words."""
    found = [value for value in map(_value, _NUMBER.finditer(text)) if value is not None]
    return found or [n for match in _SPELT.finditer(text) if (n := _spelt(match[0])) is not None]


def _checked(answer: Number, found: set[float]) -> Reading:
    """The only number, if it is valid."""
    if len(found) != 1:
        return Reading(None, "unparsed")
    (number,) = found
    low = answer.low is None or number >= answer.low
    high = answer.high is None or number <= answer.high
    if not (low and high) or (answer.whole and not number.is_integer()):
        return Reading(None, "unparsed")
    return Reading(int(number) if answer.whole else number, "answered")


def _alone(words: str) -> set[float] | None:
    """The number that makes up the whole first or last line; None if there is none."""
    lines = [line for line in words.splitlines() if line.strip()]
    found = {n for line in (lines[0], lines[-1]) if (n := _only(line)) is not None}
    return found or None


def _only(line: str) -> float | None:
    """The number of a line that contains nothing else."""
    plain = line.strip(" \t.,;:!\"'()[]{}`")
    match = _NUMBER.fullmatch(plain)
    if match is not None:
        return _value(match)
    if plain.lower() == "one":
        return 1.0
    return _spelt(plain) if _SPELT.fullmatch(plain) else None


def _declared(words: str) -> set[float] | None:
    """The number in the last declaration; None if nothing is declared."""
    declared = [match["rest"] for match in _DECLARED.finditer(words)]
    if not declared:
        return None
    first = _NUMBER.match(declared[-1])
    if first is not None and not _RANGE.match(declared[-1], first.end()):
        value = _value(first)
        return None if value is None else {value}
    (sentence, *_) = re.split(r"(?<=[.!?;])\s+", declared[-1], maxsplit=1)
    return set(numbers_in(sentence)) or None


def _all(words: str) -> set[float] | None:
    """Every number of a text, unless it rejects one of them."""
    if any(_REJECTED.search(words[: match.start()]) for match in _NUMBER.finditer(words)):
        return None
    return set(numbers_in(words)) or None


def _clean(text: str, answer: Number) -> str:
    """The text with plain characters, without markdown and without the unit."""
    text = unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("\u2019", "'")
    for _ in range(2):
        text = _BOXED.sub(r"\1", text)
    text = re.sub(r"[*_~`\\]+|^\s*#+", "", text, flags=re.M)
    if answer.unit:
        text = re.sub(rf"\s?{re.escape(answer.unit)}(?!\w)", " ", text, flags=re.I)
    text = re.sub(r"(?<=\d)\s?(?:dollars?|euros?|bucks|points?|percent|%)(?!\w)", " ", text)
    if answer.high is not None:
        high = answer.high
        text = _OUT_OF.sub(lambda m: "" if float(m[1]) == high else m[0], text)
    return text.strip()


def _value(match: re.Match[str]) -> float | None:
    figures = re.sub(r"[,\u2009' ]", "", match["figures"])
    if len(figures) > 300:
        return None
    value = float(figures) * _FACTORS[(match["factor"] or "").lower()]
    return -value if match["sign"] == "-" else value


def _spelt(words: str) -> float | None:
    """The value of a number in English words; None for a mere article or pronoun."""
    parts = [w for w in re.split(r"[\s-]+", words.lower().strip()) if w not in ("and", "")]
    if parts in (["a"], ["an"], ["one"]) or not parts:
        return None
    total, group = 0, 0
    for word in parts:
        if word in ("a", "an"):
            group += 1
        elif word in _WORDS:
            group += _WORDS[word]
        elif word == "hundred":
            group = max(group, 1) * 100
        else:
            total, group = total + max(group, 1) * _SCALES[word], 0
    return float(total + group)
