"""Posterior predictive checks by cell and overall: does the model describe the speaker?

A cell is one question: a condition and a state. The checks compare the distance from the model's
expectation of observed counts and of replicated counts.

References
----------
Gelman, Meng & Stern (1996), Posterior predictive assessment of model fitness via realized
discrepancies, Statistica Sinica 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from many_wolves.outcomes import Array, r_squared

if TYPE_CHECKING:
    from many_wolves.inference import Fit

DRAWS = 400
"""Posterior draws that are used; p-values are known to about 0.02."""
WORST = 3
"""Number of worst cells to list."""


def describes(fit: Fit) -> dict[str, Any] | None:
    """How well the model describes the counts of a speaker.

    Returns
    -------
    dict or None
        ``p``: share of draws whose replicated counts are at least as far from the model's
        expectation as the observed counts. ``r2``: squared correlation of observed and predicted
        shares; ``ceiling``: its median under the model, where only sampling error keeps it below
        one. ``misplaced``: share of choices that would have to move to match the model;
        ``misplaced_by_chance``: its median under the model. ``cells``: the number of cells with
        answers; ``cells_missed``: the number with p below 0.05 divided by that. ``worst``: the
        outcomes with the largest misfit, with labels, observed and predicted share, and the number
        of answers in the cell. The result is None if the outcome is not a count along one
        dimension, or was not replicated.
    """
    outcome, tree = fit.problem.outcome, fit.tree
    name = outcome.variable(tree["posterior"].to_dataset())
    if outcome.kind != "counts" or outcome.event is None or name is None:
        return None
    replicated_in = tree.children.get("posterior_predictive")
    if replicated_in is None or outcome.observed not in replicated_in.dataset:
        return None
    dims, values = fit.problem.observed[outcome.observed]
    order = [*(d for d in dims if d != outcome.event), outcome.event]
    observed = np.moveaxis(np.asarray(values, dtype=float), dims.index(outcome.event), -1)
    predicted = _drawn(tree["posterior"].dataset[name], order)
    replicated = _drawn(replicated_in.dataset[outcome.observed], order)
    if predicted.shape[1:] != observed.shape or replicated.shape[1:] != observed.shape:
        return None
    coords = fit.problem.coords
    labels = [
        [str(v) for v in coords.get(d, range(n))]
        for d, n in zip(order, observed.shape, strict=True)
    ]
    return compared(observed, predicted, replicated, order, labels)


def compared(
    observed: Array,
    predicted: Array,
    replicated: Array,
    dims: Sequence[str],
    labels: Sequence[Sequence[str]],
) -> dict[str, Any]:
    """Compute the result of ``describes`` from arrays.

    Parameters
    ----------
    observed
        (..., outcomes) counts.
    predicted, replicated
        (draws, ..., outcomes) probabilities, and counts drawn from them.
    dims, labels
        Names of the dimensions of ``observed``, and the labels along each.
    """
    shape = observed.shape
    asked = observed.sum(axis=-1).reshape(-1) > 0
    seen = observed.reshape(-1, shape[-1])[asked]
    p = predicted.reshape(len(predicted), -1, shape[-1])[:, asked]
    again = replicated.reshape(len(replicated), -1, shape[-1])[:, asked]
    n = seen.sum(axis=-1, keepdims=True)
    far = _distance(seen[None], n * p)
    far_again = _distance(again, again.sum(axis=-1, keepdims=True) * p)
    by_cell = (far_again >= far).mean(axis=0)
    mean = p.mean(axis=0)
    share = seen / n
    shares_again = again / np.maximum(again.sum(axis=-1, keepdims=True), 1)
    weight = n[:, 0] / n.sum()
    cells = int(asked.sum())
    reached = [r_squared(one.ravel(), mean.ravel()) for one in shares_again]
    return {
        "p": float((far_again.sum(axis=1) >= far.sum(axis=1)).mean()),
        "r2": _number(r_squared(share.ravel(), mean.ravel())),
        "ceiling": None if np.isnan(reached).all() else float(np.nanmedian(reached)),
        "misplaced": float(weight @ _apart(share, mean)),
        "misplaced_by_chance": float(
            np.median([weight @ _apart(one, mean) for one in shares_again])
        ),
        "cells": cells,
        "cells_missed": int((by_cell < 0.05 / cells).sum()),
        "worst": _worst(seen, mean, np.flatnonzero(asked), shape, dims, labels),
    }


def _drawn(values: Any, order: Sequence[str]) -> Array:
    """(draws, ...) evenly spaced draws of a variable."""
    found = values.stack(sample=("chain", "draw")).transpose("sample", *order).to_numpy()
    step = max(1, len(found) // DRAWS)
    drawn: Array = np.asarray(found[::step][:DRAWS], dtype=float)
    return drawn


def _distance(counts: Array, expected: Array) -> Array:
    """Freeman-Tukey distance of counts from their expectation, summed over outcomes."""
    apart: Array = np.square(np.sqrt(counts) - np.sqrt(expected)).sum(axis=-1)
    return apart


def _apart(share: Array, mean: Array) -> Array:
    apart: Array = 0.5 * np.abs(share - mean).sum(axis=-1)
    return apart


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value


def _worst(
    seen: Array,
    mean: Array,
    asked: npt.NDArray[np.intp],
    shape: Sequence[int],
    dims: Sequence[str],
    labels: Sequence[Sequence[str]],
) -> list[dict[str, Any]]:
    """The outcomes with most choices too many or too few, beyond three standard errors."""
    n = seen.sum(axis=-1, keepdims=True)
    over = seen - n * mean
    clear = np.abs(over) > 3 * np.sqrt(n * np.clip(mean * (1 - mean), 1 / n, None))
    ranked = np.argsort(-np.abs(np.where(clear, over, 0.0)), axis=None)
    found = []
    for flat in ranked[:WORST]:
        row, event = np.unravel_index(flat, over.shape)
        if not clear[row, event]:
            break
        places = (*np.unravel_index(int(asked[row]), tuple(shape[:-1])), event)
        named = zip(dims, labels, places, strict=True)
        found.append(
            {
                "labels": {dim: known[int(at)] for dim, known, at in named},
                "observed": float(seen[row, event] / n[row, 0]),
                "predicted": float(mean[row, event]),
                "n": float(n[row, 0]),
            }
        )
    return found
