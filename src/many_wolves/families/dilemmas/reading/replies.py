"""Recognizes sentences that accept or reject an offer without the word of the option.

With two replies, whoever does not accept rejects. A sentence counts only as a whole, and only if
it is about the offer. One that declines the task ("I decline.") is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

REPLIES = frozenset(("accept", "reject"))
"""Ids of the options of a responder."""

_FIGURE = r"\$?\d+(?:\.\d+)?(?:\s+dollars?)?"
_THING = rf"(?:offer|proposal|split|division|deal|share|amount|terms?|{_FIGURE})"
_NAMED = (
    r"(?:(?:the|this|that|your|his|her|their|my\s+partner's|my\s+opponent's|the\s+proposer's"
    rf"|such\s+an?)(?:\s+[a-z-]+){{0,2}}?\s+{_THING}(?:\s+of\s+(?:only\s+|just\s+)?{_FIGURE})?)"
)
_OBJECT = rf"(?:it|this|that|{_FIGURE}|{_NAMED})"
_LEAD = (
    r"(?:(?:no|so|thus|therefore|hence|sorry|unfortunately|(?:i'm|i\s+am)\s+(?:sorry|afraid)"
    r"(?:\s+that)?|thank\s+you|thanks|no\s+thanks)\s*[,:;]?\s+(?:but\s+)?)?"
)
_WILL_NOT = (
    r"(?:do\s+not|don't|cannot|can\s*not|can't|will\s+not|won't|shall\s+not"
    r"|(?:am|'m)\s+not\s+(?:going|willing|able)\s+to|(?:am|'m)\s+(?:unable|unwilling)\s+to"
    r"|(?:have\s+to\s+|must\s+)?(?:refuse|decline)\s+to)"
)
_DECLINE = (
    r"(?:(?:will\s+|'ll\s+|must\s+|have\s+to\s+)?(?:respectfully\s+|politely\s+)?"
    r"(?:decline|refuse|turn\s+down))"
)
_WHY = r"(?:\s*[,;]?\s*(?:because|since|as|for)\b(?![^.!?]*\b(?:if|unless|until|when)\b)[^.!?]*)?"
_END = rf"{_WHY}\s*(?P<end>[.!;]+|(?=[\"')]*$))"
_REJECTS = re.compile(
    rf"^[\s\"'(]*{_LEAD}(?:i\s*{_WILL_NOT}\s+(?:accept(?:\s+{_OBJECT})?|take\s+{_NAMED})"
    rf"|i\s*{_DECLINE}\s+{_OBJECT}|i(?:'m|\s+am)\s+not\s+accepting(?:\s+{_OBJECT})?|no\s+deal"
    r"|(?:the\s+|your\s+)?offer\s+(?:is\s+)?(?:rejected|declined|refused)|rejected"
    rf"|i\s+(?:am|'m)\s+rejecting(?:\s+{_OBJECT})?){_END}",
    re.I,
)
_ACCEPTS = re.compile(
    rf"^[\s\"'(]*(?:deal|(?:it's|it\s+is)\s+a\s+deal|(?:the\s+|your\s+)?offer\s+(?:is\s+)?accepted"
    rf"|accepted|i\s+(?:am|'m)\s+accepting(?:\s+{_OBJECT})?){_END}",
    re.I,
)


def in_words_of_the_options(sentence: str) -> str:
    """A sentence, with a rejection or acceptance of the offer in the words of the options."""
    for pattern, word in ((_REJECTS, "reject"), (_ACCEPTS, "accept")):
        match = pattern.match(sentence)
        if match and not sentence[match.end() :].strip("\"' )"):
            return word + (match["end"] or "")
    return sentence


def reply_in(fields: Mapping[str, Any]) -> str | None:
    """The reply that the fields ``accept`` and ``reject`` of an object state as true or false.

    Returns
    -------
    str or None
        ``accept`` or ``reject``; empty if the fields contradict each other, None without them.
    """
    given = {
        name: value
        for key, value in fields.items()
        if (name := _FIELDS.get(re.sub(r"[^a-z]", "", str(key).lower()))) is not None
    }
    if not given:
        return None
    if not all(isinstance(value, bool) for value in given.values()):
        return ""
    said = {name if value else _OTHER[name] for name, value in given.items()}
    return said.pop() if len(said) == 1 else ""


_FIELDS = dict.fromkeys(("accept", "iaccept", "acceptoffer", "accepttheoffer"), "accept")
_FIELDS |= dict.fromkeys(("reject", "ireject", "rejectoffer", "rejecttheoffer"), "reject")
_OTHER = {"accept": "reject", "reject": "accept"}
