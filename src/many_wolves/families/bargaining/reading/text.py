"""What is read of a message: its words without thoughts, markdown and what others say in it."""

from __future__ import annotations

import re
import unicodedata

from many_wolves.reading.thoughts import without_thoughts

_PLAIN = str.maketrans(
    dict.fromkeys("‘’‚‛ʼ´′`", "'")
    | dict.fromkeys("“”„‟«»″", '"')
    | dict.fromkeys("–—−‒", "-")
    | dict.fromkeys("\u200b\ufeff")
)
_LABEL = re.compile(
    r"^[ \t]*(?P<who>seller|buyer|you|me|customer|vendor)[ \t]*:[ \t]*", re.I | re.M
)
_SENTENCE = re.compile(r"(?<=[.!?;])[\"')\]]*\s+|\n+")
_OWN_LABELS = {"seller": ("seller", "vendor", "me"), "buyer": ("buyer", "customer", "me")}


def clean(text: str) -> str:
    """The text with plain quotes and dashes, without thoughts and markdown."""
    text = re.sub(r"(?<=\d)(?: ?\u00bd| 1/2)(?![\d/])", ".5", without_thoughts(text))
    text = unicodedata.normalize("NFKC", text.translate(_PLAIN))
    text = text.translate(_PLAIN)
    text = re.sub(r"[*_~`]+|^\s*#+", "", text, flags=re.M)
    return re.sub(r"[^\S\n]+", " ", text).strip()


def own_part(text: str, role: str) -> str:
    """What the speaker says itself: up to the first line that is another's.

    A model that runs on writes the other side's next message too; nothing from there on is
    read. A label before the speaker's own words is left out.
    """
    parts: list[str] = []
    at = 0
    for match in _LABEL.finditer(text):
        parts.append(text[at : match.start()])
        at = match.end()
        if match["who"].lower() not in _OWN_LABELS[role]:
            return "".join(parts).strip()
    return ("".join(parts) + text[at:]).strip()


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]
