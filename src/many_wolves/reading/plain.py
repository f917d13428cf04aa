"""A reader for every answer type, for families that have no reader."""

from __future__ import annotations

import re

from many_wolves.contracts import Reading
from many_wolves.reading.answers import answers_in
from many_wolves.reading.numbers import read_number
from many_wolves.reading.objects import read_form
from many_wolves.reading.refusals import declines
from many_wolves.reading.thoughts import without_thoughts
from many_wolves.records import LABELS, Choose, Form, Number, Question, Text


def read(question: Question, text: str) -> Reading:
    """Read the answer to a question from a text; nothing is guessed.

    Parameters
    ----------
    question
        A trial, a response or any other question.
    text
        The answer as the speaker wrote it, thoughts included.

    Returns
    -------
    Reading
        A value of the question's answer type with the status ``answered``, or no value and
        ``empty``, ``refused`` or ``unparsed``.
    """
    match question.answer:
        case Choose():
            return read_option(question.answer, text)
        case Number():
            return read_number(question.answer, text)
        case Text():
            return read_text(question.answer, text)
        case Form():
            return read_form(question.answer, text)


def read_text(answer: Text, text: str) -> Reading:
    """The text of an answer without thoughts, cut to its maximum length."""
    words = without_thoughts(text)
    if not words:
        return Reading(None, "unparsed" if text.strip() else "empty")
    return Reading(words[: answer.max_chars].rstrip(), "answered")


def read_option(answer: Choose, text: str) -> Reading:
    """The option that the whole answer or its first line gives by its text, id or letter."""
    words = answers_in(text)[0]
    if not words:
        return Reading(None, "unparsed" if text.strip() else "empty")
    for part in (words, words.splitlines()[0]):
        found = {
            option.id
            for letter, option in zip(LABELS, answer.options, strict=False)
            if _plain(part) in _names(letter, option.text, option.id)
        }
        if len(found) == 1:
            return Reading(found.pop(), "answered")
    return Reading(None, "refused" if declines(words) else "unparsed")


def _names(letter: str, text: str, id: str) -> set[str]:
    """Texts that identify an option: ``a``, ``a it was good``, ``it was good``, its id."""
    letter, text = letter.lower(), _plain(text)
    return {letter, f"{letter} {text}", text, _plain(id)}


def _plain(words: str) -> str:
    return re.sub(r"[^\w$€£%.-]+", " ", words.lower()).strip(" .-")
