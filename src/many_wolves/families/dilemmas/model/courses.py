"""The course of cooperation: observed, and predicted by a mixture of strategies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from many_wolves.contracts import Array
from many_wolves.families.dilemmas.model.mixtures import Game, Plan, word
from many_wolves.families.dilemmas.model.strategies import cooperation

ARMS = 4
"""Sequences of a partner's moves, the most frequent of each group, that a course is shown for."""


@dataclass(frozen=True)
class Course:
    """Share of C by arm (group and partner's moves) and round, and games; NaN after the end."""

    arms: tuple[str, ...]
    share: Array
    games: Array


def arms_of(plan: Plan) -> dict[tuple[int, tuple[int, ...]], list[Game]]:
    """(group, partner's moves) -> games, for the ``ARMS`` most frequent moves of each group."""
    found: dict[tuple[int, tuple[int, ...]], list[Game]] = {}
    for game in plan.games:
        found.setdefault((game.group, tuple(game.other.tolist())), []).append(game)
    most = sorted(found.items(), key=lambda item: -sum(g.count for g in item[1]))
    kept = [
        item
        for group in range(len(plan.groups))
        for item in [pair for pair in most if pair[0][0] == group][:ARMS]
    ]
    return dict(kept)


def course_of(plan: Plan) -> Course:
    """The observed course of cooperation."""
    arms = arms_of(plan)
    longest = max(len(other) for _, other in arms)
    share = np.full((len(arms), longest), np.nan)
    for row, games in zip(share, arms.values(), strict=True):
        weight = np.array([g.count for g in games])
        own = np.array([g.own for g in games])
        row[: own.shape[1]] = (weight[:, None] * (own == 0)).sum(axis=0) / weight.sum()
    names = tuple(f"{plan.groups[g]} against {word(other)}" for g, other in arms)
    return Course(names, share, np.array([sum(g.count for g in games) for games in arms.values()]))


def predicted_course(plan: Plan, frequency: Array, tremble: Array) -> Array:
    """(..., arms, rounds) probability of C, by arm and round; NaN after the end.

    Parameters
    ----------
    frequency, tremble
        (..., G, K) and (..., G).
    """
    arms = list(arms_of(plan))
    longest = max(len(other) for _, other in arms)
    found = np.full((*tremble.shape[:-1], len(arms), longest), np.nan)
    for a, (g, other) in enumerate(arms):
        moves = np.array(other, dtype=np.int64)
        total = np.zeros((*tremble.shape[:-1], moves.size))
        for k, members in enumerate(plan.members):
            for i in members:
                each = cooperation(plan.strategies[i], moves, tremble[..., g])
                total += frequency[..., g, k, None] / len(members) * each
        found[..., a, : moves.size] = total
    return found
