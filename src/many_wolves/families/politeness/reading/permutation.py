"""Permutation tests on answers as vectors of weights, for observed and expected choices.

The effect is a distance in total variation: the share of choices that must
move to make a factor's levels (or the places) alike. Its mean under permutation
is the effect of chance, and is subtracted.

Phipson, B. & Smyth, G. K. (2010), Permutation p-values should never be zero,
Statistical Applications in Genetics and Molecular Biology 9, 39.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from many_wolves.contracts import Array

PERMUTATIONS = 999
"""Smallest p-value 0.001, well below the level at which a check fails."""
_WORK = 20_000_000
"""Maximum of answers times permutations; huge tables get fewer permutations, at least 199."""

Codes = npt.NDArray[np.int64]


class Effect(NamedTuple):
    """Share of choices that a factor moves, beyond chance, and its p-value."""

    size: float
    p_value: float


def codes(labels: Sequence[Hashable]) -> Codes:
    """Labels as numbers from zero, in the order of their first appearance."""
    known = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([known[label] for label in labels], dtype=np.int64)


def between(weights: Array, factor: Codes, strata: Codes, seed: int) -> Effect:
    """Whether the answer depends on a factor, given the strata.

    Parameters
    ----------
    weights
        answer x option, rows that sum to one.
    factor
        Level of the factor for each answer; permuted within strata under the null.
    strata
        Stratum of each answer.
    seed
        Seed of the permutations.
    """
    levels = int(factor.max()) + 1
    sort = np.lexsort((factor, strata))
    held, strata = weights[sort], strata[sort]
    cells = strata * levels + factor[sort]
    cell_starts, cell_sizes = _runs(cells)
    stratum_starts, stratum_sizes = _runs(strata)
    pooled = np.add.reduceat(held, stratum_starts) / stratum_sizes[:, None]
    expected = pooled[np.searchsorted(stratum_starts, cell_starts, side="right") - 1]

    def distance(rows: Codes) -> float:
        means = np.add.reduceat(held[rows], cell_starts) / cell_sizes[:, None]
        each = 0.5 * np.abs(means - expected).sum(axis=1)
        return float(each @ cell_sizes / len(held))

    rng = np.random.default_rng(seed)
    chance = [
        distance(np.lexsort((rng.random(len(held)), strata)))
        for _ in range(_permutations(len(held)))
    ]
    return _effect(distance(np.arange(len(held))), chance)


def by_place(weights: Array, places: Codes, strata: Codes, seed: int) -> Effect:
    """Whether the answer depends on the positions of the options.

    Parameters
    ----------
    weights
        answer x option, the options in one order for all answers.
    places
        answer x option: the position of each option; permuted within strata (as whole rows, for
        the order as shown) under the null.
    strata
        Stratum of each answer.
    seed
        Seed of the permutations.
    """
    count = weights.shape[1]
    sort = np.argsort(strata, kind="stable")
    held, shown, strata = weights[sort], places[sort], strata[sort]

    def distance(rows: Codes) -> float:
        total = np.bincount(shown[rows].ravel(), weights=held.ravel(), minlength=count)
        return float(0.5 * np.abs(total / total.sum() - 1 / count).sum())

    rng = np.random.default_rng(seed)
    chance = [
        distance(np.lexsort((rng.random(len(held)), strata)))
        for _ in range(_permutations(len(held)))
    ]
    return _effect(distance(np.arange(len(held))), chance)


def _runs(sorted_codes: Codes) -> tuple[Codes, Codes]:
    """Starts and lengths of the runs of equal codes."""
    starts = np.flatnonzero(np.r_[True, sorted_codes[1:] != sorted_codes[:-1]])
    return starts, np.diff(np.r_[starts, len(sorted_codes)])


def _permutations(answers: int) -> int:
    return max(199, min(PERMUTATIONS, _WORK // max(answers, 1)))


def _effect(observed: float, chance: Sequence[float]) -> Effect:
    # Equal sums differ in their last digits if they are added in another order.
    reached = sum(value >= observed - 1e-12 for value in chance)
    size = max(0.0, observed - float(np.mean(chance)))
    return Effect(size, (1 + reached) / (1 + len(chance)))
