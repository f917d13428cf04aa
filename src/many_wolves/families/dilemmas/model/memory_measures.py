"""Measures of memory-one strategies: cooperation, retaliation, forgiveness, spite, end game."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from many_wolves.contracts import Array
from many_wolves.families.dilemmas.model.levels import Levels
from many_wolves.families.dilemmas.model.rounds import CONTEXTS

MEASURES = ("cooperation", "opening", "retaliation", "forgiveness", "spite", "endgame_drop")


@dataclass(frozen=True)
class Situations:
    """Situations that were met, and how often.

    Parameters
    ----------
    participant, context
        (N,) indices of who decided, and after what.
    last
        (N,) whether in the last round.
    decisions
        (N,) how often.
    """

    participant: np.ndarray
    context: np.ndarray
    last: np.ndarray
    decisions: Array


def measures(coefficient: Array, met: Situations, levels: Levels) -> dict[str, Array]:
    """Measures of every group, functions of the coefficients alone.

    Parameters
    ----------
    coefficient
        (..., K, J) log-odds of C after start, CC, CD, DC, DD; with a sixth, the change in
        the last round.

    Returns
    -------
    dict
        ``p_c`` (..., 5, G): probability of C after each context, the mean over the
        group's participants. The others have the shape (..., G).
        - ``cooperation``: share of C in the situations that were met.
        - ``opening``: C at the start.
        - ``retaliation``: D after CD, where the other defected on a cooperator.
        - ``forgiveness``: C after DC, where the other came back.
        - ``spite``: both D after CD and D after the DC that follows.
        - ``endgame_drop``: how much less C in the last round, over the contexts in which
          it was met.
    """
    p = expit(coefficient[..., : len(CONTEXTS), :])
    cd, dc = CONTEXTS.index("CD"), CONTEXTS.index("DC")
    found = {
        "p_c": _mean(p, levels),
        "opening": _mean(p[..., 0, :], levels),
        "retaliation": _mean(1 - p[..., cd, :], levels),
        "forgiveness": _mean(p[..., dc, :], levels),
        "spite": _mean((1 - p[..., cd, :]) * (1 - p[..., dc, :]), levels),
    }
    plain = coefficient[..., met.context, met.participant]
    changed = plain
    if coefficient.shape[-2] > len(CONTEXTS) and met.last.any():
        changed = plain + met.last * coefficient[..., len(CONTEXTS), :][..., met.participant]
        drop = expit(plain) - expit(changed)
        found["endgame_drop"] = _weighted(drop, met.decisions * met.last, met, levels)
    found["cooperation"] = _weighted(expit(changed), met.decisions, met, levels)
    return found


def _mean(values: Array, levels: Levels) -> Array:
    """(..., J) -> (..., G) mean over a group's participants."""
    of = np.array(levels.of_participants)
    parts = [values[..., of == g].mean(axis=-1) for g in range(len(levels.groups))]
    return np.stack(parts, axis=-1)


def _weighted(values: Array, weight: Array, met: Situations, levels: Levels) -> Array:
    """(..., N) -> (..., G) mean over the group's situations; zero where it met none."""
    of = np.array(levels.of_participants)[met.participant]
    share = np.stack([weight * (of == g) for g in range(len(levels.groups))], axis=-1)
    total = share.sum(axis=0)
    summed: Array = values @ (share / np.where(total > 0, total, 1.0))
    return summed
