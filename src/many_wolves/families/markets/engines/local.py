"""The engine ``local``: sessions in process, without clock or network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.task.cells import Played, seat_name
from many_wolves.families.markets.task.compiler import FAMILY, PLANNING
from many_wolves.families.markets.task.course import Course, OpenTurn
from many_wolves.families.markets.task.prompts import prompt
from many_wolves.families.markets.task.unread import why_unread
from many_wolves.records import Form, Response, Trial
from many_wolves.worlds.protocol import COMPLETE, UNANSWERED, Episode, Observation, Turn

LOCAL = "local"


class LocalWorld:
    """Sessions of the spatial planning experiment by our own rules."""

    remote = False

    def begin(self, episode: Episode, wake: Callable[[], None]) -> LocalSession:
        """A session at its beginning: answers that are there already are handed to it."""
        return LocalSession(episode)

    def close(self) -> None:
        """Nothing to give back."""


class LocalSession:
    """A session that is asked stage by stage.

    A seat whose speaker failed stays unanswered. The session ends as ``UNANSWERED`` when the others
    of its stage have answered, and a later run resumes it.
    """

    def __init__(self, episode: Episode) -> None:
        self._episode = episode
        self._played = Played.of(episode.opening.cell)
        rules = self._played.rules
        session = Session.begin(rules, self._played.draws, self._played.seed)
        self._course = Course(session)
        self._turns: dict[str, tuple[Turn, OpenTurn]] = {}
        self._failed: set[int] = set()

    def observe(self) -> Observation:
        """The questions that are open, or how the session ended."""
        if self._course.over:
            return Observation(ended=COMPLETE)
        known = {asked.turn for _, asked in self._turns.values()}
        for asked in self._course.open.values():
            if asked.turn not in known and asked.seat not in self._failed:
                turn = self._turn(asked)
                self._turns[turn.trial.id] = (turn, asked)
        if not self._turns:
            return Observation(ended=UNANSWERED)
        return Observation(tuple(turn for turn, _ in self._turns.values()))

    def act(self, response: Response, *, perhaps_sent: bool = False) -> None:
        """Take an answer."""
        _, asked = self._turns.pop(response.trial_id)
        if response.status == "failed":
            self._failed.add(asked.seat)
            return
        answer = response.value if isinstance(response.value, dict) else None
        rules = self._played.rules
        unread = "" if answer is not None else why_unread(rules, asked.view, asked.seat, response)
        self._course.take(asked.seat, answer, unread)

    def close(self) -> None:
        """Nothing to let go of."""

    def _turn(self, asked: OpenTurn) -> Turn:
        rules, script = self._played.rules, self._episode.opening.script
        seat = seat_name(rules, asked.seat)
        persona = script["personas"].get(seat, {"name": "", "text": ""})
        schema = self._course.form(asked)
        simulated = self._episode.seats[seat].provider == "simulated"
        trial = Trial(
            FAMILY,
            PLANNING,
            turn_cell(self._episode.opening.cell, rules, asked, persona["name"]),
            Form(schema),
            messages=prompt(script["wording"], rules, asked.view, schema, persona["text"]),
            script={"view": asked.view.to_json()} if simulated else {},
            episode=self._episode.id,
            turn=asked.turn,
            seat=seat,
        )
        return Turn(trial, seat)


def turn_cell(session: Any, rules: Rules, asked: OpenTurn, persona: str) -> dict[str, Any]:
    """The cell of a question: the session, and the place in it."""
    view = asked.view
    return {
        **session,
        "engine": LOCAL,
        "round": view.round,
        "stage": view.stage,
        "tick": view.tick,
        "attempt": asked.attempt,
        "role": rules.role(asked.seat),
        "persona": persona,
    }
