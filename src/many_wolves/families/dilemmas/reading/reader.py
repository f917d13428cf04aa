"""Reads the option of an answer: its last declared choice, or the only one it mentions.

Nothing is guessed. An answer is unparsed if it names two options without declaring one, names
one in order to reject it, or withdraws what it declared. So is a
label that may be a mere number. The first label in the text never counts for being first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from many_wolves.contracts import Reading
from many_wolves.families.dilemmas.reading.replies import (
    REPLIES,
    in_words_of_the_options,
    reply_in,
)
from many_wolves.reading.answers import first_readable, read_corrected
from many_wolves.records import Option

_QUOTES = str.maketrans(
    dict.fromkeys("‘’‚‛ʼ´′`", "'") | dict.fromkeys("“”„‟«»″", '"') | dict.fromkeys("\u200b\ufeff")
)
_BOXED = re.compile(r"\\(?:boxed|text|textbf|mathrm)\s*\{([^{}]*)\}")
_NUMBERS = frozenset(
    (
        "a",
        "i",
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
    )
)
"""Labels that are also ordinary words, which do not count alone within a sentence."""

_SO = r"(?:(?:so|thus|therefore|hence|overall|finally|in conclusion|ok|okay|well|then)\s*,?\s+)?"
_DECLARED = re.compile(
    rf"^[\s>*#\-\"'(\[]*{_SO}(?:"
    r"(?:(?:my|the|our)\s+)?(?:(?:final|best|chosen)\s+)?"
    r"(?:choice|answer|decision|response|option|selection|pick|proposal)"
    r"(?:\s+(?:is|would\s+be|will\s+be)\s*:?\s*(?:to\s+)?|\s*(?:[:=\u2013\u2014]|-\s)\s*)"
    r"|i(?:'ll|'d|\s+will|\s+would|\s+am\s+going\s+to|'m\s+going\s+to)?\s+(?:now\s+)?"
    r"(?:choose|chose|pick|select|go\s+(?:with|for)|opt\s+for|decide\s+on)\s*:?\s+"
    r")(?P<rest>.+)$",
    re.I,
)
_CONCLUDED = re.compile(
    r"(?:[,;]|\b(?:so|thus|therefore|hence|and|but))\s+i(?:'ll|'d|\s+will|\s+would|'m\s+going\s+to)?"
    r"\s+(?:choose|pick|select|go\s+(?:with|for)|opt\s+for|decide\s+on)\s+(?P<rest>[^,;]+)$",
    re.I,
)
"""A declaration at the end of a longer sentence."""
_CONDITIONAL = re.compile(r"\b(?:if|when|whether|unless|suppose|assuming|were)\b", re.I)
_REJECTION = re.compile(
    r"\b(?:not|no|never|neither|nor|cannot|can't|won't|don't|doesn't|wouldn't|isn't|avoid\w*|without"
    r"|(?:any|every)\w*\s+(?:but|other\s+than)|all\s+but|other\s+than"
    r"|cancel|forget|drop|skip|ignore|ditch|abandon|scrap|away\s+from|beware\s+of"
    r"|except|rather\s+than|instead\s+of|unlike|decline\w*|refuse\w*"
    r"|(?:recommend|advise|decide|argue|vote)\w*\s+against"
    r"|(?:fool\w*|mad|crazy|insane|stupid|silly|mistake|unwise|wrong|irrational|illogical"
    r"|unreasonable|unfair|absurd|ridiculous|reckless|rash|naive|pointless|senseless|useless"
    r"|costly|risky|dangerous|worse|bad|hard|difficult|impossible|self-defeating|spiteful|petty"
    r"|waste|shame|reluctant|hesitant|hesitate|tempting|tempted|unwilling|unable|too\s+\w+)\s+to"
    r")\b|n't\b",
    re.I,
)
_OTHERS = (
    r"(?:he|she|they|people|others|(?:every|some|any)(?:one|body)|(?:both|all|most)\s+of\s+us"
    r"|an?\s+(?:\w+\s+)?(?:player|person|human|agent|friend|stranger|rival)|(?:(?:my|the|our|your)\s+)?(?:other\s+)?"
    r"(?:partner|opponent|player|counterpart|co-?player|participant|responder|proposer)s?"
    r"|(?:the|my|our)\s+(?:other(?:\s+one|\s+side)?|company|principal|firm|sponsor|operator))"
)
_DOES = (
    r"(?:choos\w*|chose|pick\w*|select\w*|take[sn]?|took|go(?:es)?|went|will|would|may|might|could"
    r"|should|must|recommend\w*|suggests?|advis\w*|promot\w*|push\w*|prefer\w*|wants?|hopes?|plays?|played|accept\w*|reject\w*|offer\w*|says?|said)"
)
_NOT_NOW = re.compile(
    r"\b(?:last|previous|earlier|first|next|future)\s+(?:round|time|game|turn)s?\b"
    r"|\b(?:previously|yesterday|tomorrow)\b|\bin\s+\w+\s+(?:place|shoes|position)\b"
    r"|\b(?:for|at|with)\s+(?:\$\d|an?\s+(?:better|higher|larger|bigger|fair))[^.;]*\bi(?:'d|\s+would)\b"
    r"|^\W*(?:raise|increase|improve|double|give|add|offer)\b[^.;]*\b(?:and|then)\s+(?:then\s+)?i\b"
    r"|\b(?:if|unless|were|had)\s+(?:it|this|that|there|the\s+\w+)\b[^.;:]*$"
    r"|\bhad\s+(?:you|they|he|she|it|the|my)\b|\bi\s+(?:could|might|may)\b"
    rf"|\b(?:predict\w*|expect\w*|{_OTHERS}'s|of\s+{_OTHERS})\b[^,;.]*$"
    r"|\b(?:hop(?:e|es|ed|ing)|wish\w*|regret\w*|consider\w*|imagin\w*|fear\w*|afraid|tempt\w*"
    r"|hardly|scarcely|barely|almost|nearly)\b[^,;.]*$"
    r"|\b(?:if|when|unless|hope|hoping|wish|want|suppose|assuming)\s+(?:that\s+)?"
    r"(?:you|they|he|she|we|my|the\s+other)\b|\blet(?:'s|\s+us)\b|\bwe\s+(?:should|could|must)\b"
    rf"|\b(?:{_OTHERS}(?:'s\s+\w+)?(?:\s+\w+){{0,2}}?\s+{_DOES}"
    r"|you(?:'d|'ll|\s+(?:will|would|might|may|chose|picked|took)))\b"
    r"(?:(?!\bi\b|\bmy\b|\band\b|\bso\b)[^,;:.])*$",
    re.I,
)
"""Hopes, proposals, past moves and those of others, which are not choices of this round."""
_TO_ANOTHER = re.compile(
    r"\byou\s+(?:should|must|could|ought\s+to|choose|pick|take|play)\b(?:(?!\bi\b)[^,;:.])*$", re.I
)
"""Advice, which is a choice only where the user is to be advised."""
_DESCRIBED = re.compile(
    r"\s+(?:is|was|are|would\s+be|seems?|looks?|sounds?|feels?|gives?|pays?|yields?|earns?|costs?"
    r"|means?|leads?|makes?|risks?|leaves?|has|have|had|offers?|brings?|hurts?|harms?)\b"
    r"(?!(?:\s+(?:the|my|a|an|our|clearly|therefore|thus|still|probably|likely))*\s+(?:best|better|right"
    r"|correct|optimal|rational|wise\w*|good|great|choice|answer|decision|pick|preferred|preferable"
    r"|saf\w+|sensible|dominant|smart\w*|logical|reasonable|ideal|obvious|only|fair\w*|most"
    r"|more|what\s+i|where\s+i)\b)",
    re.I,
)
"""Right of an option that is described: praise names it, anything else does not."""
_ANOTHERS_MOVE = re.compile(rf"\b(?:you|who|{_OTHERS})(?:\s+\w+){{0,2}}\s+$", re.I)
"""Left of an option that is a verb: somebody else does it."""
_ON_CONDITION = re.compile(
    r"(?:\s+(?!(?:because|since|as|for|so|that|even|and)\b)[\w$.%'-]+){0,4},?\s+"
    r"(?:(?:only\s+)?(?:if|when|whenever|unless|provided|assuming)|but\s+(?:not|only))\b",
    re.I,
)
"""Right of an option: it is taken on a condition only."""
_SOMETHING_ELSE = re.compile(
    r"[^.;]*\b(?:and|but)\s+\$?\d+\s+(?:to|for)\s+(?!me\b|my)"
    r"|\s*[+*/\u00d7]\s*\$?\d|\s+(?:less|more|anything)\b"
    r"|\s+the\s+(?:challenge|rules|task|risk|fact|idea|role|responsibility|consequences)\b"
    r"|(?:\s+\w+){0,2}\s+(?:next\s+(?:round|time|game|turn)|tomorrow|later)\b",
    re.I,
)
"""Right of an option: another amount, another thing that is accepted, another time."""
_NEGATIVE = re.compile(r"[\s\"'(\[]*-[$\d]")
_OR = re.compile(r"\s*(?:,?\s*\b(?:or|to)\b|/)\s*(?:maybe\s+|perhaps\s+|even\s+)?", re.I)
_REFUSAL = re.compile(
    r"\bi(?: am|'m)? (?:(?:can ?not|can't|will not|won't|would not|wouldn't|do not|don't"
    r"|must|have to|would rather|prefer) "
    r"(?:be able|help|assist|answer|choose|pick|say|provide|make|comply|respond|engage|participate"
    r"|take part|decline|not|feel comfortable|continue|do (?:that|this)|have)"
    r"|unable|not able|not comfortable|sorry)|\bas an ai\b|\bas a(?:n)? (?:large )?language model\b"
    r"|\bi(?: must| have to)? (?:respectfully |politely )?(?:decline|refuse|apologi[sz]e)\b",
    re.I,
)
_SENTENCE = re.compile(r"(?<=[.!?;])[\"')\]]*\s+|\n+")


@dataclass(frozen=True)
class _Form:
    """How an option is recognised: ``full`` anywhere, ``short`` where a choice is declared.

    ``verb`` is whether it is one word such as accept, ``advises`` whether it is a product.
    """

    id: str
    full: re.Pattern[str]
    short: re.Pattern[str]
    words: frozenset[str]
    verb: bool
    advises: bool


def read(options: Sequence[Option], text: str) -> Reading:
    """The option that a text names, if it names exactly one.

    Parameters
    ----------
    options
        Options in the order shown.
    text
        The answer as the speaker wrote it, thoughts included.

    Returns
    -------
    Reading
        ``answered`` with the option's id; ``empty`` without words; ``refused`` where no
        option is named and the speaker declines; else ``unparsed``.
    """
    forms = _forms(tuple(options))
    return first_readable(text, _clean, partial(_corrected, forms), partial(_field, options))


def _corrected(forms: Sequence[_Form], words: str) -> Reading:
    """What a text names, or what it declares after it has corrected itself."""

    def after(words: str) -> Reading | None:
        words = _in_words_of(forms, words)
        states = _standing(forms, words) or any(_declaration(part) for part in _sentences(words))
        return _read(forms, words) if states else None

    return read_corrected(
        words, names=partial(_names_any, forms), read=partial(_read, forms), after=after
    )


def _names_any(forms: Sequence[_Form], words: str) -> bool:
    return any(form.short.search(words) for form in forms)


def _in_words_of(forms: Sequence[_Form], words: str) -> str:
    """A text whose sentences about an offer use the words of the options."""
    if {form.id for form in forms} != REPLIES:
        return words
    return "\n".join(in_words_of_the_options(part) for part in _sentences(words))


def _field(options: Sequence[Option], fields: Mapping[str, Any]) -> str | None:
    """The option that a field named after the options states, such as ``offer`` or ``accept``."""
    if {option.id for option in options} == REPLIES:
        return reply_in(fields)
    shared = {_plain(option.text).split()[0] for option in options}
    value = next((v for k, v in fields.items() if {str(k).strip().lower()} == shared), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None if value is None else ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sentences(words: str) -> list[str]:
    return [part.strip() for part in _SENTENCE.split(words) if part.strip()]


def _read(forms: Sequence[_Form], words: str) -> Reading:
    """What a cleaned text names."""
    words = _in_words_of(forms, words)
    sentences = _sentences(words)
    whole = _standing(forms, words)
    if whole is not None:
        return Reading(whole, "answered")
    declared = [(n, rest) for n, part in enumerate(sentences) if (rest := _declaration(part))]
    if declared:
        return _declared(forms, sentences, *declared[-1])
    return _mentioned(forms, sentences, words)


def _mentioned(forms: Sequence[_Form], sentences: Sequence[str], words: str) -> Reading:
    """The one option that a text without a declaration names."""
    named = {name for part in sentences for name in _named(forms, part)}
    last = _standing(forms, sentences[-1])
    if last is not None:
        named.add(last)
    rejects = any(_rejected(form, part) for part in sentences for form in forms)
    doubted = any(_doubted(forms, form, part) for part in sentences for form in forms)
    if len(named) == 1 and not rejects and not doubted:
        return Reading(next(iter(named)), "answered")
    declines = not named and _REFUSAL.search(words)
    return Reading(None, "refused" if declines else "unparsed")


def _declared(forms: Sequence[_Form], sentences: Sequence[str], n: int, rest: str) -> Reading:
    """The option of the last declaration, unless later words withdraw it."""
    named = {form.id for form in forms if form.short.search(rest)}
    standing = _standing(forms, rest)
    if standing is not None:
        named = {standing}
    if len(named) != 1:
        # "Choice:" on a separate line, and the option on the next
        return Reading(None, "unparsed")
    (only,) = named
    form = next(form for form in forms if form.id == only)
    after = sentences[n + 1 :]
    other = any(f.full.search(part) for part in after for f in forms if f.id != only)
    other = other or any(
        _ON_CONDITION.match(rest, match.end()) or _SOMETHING_ELSE.match(rest, match.end())
        for match in form.short.finditer(rest)
    )
    if other or _rejected(form, rest) or any(_rejected(form, part) for part in after):
        return Reading(None, "unparsed")
    return Reading(only, "answered")


def _declaration(sentence: str) -> str:
    """What a sentence declares to be the choice; empty where it declares nothing."""
    match = _DECLARED.match(sentence) or _CONCLUDED.search(sentence)
    if match is None or _CONDITIONAL.search(sentence[: match.start("rest")]):
        return ""
    return "" if sentence.rstrip("\"' )").endswith("?") else match["rest"]


def _named(forms: Sequence[_Form], sentence: str) -> set[str]:
    """The options that a sentence names; none where it merely describes them."""
    found = [(form.id, match) for form in forms for match in form.full.finditer(sentence)]
    described = [bool(_DESCRIBED.match(sentence, match.end())) for _, match in found]
    return set() if found and all(described) else {name for name, _ in found}


def _rejected(form: _Form, sentence: str) -> bool:
    """Whether a sentence names an option after a word of rejection, or asks for it."""
    return any(
        bool(_REJECTION.search(sentence[: match.start()])) or sentence.rstrip("\"' )").endswith("?")
        for match in form.full.finditer(sentence)
    )


def _doubted(forms: Sequence[_Form], form: _Form, sentence: str) -> bool:
    """Whether a sentence names an option as hoped for, past, or one of two."""
    for match in form.full.finditer(sentence):
        before = sentence[: match.start()]
        if _NOT_NOW.search(before) or _ON_CONDITION.match(sentence, match.end()):
            return True
        if not form.advises and _TO_ANOTHER.search(before):
            return True
        if _SOMETHING_ELSE.match(sentence, match.end()):
            return True
        if form.verb and _ANOTHERS_MOVE.search(before):
            return True
        also = _OR.match(sentence, match.end())
        if also and any(f.short.match(sentence, also.end()) for f in forms if f.id != form.id):
            return True
    return False


def _standing(forms: Sequence[_Form], text: str) -> str | None:
    """The option that is all that a text says, and does not ask."""
    if text.rstrip("\"')]").endswith("?") or _NEGATIVE.match(text):
        return None
    plain = _plain(text)
    found = {form.id for form in forms if plain in form.words}
    return next(iter(found)) if len(found) == 1 else None


def _clean(text: str) -> str:
    """The text without markdown, with plain quotes."""
    text = text.translate(_QUOTES)
    text = unicodedata.normalize("NFKC", text)
    for _ in range(2):
        text = _BOXED.sub(r"\1", text)
    text = re.sub(r"[*_~]+|^\s*#+", "", text, flags=re.M)
    text = re.sub(r"[^\S\n]+", " ", text)
    # a declaration and its option may be on two lines
    return re.sub(r"(\w\s*:)\s*\n+\s*", r"\1 ", text).strip()


def _plain(text: str) -> str:
    text = re.sub(r"^\s*(?:[-\u2022>]+|\(?[a-z]\))\s+", "", text.strip(), flags=re.I)
    return re.sub(r"\s+", " ", text).strip(" \n\t.,:;!?\"'()[]{}|-").lower()


@lru_cache(maxsize=4096)
def _forms(options: tuple[Option, ...]) -> tuple[_Form, ...]:
    return tuple(_form(option) for option in options)


def _form(option: Option) -> _Form:
    full = _plain(option.text)
    label = full.split()[-1]
    amount = label.startswith("$")
    distinct = label.isalpha() and label not in _NUMBERS
    names = {full, label}
    if amount:
        figure = label.removeprefix("$")
        names |= {figure, f"{figure} dollars", f"{figure} dollar", f"${figure}.00"}
    short = sorted(names, key=len, reverse=True)
    return _Form(
        option.id,
        _pattern([label] if distinct else [full]),
        _pattern(short),
        frozenset(names),
        full == label and distinct,
        full.startswith("product "),
    )


def _pattern(phrases: Sequence[str]) -> re.Pattern[str]:
    """The phrases as whole words; a figure is not part of a larger one."""
    inner = "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in phrases)
    return re.compile(rf"(?<![\w$.-])(?<!\d,)(?:{inner})(?![\w-]|[.,]\d)", re.I)
