"""Kind words against gain, in NumPy: a choice among replies at several prices in several tones.

A reply that demands the share s in the tone k is worth

    w_own s + w_deal [it accepts the standing price] + w_kind k,

where k is 1 for kind, 1/2 for plain and 0 for cold words. The weights add up to one. A reply is
chosen with precision alpha.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_softmax

from many_wolves.outcomes import Array

TONES: Mapping[str, float] = {"kind": 1.0, "plain": 0.5, "cold": 0.0}
"""Tone -> kindness."""


@dataclass(frozen=True)
class Replies:
    """Replies of one situation: (A,) demanded share, whether it accepts, and kindness."""

    demand: Array
    accepts: Array
    kindness: Array


def log_probabilities(at: Replies, weights: Array, precision: float) -> Array:
    """(A,) log-probability of each reply; ``weights`` are own, deal, kind."""
    worth = weights[0] * at.demand + weights[1] * at.accepts + weights[2] * at.kindness
    found: Array = log_softmax(precision * worth)
    return found


def draw(at: Replies, weights: Array, precision: float, n: int, rng: np.random.Generator) -> Array:
    """(A,) how often each reply is chosen in ``n`` choices."""
    p = np.exp(log_probabilities(at, weights, precision))
    return rng.multinomial(n, p / p.sum()).astype(float)


def replies_of(cell: Mapping[str, Any], ids: Sequence[str]) -> Replies:
    """The replies of a trial from its cell: ids are ``accept:kind``, ``0.65:plain``."""
    named = [id_.split(":") for id_ in ids]
    offered = float(cell["offered"])
    return Replies(
        demand=np.array([offered if what == "accept" else float(what) for what, _ in named]),
        accepts=np.array([float(what == "accept") for what, _ in named]),
        kindness=np.array([TONES[tone] for _, tone in named]),
    )
