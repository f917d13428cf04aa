"""Between a seat and whoever answers for it: questions, answers, what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from many_wolves.files import fingerprint
from many_wolves.records import Message

Fate = Literal["accepted", "refused", "unknown", "stale", "defaulted"]


@dataclass(frozen=True)
class Question:
    """An open question of a seat.

    Parameters
    ----------
    seat, turn
        Whose it is, and its number among the seat's questions, from 0.
    place
        App and page of the session, for tables.
    messages
        The prompt.
    schema
        JSON schema of the answer.
    view
        Machine-readable copy of the page, where the page carries one.
    """

    seat: int
    turn: int
    place: str
    messages: tuple[Message, ...]
    schema: Mapping[str, Any]
    view: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """Hash of all that the answerer sees."""
        prompt = [[message.role, message.content] for message in self.messages]
        return fingerprint([prompt, self.schema])


@dataclass(frozen=True)
class Answer:
    """A filled-in form, or why there is none; ``default`` asks for the engine's default."""

    value: Mapping[str, Any] | None
    why: str = ""
    default: bool = False


class Desk(Protocol):
    """Who answers the questions of a session's seats."""

    def ask(self, question: Question) -> asyncio.Future[Answer]:
        """Open a question; the future is done when the answer is there."""
        ...

    def withdraw(self, question: Question, why: str) -> None:
        """Close a question that no longer waits for its answer."""
        ...

    def receipt(self, question: Question, fate: Fate, why: str) -> None:
        """Say what became of an answer."""
        ...
