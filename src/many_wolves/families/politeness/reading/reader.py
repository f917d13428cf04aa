"""Reads the option that an answer gives: first by the option's text, then by its letter.

Nothing is guessed. An answer that names two options, that names one in order to
reject it, or whose letter and words disagree, is unparsed. ``It wasn't good`` never
counts as ``It was good``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

from many_wolves.contracts import Reading
from many_wolves.families.politeness.reading.normalize_text import (
    Segment,
    clean,
    marked_letters,
    plain,
    segments,
    stray_letters,
)
from many_wolves.families.politeness.reading.phrases import phrases
from many_wolves.reading.answers import first_readable, read_corrected
from many_wolves.records import LABELS, Option

_SUBJECT = r"(?:it|that|this|(?:the|your|his|my)\s+[\w-]+)"
_BRIEF = 2
"""Options of so many words at most (yes, no) must begin a sentence to count."""

_REJECTION = re.compile(
    r"\b(?:not|no|never|cannot|can't|without|avoid\w*|anything|except|rather|instead|neither|nor|if|whether|unless"
    r"|than|between|or|hop(?:e[sd]?|ing)|wish(?:e[sd]|ing)?|want\w*\s+to\s+(?:hear|know|be\s+told)|refus\w*|declin\w*|hesitate|unkind|rude|cruel|harsh|dishonest|wrong)\b|n't\b",
    re.I,
)
_TURNED = r"(?![\"')\]\s]*(?:is|was|would|could|might|but|though|although)\b)"
"""Context in which a quoted option is only mentioned."""
_LIES = (
    r"(?![\"')\]\s]*\w+\s+(?:would|might|could|must|should)\s+"
    r"(?:not|never|lie|pretend|be\s+lying)\b)"
)
"""Somebody would not say it, or only as a lie."""
_PRAISE = (
    r"(?:is|would\s+be|seems|feels)\s+(?:(?:the|my|her|a)\s+)?"
    r"(?:best|right|correct|most|answer|choice|reply|kindest|what\s+(?:i|ann|she)\s+would\s+say)\b"
)
_AFTER = re.compile(
    r"^[\"')\]}]*\s*(?:$|[.,:;!?\u2013\u2014-]"
    + _TURNED
    + _LIES
    + r"|[)\]}\"'](?!\w)"
    + _TURNED
    + r"|"
    r"(?:because|since|to\s+bob)\b|\(|" + _PRAISE + r")",
    re.I,
)
_AFTER_BRIEF = re.compile(
    r"^[\"')\]}]*\s*(?:$|[.,:;!?)\]}\"'\u2013\u2014]|-\s"
    r"|(?:i|she|he|ann|it|they|because|since|indeed|definitely|absolutely)\b)",
    re.I,
)
_EXPLAINING = re.compile(
    r"^(?:because|since|as|this|that|these|those|here|explanation|reason\w*|i|ann|bob|she|he|they|we"
    r"|given|while|although|the (?:answer|option|choice|other|reason|goal|best|rest))\b",
    re.I,
)
"""Beginnings of text after a letter that is not the option itself."""
_REFUSAL = re.compile(
    r"\bi(?: am|'m)? (?:(?:can(?: ?not|'?t)|will not|won'?t|would not|wouldn'?t|do not|don'?t"
    r"|must|have to|would rather|prefer) "
    r"(?:be able|help|assist|answer|choose|pick|say|provide|make|comply|respond|speak|give|engage"
    r"|participate|take part|decline|not|feel comfortable|continue|do (?:that|this)|have)"
    r"|unable|not able|not comfortable|sorry)|\bas an ai\b|\bas a(?:n)? (?:large )?language model\b"
    r"|\bi(?: must| have to)? (?:respectfully |politely )?(?:decline|refuse|apologi[sz]e)\b"
    r"|\bmy apologies\b|\bi can(?:not|'?t)\b|\bi'?d rather not\b",
    re.I,
)

_DECLINES = re.compile(
    r"\bi (?:(?:must|have to|will|would) )?(?:(?:respectfully|politely) )?(?:decline|refuse)\b",
    re.I,
)
"""A refusal that stands even if an option follows."""
_TAKEN_BACK = re.compile(
    r"\b(?:it|that|this)(?:(?:\s+(?:was|is))?\s+not|(?:\s+(?:was|is)|'s)\s*n[o']t)"
    r"(?:\s+(?:true|so|the case))?\W*$",
    re.I,
)
"""The end of a text that denies what was said before."""


@dataclass(frozen=True)
class _Forms:
    """How an option is recognised.

    ``alone`` are phrases that name it when they are a whole sentence. ``bare`` is
    the predicate, which names it only when it is the whole answer.
    """

    id: str
    letter: str
    pattern: re.Pattern[str]
    alone: frozenset[str]
    bare: frozenset[str]
    brief: bool


@dataclass
class _Mentions:
    """Option ids that a text names, by the manner of naming."""

    declared: set[str] = field(default_factory=set)
    standing: set[str] = field(default_factory=set)
    standing_after: set[str] = field(default_factory=set)
    embedded: set[str] = field(default_factory=set)
    embedded_before: set[str] = field(default_factory=set)
    doubtful: bool = False
    letters: set[str] = field(default_factory=set)
    contradicted: bool = False


def read(options: Sequence[Option], text: str) -> Reading:
    """The option that a text names, if it names exactly one.

    Parameters
    ----------
    options
        Options in the order shown.
    text
        The answer as the speaker wrote it.

    Returns
    -------
    Reading
        ``answered`` with the option's id; ``empty`` without words; ``refused``
        where no option is named and the speaker declines; else ``unparsed``.
    """
    forms = _forms(tuple(options))
    return first_readable(text, clean, partial(_corrected, forms))


def _corrected(forms: Sequence[_Forms], words: str) -> Reading:
    """What a text names, or what it names after it has corrected itself."""

    def after(words: str) -> Reading | None:
        found = _read(forms, words)
        return None if found.value is None else found

    return read_corrected(
        words, names=partial(_names_any, forms), read=partial(_read, forms), after=after
    )


def _names_any(forms: Sequence[_Forms], words: str) -> bool:
    """Whether a text names any option, in whatever manner."""
    found = _mentions(forms, words)
    named = found.declared | found.standing | found.embedded | found.letters
    return bool(named) or found.doubtful or bool(stray_letters(words, len(forms)))


def _read(forms: Sequence[_Forms], words: str) -> Reading:
    """What a cleaned text names, whole."""
    if _TAKEN_BACK.search(words):
        return Reading(None, "unparsed")
    if _DECLINES.search(words) and not _mentions(forms, words).declared:
        return Reading(None, "refused")
    found = _mentions(forms, words)
    if found.contradicted:
        return Reading(None, "unparsed")
    by_text = _by_text(found)
    if by_text is not None:
        letter = next(form.letter for form in forms if form.id == by_text)
        marked = marked_letters(words, len(forms))
        agrees = found.letters <= {letter} and (not marked or letter in marked)
        return Reading(by_text, "answered") if agrees else Reading(None, "unparsed")
    named = found.declared | found.standing | found.embedded
    if named or found.doubtful:
        echoed = len(named) > 1 and not found.doubtful and not found.declared
        by_letter = _by_letter(forms, found.letters) if echoed else None
    else:
        stray = stray_letters(words, len(forms))
        by_letter = _by_letter(forms, found.letters | stray) if found.letters else None
        refuses = _REFUSAL.search(words) or phrases().refusals.search(words)
        if not found.letters | stray and refuses:
            return Reading(None, "refused")
    return Reading(by_letter, "answered") if by_letter else Reading(None, "unparsed")


def _by_text(found: _Mentions) -> str | None:
    """The only option in the text: declared, else alone in a sentence, else within one."""
    if found.declared:
        clear = len(found.declared) == 1 and found.standing_after <= found.declared
        return next(iter(found.declared)) if clear else None
    if found.standing:
        clear = len(found.standing) == 1 and found.embedded_before <= found.standing
        return next(iter(found.standing)) if clear else None
    if len(found.embedded) == 1 and not found.doubtful:
        return next(iter(found.embedded))
    return None


def _by_letter(forms: Sequence[_Forms], letters: set[str]) -> str | None:
    if len(letters) != 1:
        return None
    return next(form.id for form in forms if form.letter in letters)


def _mentions(forms: Sequence[_Forms], words: str) -> _Mentions:
    found = _Mentions()
    parts = segments(words, len(forms))
    whole = len(parts) == 1
    for part in parts:
        standing = _standing(forms, part, bare=whole or bool(part.label) or part.declared)
        if standing is not None and _asked(part.body) and not whole:
            found.doubtful = True
            continue
        if standing is not None:
            _check_label(found, part, standing)
            if part.declared:
                found.declared.add(standing.id)
                found.standing_after.clear()
            else:
                found.standing.add(standing.id)
                found.standing_after.add(standing.id)
            continue
        clear, doubtful = _embedded(forms, part.body)
        found.doubtful |= doubtful
        for form in clear:
            _check_label(found, part, form)
            _note(found, part, form)
        if part.label and not clear:
            found.letters.add(part.label)
            # "A) Submarine" gives an option that was not offered
            found.doubtful |= bool(part.body) and not _EXPLAINING.match(part.body)
    return found


def _note(found: _Mentions, part: Segment, form: _Forms) -> None:
    """Note an option that is named within a longer sentence."""
    if part.declared:
        found.declared.add(form.id)
        found.standing_after.clear()
    elif part.said or part.label:
        found.standing.add(form.id)
        found.standing_after.add(form.id)
    else:
        found.embedded.add(form.id)
        if not found.standing:
            found.embedded_before.add(form.id)


def _check_label(found: _Mentions, part: Segment, form: _Forms) -> None:
    if part.label and part.label != form.letter:
        found.contradicted = True


def _standing(forms: Sequence[_Forms], part: Segment, *, bare: bool) -> _Forms | None:
    """The option that is all that the sentence says."""
    body = plain(part.body)
    for form in forms:
        if body in form.alone or (bare and body in form.bare):
            return form
        if form.brief:
            match = form.pattern.match(part.body)
            if match and _AFTER_BRIEF.match(part.body[match.end() :]):
                others = [f for f in forms if f is not form]
                rest = part.body[match.end() :]
                if not any(_brief_in(other, rest) for other in others):
                    return form
    return None


def _brief_in(form: _Forms, text: str) -> bool:
    """Whether ``text`` has a brief option as a separate word: not the ``no`` of "no doubt"."""
    return any(_AFTER.match(text[match.end() :]) for match in form.pattern.finditer(text))


def _embedded(forms: Sequence[_Forms], body: str) -> tuple[list[_Forms], bool]:
    """Options that a longer sentence names, and whether it names one only doubtfully."""
    clear: list[_Forms] = []
    doubtful = False
    for form in forms:
        for match in form.pattern.finditer(body):
            before, after = body[: match.start()], body[match.end() :]
            if form.brief:
                doubtful |= bool(_AFTER.match(after)) and bool(before.strip())
                continue
            others = {bare for f in forms if f is not form for bare in f.bare}
            sure = (
                not _REJECTION.search(before)
                and not phrases().rejections.search(before)
                and _AFTER.match(after)
                and not _asked(body)
                and not _has_phrase(f"{before} | {after}", others)
            )
            if sure:
                clear.append(form)
            else:
                doubtful = True
    return clear, doubtful


def _asked(sentence: str) -> bool:
    return sentence.rstrip("\"' )").endswith("?")


def _has_phrase(text: str, phrases: set[str]) -> bool:
    return any(re.search(rf"\b{re.escape(phrase)}\b", text, re.I) for phrase in phrases)


@lru_cache(maxsize=4096)
def _forms(options: tuple[Option, ...]) -> tuple[_Forms, ...]:
    return tuple(_form(LABELS[i], option) for i, option in enumerate(options))


def _form(letter: str, option: Option) -> _Forms:
    sentence = plain(option.text)
    predicate = sentence.removeprefix("it was ")
    if predicate == sentence:
        prefix = next((p for p in phrases().prefixes if sentence.startswith(p)), "")
        pattern = rf"(?<![\w'-]){re.escape(sentence)}(?![\w'-])"
        return _Forms(
            id=option.id,
            letter=letter,
            pattern=re.compile(pattern, re.I),
            alone=frozenset({sentence}),
            bare=frozenset({sentence, sentence.removeprefix(prefix), option.id.lower()}),
            brief=len(sentence.split()) <= _BRIEF,
        )
    pattern = rf"(?<![\w'-]){_SUBJECT}\s+was\s+{re.escape(predicate)}(?![\w'-])"
    present = {f"it is {predicate}", f"it's {predicate}", f"is {predicate}"}
    return _Forms(
        id=option.id,
        letter=letter,
        pattern=re.compile(pattern, re.I),
        alone=frozenset({sentence, f"was {predicate}"} | present),
        bare=frozenset({predicate, option.id.lower()}),
        brief=False,
    )
