"""Texts of prompts: placeholders, letter case, money, and the course of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.reading.thoughts import without_thoughts
from many_wolves.records import Message, Response
from many_wolves.sources import Source, quoted


def filled(source: Source, **values: Any) -> str:
    """A text of the wording with its placeholders filled.

    Raises
    ------
    WolvesError
        If it names a placeholder that is not known there, or has an unmatched brace.
    """
    return fill(source.words(), source, **values)


def fill(text: str, at: Source | None = None, **values: Any) -> str:
    """A text with its placeholders filled; ``at`` is the place that a fault names."""
    try:
        return text.format_map(values)
    except (KeyError, ValueError, IndexError, AttributeError) as fault:
        problem = f"expected the placeholders {quoted(values)}, found an error: {fault}"
        fix = "write one of them in braces, or double a literal brace"
        if at is None:
            raise WolvesError(problem, fix=fix) from fault
        raise at.error(f"{problem} in `{at.name}`", fix) from fault


def template(source: Source, *names: str) -> str:
    """A text that is filled later, with ``names``; checked now."""
    filled(source, **dict.fromkeys(names, "1"))
    return source.words()


def cased(text: str, case: str) -> str:
    """A text in the letters that a condition asks for."""
    if case == "lower":
        return text.lower()
    return text.upper() if case == "upper" else text


def plain_number(amount: float) -> str:
    """An amount without needless digits: ``3``, ``2.50``."""
    return str(int(amount)) if float(amount).is_integer() else f"{amount:.2f}"


def talk(
    questions: Sequence[str], answers: Sequence[str], case: str = "as written"
) -> tuple[Message, ...]:
    """Questions and the answers to all but the last, as messages.

    What the speaker said stays as it said it, without its thoughts.
    """
    messages: list[Message] = []
    for place, question in enumerate(questions):
        messages.append(Message("user", cased(question, case)))
        if place < len(answers):
            said = without_thoughts(answers[place])
            messages.append(Message("assistant", said))
    return tuple(messages)


def said(response: Response) -> str:
    """What the speaker said; where options were scored, the words of the one it chose."""
    if response.text.strip():
        return response.text
    return next(option.text for option in response.options if option.id == response.value)
