"""Games of known mixtures of strategies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.mixtures import Plan
from many_wolves.families.dilemmas.model.strategies import Moves, step


def from_prior(plan: Plan, rng: np.random.Generator) -> tuple[Array, Array]:
    """Frequencies (G, K) and trembles (G,) drawn from the prior."""
    G, K = len(plan.groups), len(plan.members)
    tremble = rng.uniform(0, 0.5, size=1 if plan.one_tremble else G)
    return rng.dirichlet(np.ones(K), size=G), np.broadcast_to(tremble, (G,)).copy()


def given_mixture(given: Mapping[str, Any], plan: Plan) -> tuple[Array, Array]:
    """Frequencies by class, for all groups or by group; the rest is zero.

    Raises
    ------
    WolvesError
        If a class is unknown, or frequencies do not sum to one.
    """
    try:
        found, tremble = [], []
        for group in plan.groups:
            own = given.get(group, given)
            named_ = {str(k): float(v) for k, v in own["frequency"].items()}
            unknown = set(named_) - set(plan.names)
            if unknown:
                raise KeyError(sorted(unknown)[0])
            found.append([named_.get(name, 0.0) for name in plan.names])
            tremble.append(float(own["tremble"]))
        frequency = np.array(found)
        if not np.allclose(frequency.sum(axis=1), 1):
            raise ValueError("frequencies do not sum to one")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WolvesError(
            f"a given parameter is missing or invalid: {error}; the classes are "
            f"{', '.join(plan.names)}",
            fix='give {"tremble": 0.1, "frequency": {"always D": 0.4, "always C": 0.6}}',
        ) from error
    return frequency, np.array(tremble)


def play(plan: Plan, frequency: Array, tremble: Array, rng: np.random.Generator) -> Moves:
    """Own moves of all games in the order of the rounds."""
    moves = np.zeros(max(g.rows[1] for g in plan.games), dtype=np.int64)
    for game in plan.games:
        members = plan.members[int(rng.choice(len(plan.members), p=frequency[game.group]))]
        strategy = plan.strategies[int(rng.choice(members))]
        state = 0
        for t, other in enumerate(game.other):
            slip = int(rng.uniform() < tremble[game.group])
            own = strategy.moves[state] ^ slip
            moves[game.rows[0] + t] = own
            state = step(strategy, state, own, int(other))
    return moves
