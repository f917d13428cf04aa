"""Effects of items on the utilities, the same in all cells of an item.

An effect moves the log-odds of utterances along one direction: that of negations, or that of
kindness. Effects are normal and integrated out: a fit estimates their standard deviation alone. A
new item is predicted over all effects that it could have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from many_wolves.contracts import Array
from many_wolves.families.politeness.model import clusters
from many_wolves.families.politeness.model.clusters import Given

EFFECTS = ("item+negation", "item+kindness")
"""Likelihoods by item with effects."""
ITEM_SD = 1.0
"""Prior mean of the standard deviation, in log-odds."""
RANGE = 4.5
"""Standard deviations to which the quadrature of a fit reaches."""
LONGEST = 8
"""Steps of an urn whose probabilities are multiplied before the logarithm is taken."""
NODES, FINE_NODES = 37, 161
"""Equidistant nodes of a fit, and of the simulator and of the likelihood in NumPy."""


def direction_of(
    likelihood: str, negated: Sequence[bool], literal: Array, values: Sequence[float]
) -> Array | None:
    """How an effect of one moves the log-odds of each utterance, shape (U,).

    Parameters
    ----------
    likelihood
        That of the options; None is returned unless it has effects. ``item+negation``: one for
        negations; ``item+kindness``: the state that the literal meaning makes one expect,
        standardised over utterances.
    literal
        (U, S) probability that an utterance is true of a state.
    values
        (S,) value of each state.
    """
    if likelihood not in EFFECTS:
        return None
    if likelihood == EFFECTS[0]:
        return np.asarray(negated, dtype=float)
    expected = literal @ np.asarray(values, dtype=float) / literal.sum(axis=1)
    found: Array = (expected - expected.mean()) / expected.std()
    return found


def quadrature(nodes: int = NODES, reach: float = RANGE) -> tuple[Array, Array]:
    """Nodes of a standard normal, and the logarithms of their weights."""
    node = np.linspace(-reach, reach, nodes)
    log_weight = -0.5 * np.square(node)
    return node, log_weight - logsumexp(log_weight)


def stan_data(given: Given, along: Array | None) -> dict[str, Any]:
    """Choices by cluster (J, C, S, U) as the Stan program wants them.

    Parameters
    ----------
    along
        The direction of the effects of clusters, shape (U,); None if they have none.
    """
    alike = clusters.stan_data(given)
    node, log_weight = quadrature() if along is not None else (np.zeros(0), np.zeros(0))
    _, C, S, U = given.shape
    own = given if along is not None else given[:0]
    each, totals = own.reshape(-1, C * S * U), own.sum(axis=-1).reshape(-1, C * S)
    made = each[:, alike["at"] - 1] > alike["before"]
    group, urn = _groups(alike["at"], made)
    more = totals[:, :, None] > alike["asked_before"]
    return alike | {
        "E": len(node),
        "direction": np.zeros(0) if along is None else along,
        "effect_node": node,
        "log_node_weight": log_weight,
        "G": urn.shape[1],
        "group": group,
        "urn": urn,
        "asked_each": more.sum(axis=1).astype(float),
        "item_sd_prior": ITEM_SD,
    }


def _groups(at: Given, made: NDArray[np.bool_]) -> tuple[Given, Array]:
    """The group of each step, from one, and which clusters made its steps, shape (J, G).

    Steps of one place are consecutive. They form a group if the same clusters made them. Groups
    are short, so that the product of their probabilities does not underflow.
    """
    if not made.size:
        return np.zeros(0, dtype=np.int64), np.zeros((len(made), 0))
    same = (np.diff(at) == 0) & (made[:, 1:] == made[:, :-1]).all(axis=0)
    first, size = [], LONGEST
    for follows in (False, *same):
        size = size + 1 if follows and size < LONGEST else 1
        first.append(size == 1)
    return np.cumsum(first), made[:, first].astype(float)


def moved(choice: Array, along: Array, effect: float, lapse: float) -> Array:
    """P(u | s) with lapses of an item with this effect, from that without, both (C, S, U)."""
    with np.errstate(divide="ignore"):
        log_odds = np.log(choice) + effect * along
    found: Array = (1 - lapse) * softmax(log_odds, axis=-1) + lapse / choice.shape[-1]
    return found


def log_likelihood(
    given: Given, choice: Array, along: Array, lapse: float, icc: float, sd: float
) -> float:
    """Log-likelihood of choices (J, C, S, U), from P(u | s) without effects, shape (C, S, U)."""
    node, log_weight = quadrature(FINE_NODES, 8.0)
    at = [moved(choice, along, sd * z, lapse) for z in node]
    each = [
        logsumexp(log_weight + [clusters.log_likelihood(one[None], p, icc) for p in at])
        for one in given
    ]
    return float(np.sum(each))


def draw(
    totals: Given,
    choice: Array,
    along: Array,
    lapse: float,
    icc: float,
    sd: float,
    rng: np.random.Generator,
) -> Given:
    """(J, C, S, U) choices of clusters with so many answers (J, C, S), each with its effect."""
    effects = sd * rng.normal(size=len(totals))
    each = [
        clusters.draw(one[None], moved(choice, along, float(effect), lapse), icc, rng)
        for one, effect in zip(totals, effects, strict=True)
    ]
    found: Given = np.concatenate(each)
    return found
