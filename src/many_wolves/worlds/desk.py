"""The interface between a seat and its speaker: questions, answers, and their outcomes."""

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
        The seat, and the index among the seat's questions, from 0.
    place
        App and page of the session, for tables.
    messages
        The prompt.
    schema
        JSON schema of the answer.
    view
        Machine-readable copy of the page, if the page contains one.
    """

    seat: int
    turn: int
    place: str
    messages: tuple[Message, ...]
    schema: Mapping[str, Any]
    view: Mapping[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """Hash of everything that the speaker sees."""
        prompt = [[message.role, message.content] for message in self.messages]
        return fingerprint([prompt, self.schema])


@dataclass(frozen=True)
class Answer:
    """A filled-in form, or why there is none; ``default`` requests the engine's default."""

    value: Mapping[str, Any] | None
    why: str = ""
    default: bool = False


class Desk(Protocol):
    """Passes the questions of a session's seats to their speakers."""

    def ask(self, question: Question) -> asyncio.Future[Answer]:
        """Open a question; the future is done when the answer has arrived."""
        ...

    def withdraw(self, question: Question, why: str) -> None:
        """Close a question that no longer waits for its answer."""
        ...

    def receipt(self, question: Question, fate: Fate, why: str) -> None:
        """Report the outcome of an answer."""
        ...
