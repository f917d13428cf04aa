"""Strategies of the repeated prisoner's dilemma as automata, and which can be distinguished.

Dal Bo & Frechette (2011, doi:10.1257/aer.101.1.411).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from many_wolves.contracts import Array

Moves = npt.NDArray[np.int64]
"""0 is C, 1 is D; ``UNKNOWN`` may stand for the other's move in a game's last round."""
UNKNOWN = 2


@dataclass(frozen=True)
class Strategy:
    """A finite automaton.

    Parameters
    ----------
    name
        In tables.
    moves
        Move that each state prescribes; the first state opens the game.
    steps
        State -> next state after (own, other) = CC, CD, DC, DD.
    """

    name: str
    moves: tuple[int, ...]
    steps: tuple[tuple[int, int, int, int], ...]


STRATEGIES = (
    Strategy("always C", (0,), ((0, 0, 0, 0),)),
    Strategy("always D", (1,), ((0, 0, 0, 0),)),
    Strategy("tit for tat", (0, 1), ((0, 1, 0, 1), (0, 1, 0, 1))),
    Strategy("suspicious tit for tat", (1, 0), ((1, 0, 1, 0), (1, 0, 1, 0))),
    # Defects for good once either player has defected.
    Strategy("grim", (0, 1), ((0, 1, 1, 1), (1, 1, 1, 1))),
    Strategy("win-stay lose-shift", (0, 1), ((0, 1, 1, 0), (0, 1, 1, 0))),
    Strategy("tit for two tats", (0, 0, 1), ((0, 1, 0, 1), (0, 2, 0, 2), (0, 2, 0, 2))),
)
UNCONDITIONAL = ("always C", "always D")


def step(strategy: Strategy, state: int, own: int, other: int) -> int:
    """The state after a round; the same one where the other's move is not known."""
    return state if other == UNKNOWN else strategy.steps[state][2 * own + other]


def prescribed(strategy: Strategy, own: Moves, other: Moves) -> Moves:
    """(rounds,) what the strategy prescribes in each round, given the moves really played."""
    found = np.empty(own.size, dtype=np.int64)
    state = 0
    for t in range(own.size):
        found[t] = strategy.moves[state]
        state = step(strategy, state, int(own[t]), int(other[t]))
    return found


def faithful(strategy: Strategy, other: Moves) -> Moves:
    """(rounds,) the strategy's moves without trembles, against a partner's moves."""
    found = np.empty(other.size, dtype=np.int64)
    state = 0
    for t in range(other.size):
        found[t] = strategy.moves[state]
        state = step(strategy, state, int(found[t]), int(other[t]))
    return found


def cooperation(strategy: Strategy, other: Moves, tremble: Array) -> Array:
    """(..., rounds) probability of C in each round against a partner's moves.

    Parameters
    ----------
    tremble
        (...,) probability of a move that is not prescribed.
    """
    states = np.zeros((*tremble.shape, len(strategy.moves)))
    states[..., 0] = 1.0
    found = np.empty((*tremble.shape, other.size))
    for t in range(other.size):
        after = np.zeros_like(states)
        chance = np.zeros(tremble.shape)
        for s, move in enumerate(strategy.moves):
            p_c = (1 - tremble) if move == 0 else tremble
            chance += states[..., s] * p_c
            for own, p in ((0, p_c), (1, 1 - p_c)):
                after[..., step(strategy, s, own, int(other[t]))] += states[..., s] * p
        found[..., t] = chance
        states = after
    return found


def classes(strategies: Sequence[Strategy], partners: Sequence[Moves]) -> list[list[int]]:
    """Indices of strategies that play alike against all of these partners' moves.

    Each class lists its members in their order; classes come in the order of their first.
    Strategies of one class make the same moves in every game, except for trembles: how often
    each is played cannot be learnt from the games.
    """
    found: dict[tuple[int, ...], list[int]] = {}
    for number, strategy in enumerate(strategies):
        path = np.concatenate([faithful(strategy, other) for other in partners])
        found.setdefault(tuple(path.tolist()), []).append(number)
    return list(found.values())


def named(strategies: Sequence[Strategy], groups: Sequence[Sequence[int]]) -> list[str]:
    """A name for each class: that of its members."""
    return [" or ".join(strategies[i].name for i in members) for members in groups]
