"""One seat as a Gymnasium environment, all seats as a PettingZoo one, on rules in process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from pettingzoo.utils.env import ParallelEnv

from many_wolves.families.markets.learning.encoding import Array, Encoding
from many_wolves.families.markets.rules.actions import Action
from many_wolves.families.markets.rules.draws import Draws, draw
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.simulation.agents import Agent, Truthful
from many_wolves.families.markets.simulation.play import Cast, luck, play_session, seat_players

POINTS = 10_000.0
"""Rewards are in units of so many points."""
_LIMIT = 10.0
"""Observations are within plus and minus this."""


class SeatEnv(gymnasium.Env):  # type: ignore[misc]  # its types are skipped
    """One seat of sessions in which all others are played by a cast.

    An episode is a session. A reward comes at the end of each round. It is the payoff, in 10,000
    points, minus that of a truthful player in the same seat of the same session. What the truthful
    player earns does not depend on the learner, so it changes the noise and not the aim.

    Parameters
    ----------
    rules, cast, role
        The rules, who sits on the other seats, and the learner's role.
    seed
        Of the first session; each reset goes one further.
    place
        Which seat of the role.
    pool
        After so many sessions, the first one comes again.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(
        self,
        rules: Rules,
        cast: Cast,
        role: str,
        seed: int = 0,
        place: int = 0,
        pool: int = 500,
    ) -> None:
        self.rules, self.role = rules, role
        self.encoding = Encoding(rules, role)
        self.seat = [s for s in rules.seats if rules.role(s) == role][place]
        self._players: Mapping[int, Agent] = seat_players(rules, cast)
        self._first, self._pool, self._resets = seed, pool, 0
        self._known: dict[int, tuple[Draws, list[float]]] = {}
        self.observation_space = _observations(self.encoding)
        self.action_space = _actions(self.encoding)
        self._session: Session
        self._view: View

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Begin a session; ``seed`` is that of its draws."""
        super().reset(seed=seed)
        self._number = self._first + self._resets % self._pool if seed is None else seed
        self._resets += seed is None
        if self._number not in self._known:
            self._known[self._number] = self._draws(self._number)
        draws, self._truthful = self._known[self._number]
        self._session = Session.begin(self.rules, draws, self._number)
        self._turns = dict.fromkeys(self.rules.seats, 0)
        self._paid = 0
        self._forward(None)
        return self.encoding.observe(self._view), {}

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Act, and let the others act until this seat is asked again."""
        self._forward(self.encoding.act(self._view, action))
        earned = _payoffs(self._session, self.seat)
        new = slice(self._paid, len(earned))
        self._paid = len(earned)
        reward = (sum(earned[new]) - sum(self._truthful[new])) / POINTS
        return self.encoding.observe(self._view), reward, self._session.over, False, {}

    def _draws(self, number: int) -> tuple[Draws, list[float]]:
        """Draws of a session, and the payoffs of a truthful player in it."""
        draws = draw(self.rules, number)
        truthful = {**self._players, self.seat: Truthful()}
        session = play_session(self.rules, truthful, number, draws)
        return draws, _payoffs(session, self.seat)

    def _forward(self, own: Action | None) -> None:
        """Play on to the next question of this seat, or to the end."""
        while not self._session.over:
            views = self._session.views()
            if self.seat in views and own is None:
                self._view = views[self.seat]
                return
            actions: dict[int, Action | None] = {}
            for seat, view in views.items():
                if seat == self.seat:
                    actions[seat], own = own, None
                else:
                    chance = luck(self._number, seat, self._turns[seat])
                    actions[seat] = self._players[seat].act(self.rules, view, chance)
                self._turns[seat] += 1
            self._session = self._session.step(actions)


class SessionEnv(ParallelEnv):  # type: ignore[misc]  # its types are skipped
    """All seats of a session, each a learner: the seam to libraries for several agents.

    The reward of a seat is its payoff of a round, in 10,000 points.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "spatial_planning_v0", "render_modes": []}

    def __init__(self, rules: Rules, seed: int = 0) -> None:
        self.rules, self._number = rules, seed - 1
        self.possible_agents = [f"{rules.role(seat)}_{seat}" for seat in rules.seats]
        self._seat = dict(zip(self.possible_agents, rules.seats, strict=True))
        self._encodings = {name: Encoding(rules, rules.role(s)) for name, s in self._seat.items()}
        self.observation_spaces = {n: _observations(e) for n, e in self._encodings.items()}
        self.action_spaces = {n: _actions(e) for n, e in self._encodings.items()}
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> Box:
        """What a seat sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Box:
        """What a seat does."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
        """Begin a session; ``seed`` is that of its draws."""
        self._number = self._number + 1 if seed is None else seed
        draws = draw(self.rules, self._number)
        self._session = Session.begin(self.rules, draws, self._number)
        self.agents = list(self.possible_agents)
        self._paid = 0
        return self._observed(), {name: {} for name in self.agents}

    def step(
        self, actions: dict[str, Array]
    ) -> tuple[
        dict[str, Array],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Let everyone who is asked act; the numbers of others have no effect."""
        views = self._session.views()
        acted = {
            seat: self._encodings[name].act(views[seat], actions[name])
            for name, seat in self._seat.items()
            if seat in views and name in actions
        }
        self._session = self._session.step(acted)
        earned = {name: _payoffs(self._session, seat) for name, seat in self._seat.items()}
        rewards = {name: sum(each[self._paid :]) / POINTS for name, each in earned.items()}
        self._paid = max(map(len, earned.values()))
        names = self.agents
        over = dict.fromkeys(names, self._session.over)
        if self._session.over:
            self.agents = []
        infos: dict[str, dict[str, Any]] = {name: {} for name in names}
        return self._observed(), rewards, over, dict.fromkeys(names, False), infos

    def _observed(self) -> dict[str, Array]:
        return {
            name: self._encodings[name].observe(self._session.view(seat))
            for name, seat in self._seat.items()
        }


def _observations(encoding: Encoding) -> Box:
    return Box(-_LIMIT, _LIMIT, (encoding.observation_size,), np.float32)


def _actions(encoding: Encoding) -> Box:
    return Box(-1, 1, (encoding.action_size,), np.float32)


def _payoffs(session: Session, seat: int) -> list[float]:
    """A seat's payoffs of the rounds that are over."""
    return [r.accounts[seat].payoff for r in session.rounds if r.accounts]
