"""The course of a session: open seats, numbers of questions, effects of answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from many_wolves.families.markets.rules.actions import Action, form, refusal
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.play import stages
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.rules.view import View, refused

ATTEMPTS = 3
"""Refused answers to a question before the default of its stage is taken."""


class OpenTurn(NamedTuple):
    """A question that is open.

    Parameters
    ----------
    seat
        Number of the seat.
    attempt
        How many answers to it were refused before.
    turn
        Its number in the session: it depends on stage, seat and attempt alone.
    view
        What the seat sees.
    """

    seat: int
    attempt: int
    turn: int
    view: View


class Course:
    """A session in process, question by question.

    Parameters
    ----------
    session
        The session, at its first stage.

    Attributes
    ----------
    session
        As far as it has been played.
    open
        The open questions, by seat.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.open: dict[int, OpenTurn] = {}
        self._step = 0
        self._actions: dict[int, Action | None] = {}
        self._ask()

    @property
    def over(self) -> bool:
        """Whether the session has ended."""
        return self.session.over

    def take(self, seat: int, answer: Action | None, unread: str = "") -> str:
        """Take the answer of a seat; the default of the stage after the last attempt.

        Parameters
        ----------
        seat
            A seat in ``open``.
        answer
            A form; None where there is none.
        unread
            Why there is none, in a sentence for the seat.

        Returns
        -------
        str
            Why the answer is refused; empty where it counts.
        """
        asked = self.open.pop(seat)
        rules = self.session.rules
        why = unread if answer is None else refusal(rules, asked.view, seat, answer)
        if not why:
            self._actions[seat] = answer
        elif asked.attempt + 1 < ATTEMPTS:
            turn = self._turn(seat, asked.attempt + 1)
            self.open[seat] = OpenTurn(seat, asked.attempt + 1, turn, refused(asked.view, why))
        else:
            self._actions[seat] = None
        if not self.open:
            self.session = self.session.step(self._actions)
            self._step += 1
            self._ask()
        return why

    def form(self, asked: OpenTurn) -> dict[str, object]:
        """The JSON schema of an open question."""
        return form(self.session.rules, asked.view, asked.seat)

    def _ask(self) -> None:
        self._actions = {}
        for seat, view in self.session.views().items():
            self.open[seat] = OpenTurn(seat, 0, self._turn(seat, 0), view)

    def _turn(self, seat: int, attempt: int) -> int:
        return (self._step * ATTEMPTS + attempt) * len(self.session.rules.seats) + seat - 1


def turns_by_role(rules: Rules) -> Mapping[str, int]:
    """Questions of one seat in a whole session, where no answer is refused."""
    long = {"market": rules.ticks, "talk": rules.talk, "second_talk": rules.talk}
    roles = {
        "first_declaration": ("owner", "developer"),
        "final_declaration": ("owner", "developer"),
        "first_purchases": ("speculator",),
        "final_purchases": ("speculator",),
        "request": ("owner",),
        "vote": ("owner",),
        "offer": ("developer",),
    }
    everyone = ("owner", "developer", "speculator")
    found = dict.fromkeys(everyone, 0)
    for stage in stages(rules)[:-1]:
        for role in roles.get(stage, everyone):
            found[role] += long.get(stage, 1) * len(rules.round_numbers)
    return found
