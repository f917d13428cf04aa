"""Reads numbers as people and programs write them, without guessing.

A decimal comma, a percent sign, ``3.0`` for a whole number and ``TRUE`` are accepted; an
ambiguous number (``1,234``) is an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError

LARGEST = 2.0**53
"""Largest number up to which all whole numbers are exact in double precision."""
MISSING = frozenset({"", "na", "nan", "n/a", "null", "none", "#n/a", "."})
"""Words for a missing value in a column of numbers; in a column of names they are names."""
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d+(,\d*)?|,\d+)([eE][+-]?\d+)?")
_TWO_WAYS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_GROUPS = re.compile("(?<=\\d)[\u00a0\u202f\u2009' ](?=\\d{3})")
_WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y"), 1.0),
    **dict.fromkeys(("false", "f", "no", "n"), 0.0),
}
_COUNTED = {
    **{"zero": 0.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0},
    **{"six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0},
}


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers.

    Parameters
    ----------
    values
        (rows,) numbers; NaN if the entry is empty or a word for a missing value.
    percent
        (rows,) whether the entry had a percent sign; its value is not divided by 100.
    """

    values: Array
    percent: np.ndarray


class NotANumberError(ValueError):
    """An entry that is not a number; ``row`` counts from zero, ``why`` is the end of a sentence."""

    def __init__(self, row: int, why: str) -> None:
        super().__init__(why)
        self.row, self.why = row, why


def decimal_commas(columns: Sequence[Sequence[str]], separator: str) -> bool:
    """Whether numeric columns use a decimal comma.

    If fields are separated by commas, only quoted entries can contain one. These are judged
    individually: ``0,5`` is a half, but ``read_numbers`` rejects ``1,234``.
    """
    entries = [entry for column in columns for entry in column if "," in entry]
    if not entries:
        return False
    if separator != ",":
        return True
    return not any(_TWO_WAYS.fullmatch(entry) for entry in entries)


def read_numbers(entries: Sequence[str], *, comma: bool = False, words: bool = False) -> Numbers:
    """A column of text as numbers.

    Parameters
    ----------
    entries
        The column.
    comma
        Whether a comma is the decimal sign; a point is then an error.
    words
        Whether TRUE, FALSE, yes and no are one and zero.

    Returns
    -------
    Numbers
        The numbers, NaN if missing.

    Raises
    ------
    NotANumberError
        At the first entry that is not a number, is ambiguous, or is too large to be exact.
    """
    values, percent = np.empty(len(entries)), np.zeros(len(entries), dtype=bool)
    for row, entry in enumerate(entries):
        text = _GROUPS.sub("", entry.strip())
        percent[row] = text.endswith("%")
        values[row] = _number(row, text.removesuffix("%").rstrip(), comma, words)
    return Numbers(values, percent)


def _number(row: int, text: str, comma: bool, words: bool) -> float:
    lowered = text.lower()
    if lowered in MISSING:
        return math.nan
    if words and lowered in _WORDS:
        return _WORDS[lowered]
    if "," in text and not comma:
        raise NotANumberError(row, "which is ambiguous")
    if not (_COMMA if comma else _PLAIN).fullmatch(text):
        mixed = comma and "." in text and "," not in text
        raise NotANumberError(
            row, "with a decimal point although others have a comma" if mixed else ""
        )
    value = float(text.replace(",", "."))
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise NotANumberError(row, f"above {LARGEST:.0f}, where counts are not exact")
    return value


_LEADING = re.compile(r"^\s*([+-]?\d+(?:[.,]0*)?)\s*[A-Za-z♥❤★*]*\s*$")
_TRAILING = re.compile(r"^\s*[A-Za-z_.\- ]+?[_.\- ]?(\d+)\s*$")


def read_levels(entries: Sequence[str]) -> np.ndarray:
    """Levels of a scale as whole numbers: ``2``, ``2.0``, ``2 hearts``, ``heart_2``, ``two``.

    Raises
    ------
    NotANumberError
        At the first entry that has no whole number, or is empty.
    """
    return np.array([_level(row, entry.strip()) for row, entry in enumerate(entries)], dtype=int)


def _level(row: int, text: str) -> int:
    first = text.lower().split()[0] if text else ""
    if first in _COUNTED:
        return int(_COUNTED[first])
    found = _LEADING.match(text) or _TRAILING.match(text)
    if found is None:
        raise NotANumberError(row, "")
    return int(re.split("[.,]", found.group(1))[0])


def number_error(
    fault: NotANumberError,
    entries: Sequence[str],
    expected: str,
    *,
    where: str | Path,
    line: int,
    column: str,
) -> WolvesError:
    """The user's error: what was expected, what was found, and where."""
    tail = f", {fault.why}" if fault.why else ""
    return WolvesError(
        f"expected {expected}, found {entries[fault.row]!r}{tail}",
        where=where,
        line=line,
        column=column,
        fix="correct the entry; write numbers as 1234 or 0.5, without thousands separators",
    )
