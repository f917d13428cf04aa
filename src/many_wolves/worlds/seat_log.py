"""The lines of one seat in a session's journal: its questions, what was sent, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from many_wolves.worlds.session_journal import Line, SessionJournal


class SeatLog:
    """Questions of a seat in order, taken up where the journal ends.

    Parameters
    ----------
    journal
        The session's journal.
    seat
        Whose lines.

    Attributes
    ----------
    turn
        Number of the next question.
    open
        The last question where it has no receipt; None else.
    sent
        The action that was sent for it without a receipt; None else.
    """

    def __init__(self, journal: SessionJournal, seat: int) -> None:
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
        """Write down a question; its number."""
        turn = self.turn
        self._write("question", turn=turn, **fields)
        return turn

    def send(self, turn: int, action: Mapping[str, Any]) -> None:
        """Write down an action before it is done."""
        self._write("sent", turn=turn, action=dict(action))

    def receipt(self, turn: int, status: str, why: str) -> None:
        """Write down what came of it."""
        self._write("receipt", turn=turn, status=status, why=why)

    def note(self, event: str, **fields: Any) -> None:
        """Write down another event of this seat."""
        self.journal.write(event, seat=self.seat, **fields)

    def _write(self, event: str, **fields: Any) -> None:
        self.journal.write(event, sync=True, seat=self.seat, **fields)
        self._read(self.journal.lines[-1])
