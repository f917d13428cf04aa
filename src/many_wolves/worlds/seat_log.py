"""The lines of one seat in a session's journal: questions, sent actions, outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from many_wolves.worlds.session_log import Line, SessionLog


class SeatLog:
    """Questions of a seat in order, resumed from the end of the journal.

    Parameters
    ----------
    journal
        The session's journal.
    seat
        The seat.

    Attributes
    ----------
    turn
        Number of the next question.
    open
        The last question if it has no receipt; otherwise None.
    sent
        The action that was sent for it without a receipt; otherwise None.
    """

    def __init__(self, journal: SessionLog, seat: int) -> None:
        self.journal, self.seat = journal, seat
        self.turn = 0
        self.open: Line | None = None
        self.sent: Mapping[str, Any] | None = None
        for line in journal.lines:
            if line.get("seat") == seat:
                self._read(line)

    def _read(self, line: Line) -> None:
        match line["event"]:
            case "question":
                self.turn, self.open, self.sent = line["turn"] + 1, line, None
            case "sent":
                self.sent = line["action"]
            case "receipt":
                self.open = self.sent = None

    def question(self, **fields: Any) -> int:
        """Record a question; return its number."""
        turn = self.turn
        self._write("question", turn=turn, **fields)
        return turn

    def send(self, turn: int, action: Mapping[str, Any]) -> None:
        """Record an action before performing it."""
        self._write("sent", turn=turn, action=dict(action))

    def receipt(self, turn: int, status: str, why: str) -> None:
        """Record the outcome of an action."""
        self._write("receipt", turn=turn, status=status, why=why)

    def note(self, event: str, **fields: Any) -> None:
        """Record another event of this seat."""
        self.journal.write(event, seat=self.seat, **fields)

    def _write(self, event: str, **fields: Any) -> None:
        self.journal.write(event, sync=True, seat=self.seat, **fields)
        self._read(self.journal.lines[-1])
