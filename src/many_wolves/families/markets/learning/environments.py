"""One seat as a Gymnasium environment, all seats as a PettingZoo one, on rules in process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from pettingzoo.utils.env import ParallelEnv

from many_wolves.families.markets.learning.encoding import Array, Encoding
from many_wolves.families.markets.rules.draws import draw
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.round import Account
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.simulation.agents import Agent
from many_wolves.families.markets.simulation.play import Cast, luck, seat_players

POINTS = 10_000.0
"""Rewards are in units of so many points."""


class SeatEnv(gymnasium.Env[Array, Array]):
    """One seat of sessions in which all others are played by a cast.

    An episode is a session; the reward comes at the end of each round: its payoff beyond the
    own value of land under the chosen condition and the endowment, in 10,000 points.

    Parameters
    ----------
    rules, cast, role
        The rules, who sits on the other seats, and the learner's role.
    seed
        Of the first session; each reset goes one further.
    place
        Which seat of the role.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}

    def __init__(self, rules: Rules, cast: Cast, role: str, seed: int = 0, place: int = 0) -> None:
        self.rules, self.role = rules, role
        self.encoding = Encoding(rules, role)
        self.seat = [s for s in rules.seats if rules.role(s) == role][place]
        self._players: Mapping[int, Agent] = seat_players(rules, cast)
        self._next = seed
        high = np.full(self.encoding.observation_size, 10, np.float32)
        self.observation_space = Box(-high, high, dtype=np.float32)
        self.action_space = Box(-1, 1, (self.encoding.action_size,), np.float32)
        self._session: Session | None = None
        self._view: View | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Begin a session; ``seed`` is that of its draws."""
        super().reset(seed=seed)
        number = self._next if seed is None else seed
        self._next = number + 1
        self._number = number
        self._session = Session.begin(self.rules, draw(self.rules, number), number)
        self._turns = dict.fromkeys(self.rules.seats, 0)
        self._paid = 0
        self._forward(None)
        return self._observation(), {}

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Act, and let the others act until this seat is asked again."""
        assert self._view is not None
        self._forward(self.encoding.act(self._view, action))
        over = self._session is not None and self._session.over
        return self._observation(), self._reward(), over, False, {}

    def _forward(self, own: Any) -> None:
        """Play on to the next question of this seat, or to the end."""
        assert self._session is not None
        while not self._session.over:
            views = self._session.views()
            if self.seat in views and own is None:
                self._view = views[self.seat]
                return
            actions = {}
            for seat, view in views.items():
                if seat == self.seat:
                    actions[seat], own = own, None
                    continue
                chance = luck(self._number, seat, self._turns[seat])
                actions[seat] = self._players[seat].act(self.rules, view, chance)
                self._turns[seat] += 1
            self._session = self._session.step(actions)

    def _observation(self) -> Array:
        assert self._view is not None
        return self.encoding.observe(self._view)

    def _reward(self) -> float:
        """Rewards of the rounds that ended since the last step."""
        assert self._session is not None
        ended = [r for r in self._session.rounds if r.accounts]
        new = ended[self._paid :]
        self._paid = len(ended)
        return sum(reward(self.rules, self.role, r.accounts[self.seat]) for r in new)


def reward(rules: Rules, role: str, account: Account) -> float:
    """A round's payoff beyond the land's value and the endowed cash, in 10,000 points."""
    endowed = 0.0 if rules.mechanism == "voting" else rules.terms(role).cash
    return (account.payoff - account.value - endowed) / POINTS


class SessionEnv(ParallelEnv[str, Array, Array]):
    """All seats of a session, each a learner: the seam to libraries for several agents."""

    metadata: ClassVar[dict[str, Any]] = {"name": "spatial_planning_v0", "render_modes": []}

    def __init__(self, rules: Rules, seed: int = 0) -> None:
        self.rules, self._next = rules, seed
        self.possible_agents = [f"{rules.role(seat)}_{seat}" for seat in rules.seats]
        self._seat = dict(zip(self.possible_agents, rules.seats, strict=True))
        self._encodings = {name: Encoding(rules, rules.role(s)) for name, s in self._seat.items()}
        self.agents: list[str] = []

    def observation_space(self, agent: str) -> Box:
        """What a seat sees."""
        return Box(-10, 10, (self._encodings[agent].observation_size,), np.float32)

    def action_space(self, agent: str) -> Box:
        """What a seat does."""
        return Box(-1, 1, (self._encodings[agent].action_size,), np.float32)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
        """Begin a session."""
        number = self._next if seed is None else seed
        self._next = number + 1
        self._session = Session.begin(self.rules, draw(self.rules, number), number)
        self.agents = list(self.possible_agents)
        self._paid = 0
        return self._observations(), {name: {} for name in self.agents}

    def step(
        self, actions: dict[str, Array]
    ) -> tuple[
        dict[str, Array],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Let everyone who is asked act; the actions of others are passed over."""
        views = self._session.views()
        acted = {
            seat: self._encodings[name].act(views[seat], actions[name])
            for name, seat in self._seat.items()
            if seat in views and name in actions
        }
        self._session = self._session.step(acted)
        ended = [r for r in self._session.rounds if r.accounts]
        new, self._paid = ended[self._paid :], len(ended)
        rewards = {
            name: sum(reward(self.rules, self.rules.role(s), r.accounts[s]) for r in new)
            for name, s in self._seat.items()
        }
        over = dict.fromkeys(self.agents, self._session.over)
        observations = self._observations()
        infos: dict[str, dict[str, Any]] = {name: {} for name in self.agents}
        going = dict.fromkeys(self.agents, False)
        if self._session.over:
            self.agents = []
        return observations, rewards, over, going, infos

    def _observations(self) -> dict[str, Array]:
        return {
            name: self._encodings[name].observe(self._session.view(seat))
            for name, seat in self._seat.items()
        }
