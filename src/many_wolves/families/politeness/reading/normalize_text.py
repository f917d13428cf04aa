"""Normalizes the texts of answers: spelling, quotes, markdown, negation, sentences."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from many_wolves.families.politeness.reading.phrases import phrases
from many_wolves.records import LABELS

_QUOTES = str.maketrans(
    dict.fromkeys("‘’‚‛ʼ´′", "'")
    | dict.fromkeys("“”„‟«»″", '"')
    | dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff")
)
_PICTURES = re.compile("[\U0001f300-\U0001faff\u2600-\u2704\u2706-\u2712\u2728\ufe0f]")
"""Emoji without a meaning here, unlike ticks, crosses and thumbs down."""
_SIGNS = str.maketrans(
    dict.fromkeys("\u3002\uff0e\uff61", ". ")
    | dict.fromkeys("\u3001\uff0c", ", ")
    | dict.fromkeys("\u300c\u300d\u300e\u300f\u300a\u300b\u3008\u3009\u3010\u3011\u2039\u203a", '"')
    | dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
)
"""Full stops, commas and quotation marks of other scripts, and marks of direction."""
_OTHER = r"\u0400-\u04ff\u0600-\u06ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af"
_BESIDE = re.compile(rf"(?<=[{_OTHER}])(?=[A-Za-z])|(?<=[A-Za-z])(?=[{_OTHER}])")
_FORMULA = re.compile(r"\\[()\[\]]|\$")
_BOXED = re.compile(r"\\(?:boxed|text|textbf|mathrm)\s*\{([^{}]*)\}")
_NEGATIONS = (
    (re.compile(r"\bwas(?:n'?t|'nt|n' t|n t| n't)\b", re.I), "was not"),
    (re.compile(r"\b(?:is(?:n'?t|'nt| n't)|(?:it's|its|it is|that's) not)\b", re.I), "is not"),
)
_SENTENCE_END = re.compile(r"(?<=[.!?;])[\"')\]]*\s+(?![a-z])")
_BULLET = re.compile(r"^\s*(?:[-\u2022\u2013\u2014+>|]+|\d+[.)])\s+")

_MARKED = r"[)\]}][\"']*\s*[.:,]?|[.:](?!\w\.)"
_LABEL = re.compile(
    rf"^[\s\"'(\[{{$]*(?:(?P<any>[A-Za-z])\s?(?:{_MARKED})|(?P<upper>[A-Z])\s*(?:,|\s[-\u2013\u2014]|\u2014))"
    r"[\s\"'$]*"
)
_ALONE = re.compile(r"^[\s\"'(\[{$]*(?P<letter>[A-Za-z])[\s\"')\]}$.:!,]*$")
_REASONED = re.compile(r"^[\s\"'(\[]*(?P<letter>[A-Z])[\s\"')\]]+(?:because|since)\b")

_INTERJECTION = re.compile(
    r"^(?:(?:so|thus|therefore|hence|well|sure|okay|ok|overall|finally|then|actually|bob)"
    r"\s*[,:!]?\s+|in conclusion,?\s+|of course[,:!]?\s+)",
    re.I,
)
_DECLARATION = re.compile(
    r"^[\"'{(\[\s]*(?:"
    r"(?:(?:the|my|her|ann's|best|correct|right|most|final|likely|appropriate|chosen|selected)\s+)*"
    r"(?:answer|choice|option|response|reply|pick|selection|letter|antwort|réponse|respuesta"
    r"|resposta|risposta|ответ|答案|答え|答|选择|选项|選択肢|選択|답)"
    r"(?:\s*(?:是|は|为|為)|\s+(?:is|would\s+be|should\s+be|will\s+be|ist|est|es|é|è))?"
    r"[\"']?\s*[:=,\u2013\u2014-]*\s*"
    r"|i(?:'d|'ll)?\s+(?:(?:would|will)\s+)?(?:choose|pick|select|go\s+(?:with|for))\s*:?\s*"
    r")",
    re.I,
)
_SAYING = re.compile(
    r"^[\"'{(\[\s]*(?:i|we|ann|she|you)(?:'d|'ll)?\s+(?:(?:would|will|should|'d)\s+)?"
    r"(?:(?:most\s+likely|probably|likely|then|simply|just)\s+)?"
    r"(?:say|says|said|answer|answers|reply|replies|respond|responds|tell|tells|think|believe)"
    r"(?:\s+(?:to\s+)?(?:bob|him))?(?:\s+that)?\s*[:,]?\s*",
    re.I,
)


class Segment(NamedTuple):
    """One sentence of an answer, with the letter before it and how it is introduced.

    ``declared``: "the answer is ...". ``said``: "Ann would say ...". ``body`` is
    what follows label and introduction.
    """

    label: str
    body: str
    declared: bool
    said: bool


def clean(text: str) -> str:
    """The text without markdown and formulas, with plain signs and ``was not`` for ``wasn't``."""
    text = text.translate(_QUOTES).translate(_SIGNS)
    text = unicodedata.normalize("NFKC", _PICTURES.sub(" ", text))
    text = _BESIDE.sub(" ", text)
    for _ in range(2):
        text = _BOXED.sub(r"\1", text)
    text = _FORMULA.sub(" ", text)
    text = re.sub(r"(?<=\w)`(?=\w)", "'", text)
    text = re.sub(r"[*_~`]+|^\s*#+", "", text, flags=re.M)
    text = re.sub(r"[^\S\n]+", " ", text)
    for pattern, words in _NEGATIONS:
        text = pattern.sub(words, text)
    return text.strip()


def plain(text: str) -> str:
    """A phrase for comparison: lower case, no punctuation around it."""
    return clean(text).strip(" \n\t.,:;!?\"'()[]{}$-").lower()


def segments(text: str, letters: int) -> list[Segment]:
    """Sentences of a cleaned text, each split into label, introduction and body."""
    found: list[Segment] = []
    for line in text.splitlines():
        pieces = [p for p in _SENTENCE_END.split(_BULLET.sub("", line).strip()) if p.strip()]
        label = ""
        for i, piece in enumerate(pieces):
            segment = _peel(piece, letters)
            if segment.label and not segment.body and i + 1 < len(pieces) and not segment.declared:
                label = segment.label
                continue
            found.append(segment._replace(label=segment.label or label))
            label = ""
    return found


def _peel(piece: str, letters: int) -> Segment:
    label, body, declared, said = "", piece, False, False
    for _ in range(6):
        before = body
        body = _INTERJECTION.sub("", body)
        if not label:
            label, body = _label(body, letters)
        shorter = phrases().introductions.sub("", _DECLARATION.sub("", body, count=1), count=1)
        declared, body = declared or shorter != body, shorter
        shorter = phrases().sayings.sub("", _SAYING.sub("", body, count=1), count=1)
        said, body = said or shorter != body, shorter
        if body == before:
            break
    return Segment(label, body.strip(" \"'([{"), declared, said)


def _label(body: str, letters: int) -> tuple[str, str]:
    """The option letter that a piece begins with, and what follows it."""
    known = LABELS[:letters]
    for pattern in (_ALONE, _LABEL, _REASONED):
        match = pattern.match(body)
        if match:
            letter = next(group for group in match.groups() if group)
            if letter.upper() in known:
                rest = body[match.end("letter") :] if pattern is _REASONED else body[match.end() :]
                return letter.upper(), "" if pattern is _ALONE else rest
    return "", body


def stray_letters(text: str, letters: int) -> set[str]:
    """Option letters that are single words anywhere; not the article A."""
    known = LABELS[:letters]
    found = re.finditer(rf"(?<![\w'])([{known}])(?![\w'])(\s+[a-z]\w*)?", text)
    linked = ("or", "and", "is", "because", "since")
    return {
        match[1]
        for match in found
        if match[1] not in "AI" or not match[2] or match[2].strip() in linked
    }


def marked_letters(text: str, letters: int) -> set[str]:
    """Option letters that are marked as such anywhere: (B), option B, or B) before a line."""
    known = LABELS[:letters]
    pattern = rf"\(([{known}])\)|\b[Oo]ption\s+\(?([{known}])\b|^\W*([{known}])[).:]"
    found = re.finditer(pattern, text, flags=re.M)
    return {next(group for group in match.groups() if group) for match in found}
