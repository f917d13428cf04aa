"""Parts that the problems of all models share: levels, coordinates, draws, weights of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from many_wolves.contracts import Variable
from many_wolves.families.bargaining.model.levels import Levels
from many_wolves.outcomes import Array

FAMILY = "bargaining"
FOLDER = "bargain-model/stan_model"
Index = npt.NDArray[np.int64]


def level_data(levels: Levels, *, chains: bool, games: bool) -> dict[str, Any]:
    """Stan data of the levels, chains and games as far as they may differ."""
    data = levels.data()
    data["by_chain"] = int(chains and levels.by_chain)
    data["by_game"] = int(games and levels.by_game)
    return data


def level_variables(
    data: Mapping[str, Any], coordinates: Sequence[str], dim: str
) -> list[Variable]:
    """The standard deviations of the levels that there are."""
    K = len(coordinates)
    found = [
        Variable("posterior", f"sd_{level}", f"sd_{level}", (dim,), (K,))
        for level in ("group", "participant", "partner")
        if data.get(f"by_{level}")
    ]
    return found + [
        Variable("posterior", f"sd_{level}", f"sd_{level}", (), (1,), row=0)
        for level in ("chain", "game")
        if data.get(f"by_{level}")
    ]


def level_coords(levels: Levels) -> dict[str, Sequence[str]]:
    """Names of groups, role prompts and games."""
    return {
        "group": levels.groups,
        "participant": levels.participants,
        "episode": levels.games,
    }


def counts_by_game(levels: Levels, kind: Index, kinds: int, weight: Array | None = None) -> Array:
    """(E, K) moves of each kind in every game; ``kind`` counts from 0."""
    counts = np.zeros((len(levels.games), kinds))
    np.add.at(counts, (levels.game, kind), np.ones(kind.size) if weight is None else weight)
    return counts


def left_out(levels: Levels, kind: Index, kinds: Sequence[str], part: Mapping[str, Any]) -> Array:
    """(N,) weights of rows without the games, or the moves of a kind in a game, that are named."""
    gone = np.ones(kind.size, dtype=bool)
    if "episode" in part:
        gone &= levels.game == levels.games.index(str(part["episode"]))
    if "move" in part:
        gone &= kind == list(kinds).index(str(part["move"]))
    return np.where(gone, 0.0, 1.0)


def by_group(levels: Levels, each: Array) -> Array:
    """(..., G) means of (..., J) quantities of role prompts over those of each group."""
    of = levels.of_participant
    parts = [each[..., of == g].mean(axis=-1) for g in range(len(levels.groups))]
    found: Array = np.stack(parts, axis=-1)
    return found


def group_of_games(levels: Levels) -> Index:
    """(E,) group of each game."""
    found = np.zeros(len(levels.games), dtype=np.int64)
    found[levels.game] = levels.of_participant[levels.participant]
    return found
