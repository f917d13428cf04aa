"""The grid of prices, refined for prices between its steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from many_wolves.families.bargaining.model.shared import Index
from many_wolves.families.bargaining.simulation import concession as words
from many_wolves.outcomes import Array

HALVINGS = 8
"""Maximum number of halvings of a step before a move counts as too small."""
_EPS = 1e-9


def fitting_steps(
    gap: Array, step: Array, own: Array, demand: Array, move: npt.NDArray[np.str_]
) -> tuple[Array, Index, npt.NDArray[np.bool_]]:
    """Steps that allow every move, and the kind of each move by them.

    A step is halved only where a move would be impossible with it. Such moves are a split of a
    gap of one step, and a concession between two prices of the grid.

    Parameters
    ----------
    gap, step, own, demand, move
        (N,) as ``simulation.concession.classify`` takes them.

    Returns
    -------
    step, kind, wrong
        (N,) steps, numbers of kinds, and whether no step allows the move.
    """
    step = step.copy()
    for _ in range(HALVINGS + 1):
        kind = words.classify(gap, step, own, demand, move)
        wrong = ~_possible(gap, step, own, demand, kind)
        if not wrong.any():
            break
        step = np.where(wrong, step / 2, step)
    return step, kind, wrong


def _possible(
    gap: Array, step: Array, own: Array, demand: Array, kind: Index
) -> npt.NDArray[np.bool_]:
    """(N,) whether the grid has the move: its kind, and a cell for a concession."""
    at = words.Situations(gap, step, np.zeros((gap.size, 0)))
    found = at.available[np.arange(gap.size), kind]
    conceded = kind == words.KINDS.index("concede")
    fraction = np.where(conceded, (own - demand) / gap, np.nan)
    low, high = words.cell_of(at, fraction)
    half, split = at.relative_step / 2, at.split_half_width
    inside = (fraction > half) & (fraction < 1 - half) & (np.abs(fraction - 0.5) > split - _EPS)
    there = ~conceded | (inside & (high - low > 0.2 * at.relative_step))
    possible: npt.NDArray[np.bool_] = found & there
    return possible
