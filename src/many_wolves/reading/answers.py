"""Finds the answer in a text, without thoughts and without further questions of the model.

It is used before options are searched, and does not know the options.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from many_wolves.contracts import Reading
from many_wolves.reading.objects import objects_in
from many_wolves.reading.thoughts import without_thoughts

_STRUCK = re.compile(r"~~.+?~~|<(del|s|strike)>.*?</\1>", re.S | re.I)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_TICK = r"^[ \t]*(?:[-*+][ \t]*)?(?:\[[xX\u2713\u2714]\]|[\u2611\u2705\u2714])[ \t]*"
_TICKED = re.compile(_TICK, re.M)
_UNTICKED = re.compile(r"^[ \t]*(?:[-*+][ \t]*)?(?:\[ ?\]|\u2610).*$", re.M)
"""Check boxes of a list: if one is ticked, the others do not count."""
_TAGGED = re.compile(
    r"<(answer|final_answer|response|choice|option|final)>(?P<inner>.*?)</\1>", re.S | re.I
)
_ENDS = re.compile(r"<\|?(?:eot_id|im_end|endoftext|end|end_of_turn|return)\|?>|</?s>|\[/?INST\]")
_NEXT = re.compile(
    r"\n\s*(?:\*\*|#+\s*)?(?:q|question|user|human|bob|example|scenario|prompt)(?:\s*\d+)?"
    r"(?:\*\*)?\s*:",
    re.I,
)
"""The point at which a text continues with a question that was not asked."""
_NAMES = frozenset(
    (
        *("answer", "finalanswer", "youranswer", "choice", "finalchoice", "mychoice", "option"),
        *("selectedoption", "chosenoption", "selection", "selected", "chosen", "response"),
        *("pick", "decision", "label", "letter", "answers", "result", "final"),
    )
)
"""Fields of an object that contain the answer, ignoring case and punctuation."""
_WORDS = frozenset(["text", "sentence", "utterance", "words", "statement"])
"""Fields with the text of the answer next to its letter."""
_STRONG = re.compile(
    r"\b(?:no,?\s+wait|wait,?\s+no|scratch\s+that|strike\s+that|i\s+take\s+(?:that|it)\s+back"
    r"|correction|(?:sorry,?\s+)?i\s+meant|let\s+me\s+(?:reconsider|rephrase|correct|change)"
    r"|hmm+,?\s+no|or\s+(?:rather|better)|i(?:'ve|\s+have)?\s+changed?\s+my\s+(?:mind|answer|choice)"
    r"|my\s+mistake|oops|i\s+retract|never\s*mind|(?:just|only)\s+kidding|forget\s+(?:that|it)"
    r"|disregard\s+(?:that|the\s+above)|(?:let\s+me|i(?:'ll|\s+will))\s+think\s+again)\b"
    r"|(?:^|(?<=[.!?;,(\n]))\s*(?:nope|strike|(?:edit(?:ed)?|updated?|revised|changed|new\s+answer)\s*:)",
    re.I,
)
"""Words that retract the preceding text."""
_WEAK = re.compile(
    r"\bon\s+second\s+thoughts?\b"
    r"|(?:^|(?<=[.!?;,\u2026\n\u2014-]))\s*(?:but\s+|no,?\s+|oh,?\s+)?(?:actually|wait|hold\s+on)\b",
    re.I,
)
"""Words that may retract the preceding text."""


class Correction(NamedTuple):
    """A text that corrects itself.

    ``before`` and ``after`` are its parts; ``certain`` means that the first part is retracted,
    whatever the second one says.
    """

    before: str
    after: str
    certain: bool


def answers_in(
    text: str, fields: Callable[[Mapping[str, Any]], str | None] | None = None
) -> tuple[str, ...]:
    """Candidates for the answer in a text, to be tried in order until one can be read.

    Parameters
    ----------
    text
        What the speaker wrote.
    fields
        The answer that fields of an object give in the words of the task; empty if it is unclear,
        None if there is none.

    Returns
    -------
    tuple of str
        The text without thoughts and struck-out words. If it contains JSON objects or tags, the
        one answer that they declare, or nothing. If it continues with another question, the part
        before it; the whole text only if that part merely introduces the rest.
    """
    visible = without_thoughts(_COMMENT.sub(" ", html.unescape(text)))
    if _TICKED.search(visible):
        visible = _TICKED.sub("", _UNTICKED.sub("", visible))
    words = _ENDS.sub("\n", _STRUCK.sub(" ", visible)).strip()
    objects = list(objects_in(words))
    if objects:
        stated = {_declared(found) for found in objects}
        if fields is not None:
            stated |= {fields(found) for found in objects}
        return (_only(stated - {None}),)
    tagged = {match["inner"].strip() for match in _TAGGED.finditer(words)}
    if tagged:
        return (_only(tagged),)
    cut = _NEXT.search(words)
    head = words[: cut.start()].strip() if cut else ""
    if not re.search(r"\w", head):
        return (words,)
    return (head, words) if head.endswith(":") else (head,)


def first_readable(
    text: str,
    clean: Callable[[str], str],
    read: Callable[[str], Reading],
    fields: Callable[[Mapping[str, Any]], str | None] | None = None,
) -> Reading:
    """What the first candidate for the answer gives that can be read.

    Parameters
    ----------
    text
        What the speaker wrote.
    clean
        Normalizes a candidate.
    read
        Reads a normalized candidate.
    fields
        As for `answers_in`.

    Returns
    -------
    Reading
        That of the first candidate with a value, otherwise of the last; ``empty`` without words.
    """
    found = Reading(None, "unparsed")
    for part in answers_in(text, fields):
        words = clean(part)
        if not re.search(r"\w", words):
            # A thought that was cut off is not an empty answer.
            return Reading(None, "unparsed" if re.search(r"\w", text) else "empty")
        found = read(words)
        if found.value is not None:
            break
    return found


def read_corrected(
    words: str,
    *,
    names: Callable[[str], bool],
    read: Callable[[str], Reading],
    after: Callable[[str], Reading | None],
) -> Reading:
    """What a text states, or what it states after it has corrected itself.

    Parameters
    ----------
    words
        The normalized text.
    names
        Whether a text names any option.
    read
        Reads a text without a correction.
    after
        Reads the text after a correction; None if it states nothing in place of what it retracts.
    """
    correction = correction_in(words)
    if correction is None or not names(correction.before):
        return read(words)
    stated = after(correction.after)
    if stated is not None:
        return stated
    if correction.certain or names(correction.after):
        return Reading(None, "unparsed")
    return read(correction.before)


def correction_in(words: str) -> Correction | None:
    """The last place where a text corrects itself; None if it does not."""
    found = [(match, True) for match in _STRONG.finditer(words)]
    found += [(match, False) for match in _WEAK.finditer(words)]
    if not found:
        return None
    match, _ = max(found, key=lambda one: one[0].end())
    certain = any(strong for _, strong in found)
    after = words[match.end() :].lstrip(" \t,.:;\u2026\u2014-")
    return Correction(words[: match.start()], after, certain)


def _only(found: set[Any]) -> str:
    """The only text of a set; empty if there are none or several."""
    return str(next(iter(found))) if len(found) == 1 else ""


def _declared(found: Mapping[str, Any]) -> str | None:
    """The answer that an object declares; empty if it is unclear, None if there is none."""
    fields = {re.sub(r"[^a-z]", "", str(name).lower()): value for name, value in found.items()}
    named = [_text(value) for name, value in fields.items() if name in _NAMES]
    worded = [_text(value) for name, value in fields.items() if name in _WORDS]
    if not named:
        return worded[0] if len(fields) == 1 and worded else None
    parts = list(dict.fromkeys([*named, *worded]))
    if len(parts) == 2 and len(parts[0]) == 1:
        return f"{parts[0]}) {parts[1]}"
    return parts[0] if len(parts) == 1 else ""


def _text(value: Any) -> str:
    """The text of a field; empty if it has none or several."""
    if isinstance(value, Mapping):
        return _declared(value) or ""
    if isinstance(value, list):
        return _text(value[0]) if len(value) == 1 else ""
    return value.strip() if isinstance(value, str) else ""
