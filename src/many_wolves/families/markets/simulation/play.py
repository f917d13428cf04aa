"""Whole sessions of scripted players, in process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np

from many_wolves.families.markets.rules.draws import Draws, draw
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.simulation.agents import Agent

Cast = Mapping[str, Sequence[Agent]]
"""Role -> players, who take its seats in turn."""


def seat_players(rules: Rules, cast: Cast) -> dict[int, Agent]:
    """Players by seat: those of a role take its seats in turn.

    Raises
    ------
    KeyError
        If a role has no player.
    """
    seated: dict[int, Agent] = {}
    places: dict[str, int] = {}
    for seat in rules.seats:
        role = rules.role(seat)
        place = places.get(role, 0)
        seated[seat] = cast[role][place % len(cast[role])]
        places[role] = place + 1
    return seated


def play_session(
    rules: Rules, players: Mapping[int, Agent], seed: int, draws: Draws | None = None
) -> Session:
    """A session from beginning to end.

    Parameters
    ----------
    rules
        The rules.
    players
        Player by seat.
    seed
        Seed of the draws, the order of simultaneous actions, and the players. Each question has its
        own generator, so that a change of one player does not change the draws of another.
    draws
        Given draws instead.
    """
    session = Session.begin(rules, draws or draw(rules, seed), seed)
    turns = dict.fromkeys(rules.seats, 0)
    while not session.over:
        actions = {}
        for seat, view in session.views().items():
            actions[seat] = players[seat].act(rules, view, luck(seed, seat, turns[seat]))
            turns[seat] += 1
        session = session.step(actions)
    return session


def luck(seed: int, seat: int, turn: int) -> np.random.Generator:
    """The generator of one question: the same whenever, and however often, it is asked."""
    return cast(np.random.Generator, _Luck(seed, seat, turn))


class _Luck:
    """A generator that is made when it is first used: most questions are answered without one."""

    def __init__(self, *seed: int) -> None:
        self._seed = seed

    @cached_property
    def _generator(self) -> np.random.Generator:
        return np.random.default_rng(self._seed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._generator, name)
