"""Games of known memory-one strategies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.decisions import Known
from many_wolves.families.dilemmas.model.rounds import CONTEXTS, Rounds, replayed
from many_wolves.observations import Observations


def play(
    table: Observations, rounds: Rounds, coefficient: Array, rng: np.random.Generator
) -> pd.DataFrame:
    """Rounds with moves from known coefficients (5 or 6, J), all games at once."""
    frame = rounds.frame
    if (frame["count"] != 1).any():
        raise WolvesError(
            "games can be simulated only where every row of the table is one round",
            where=str(table.meta.get("path", "the table of rounds")),
            column="count",
            fix="remove the column count, and give every round a row",
        )
    own = np.zeros(len(frame), dtype=int)
    other = (frame["other"] == "D").to_numpy().astype(int)
    numbers = frame["round"].to_numpy()
    last = frame["last"].to_numpy(dtype=float)
    for number in range(1, int(numbers.max()) + 1):
        rows = np.flatnonzero(numbers == number)
        # Rounds of a game stand one after another.
        context = 1 + 2 * own[rows - 1] + other[rows - 1] if number > 1 else 0 * rows
        who = rounds.participant[rows]
        odds = coefficient[context, who]
        if coefficient.shape[0] > len(CONTEXTS):
            odds = odds + last[rows] * coefficient[-1, who]
        own[rows] = rng.uniform(size=rows.size) > 1 / (1 + np.exp(-odds))
    return replayed(table, frame, own)


def given_strategies(given: Mapping[str, Any], rounds: Rounds, names: Sequence[str]) -> Known:
    """The same known coefficients for every participant, or those of each group.

    Raises
    ------
    WolvesError
        If a coefficient is missing.
    """
    K, J = len(names), len(rounds.levels.participants)
    try:
        each = [
            [float(given.get(group, given)[name]) for name in names]
            for group, _ in rounds.levels.participants
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise WolvesError(
            f"a given coefficient is missing or invalid: {error}",
            fix='give log-odds of C, {"start": 1, "CC": 2, "CD": -1, "DC": 0, "DD": -1, '
            '"last round": 0}, or a group\'s name in front of such',
        ) from error
    coefficient = np.array(each).T.reshape(K, J)
    return Known(coefficient, np.zeros(0), np.zeros(0), np.zeros(0))
