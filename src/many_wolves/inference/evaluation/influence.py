"""Influence of each item, participant or cell on each parameter.

The posterior without a part comes from the existing draws by Pareto-smoothed importance weights. If
the weights are unreliable (Pareto k), the rest is fitted again.

References
----------
Vehtari, Simpson, Gelman, Yao & Gabry (2024), Pareto smoothed importance sampling, JMLR 25:72.
Efron & Stein (1981), The jackknife estimate of variance, Annals of Statistics 9(3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Array, Problem
from many_wolves.inference.engines.protocol import Program
from many_wolves.inference.evaluation.sensitivity import (
    Weighted,
    by_fit,
    by_weights,
    reweighted,
    smoothed,
)
from many_wolves.inference.sampling.fit import Fit, with_data
from many_wolves.inference.sampling.summary import scalars

CELL = "cell"
COLUMNS = (
    "left_out",
    "parameter",
    "condition",
    "mean",
    "sd",
    "shift",
    "shift_se",
    "how",
    "pareto_k",
    "ok",
    "verdict",
)
MUCH = 2.0
"""Shift of a mean, in posterior standard deviations, above which the verdict names a part."""

Refit = Callable[[Problem], Fit]


def parts_of(problem: Problem, by: str) -> dict[str, Mapping[str, Any]]:
    """Name -> labels of the parts that can be left out: items, participants, or cells."""
    if by != CELL:
        return {str(label): {by: label} for label in problem.parts[by]}
    outcome = problem.outcome
    dims, values = problem.observed[outcome.observed]
    seen = np.asarray(values, dtype=float)
    if outcome.event is not None:
        seen = seen.sum(axis=dims.index(outcome.event))
        dims = tuple(d for d in dims if d != outcome.event)
    found: dict[str, Mapping[str, Any]] = {}
    for at in map(tuple, np.argwhere(seen > 0)):
        labels = {d: problem.coords[d][i] for d, i in zip(dims, at, strict=True)}
        found[", ".join(f"{d} {label}" for d, label in labels.items())] = labels
    return found


def influence(
    fit: Fit, names: tuple[str, ...], by: str, program: Program, refit: Refit
) -> pd.DataFrame:
    """Summarize the posterior without each part, one row per part, parameter and condition.

    Parameters
    ----------
    names
        Parameters, as in the summary of the fit.
    by
        ``cell``, or one of ``fit.problem.parts``.
    refit
        Fits a problem for which the weights are unreliable.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``; ``shift`` is the change of the mean in posterior standard deviations.
    """
    without = fit.problem.without
    assert without is not None
    draws = _draws(fit, names)
    frames = []
    for name, labels in parts_of(fit.problem, by).items():
        problem = with_data(fit.problem, **without(labels, np.inf))
        known = _by_likelihood(fit, labels)
        weighted = reweighted(fit, problem, program) if known is None else known
        if weighted.ok:
            part = by_weights(name, draws, weighted)
        else:
            part = by_fit(name, draws, refit(problem), names)
            part["pareto_k"] = weighted.pareto_k
        frames.append(part.rename(columns={"variant": "left_out"}))
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)]


def jackknife(table: pd.DataFrame, fitted: pd.DataFrame) -> pd.DataFrame:
    """Compare the spread of a parameter over parts with its posterior standard deviation.

    Parameters
    ----------
    table
        As ``influence`` gives it.
    fitted
        Summary of the whole fit: parameter, condition, mean, sd.

    Returns
    -------
    pandas.DataFrame
        parameter, condition, mean, sd, jackknife_se, ratio (of it to sd), and the largest
        shift with the part that causes it.
    """
    rows = []
    keys = ["parameter", "condition"]
    known = {(row["parameter"], row["condition"]): row for row in fitted.to_dict("records")}
    for key, own in table.groupby(keys, sort=False):
        n, means = len(own), own["mean"].to_numpy()
        se = float(np.sqrt((n - 1) / n * np.square(means - means.mean()).sum()))
        most = own.iloc[int(own["shift"].abs().to_numpy().argmax())]
        one = known[str(key[0]), str(key[1])]
        rows.append(
            dict(zip(keys, key, strict=True))
            | {"mean": float(one["mean"]), "sd": float(one["sd"]), "jackknife_se": se}
            | {"ratio": se / float(one["sd"]), "shift": float(most["shift"])}
            | {"left_out": most["left_out"]}
        )
    return pd.DataFrame(rows)


def noted(fit: Fit, names: Sequence[str]) -> list[dict[str, Any]] | None:
    """Find the clusters of a fit that move a parameter much, from its draws alone.

    Returns
    -------
    list or None
        ``by``, ``left_out``, ``parameter``, ``condition``, ``shift``, the largest first; ``shift``
        is None if the weights for that part are unreliable. The result is None if the fit has no
        likelihood by cluster.
    """
    outcome = fit.problem.outcome
    if not outcome.by_cluster or not names:
        return None
    draws = _draws(fit, tuple(names))
    found: list[dict[str, Any]] = []
    for label in fit.problem.coords[outcome.cluster]:
        known = _by_likelihood(fit, {outcome.cluster: label})
        assert known is not None
        part = {"by": outcome.cluster, "left_out": str(label)}
        if not known.ok:
            found.append(part | {"parameter": "", "condition": "", "shift": None})
            continue
        for (name, condition), values in draws.items():
            flat = values.ravel()
            shift = float(known.weights @ flat - flat.mean()) / max(float(flat.std()), 1e-12)
            if abs(shift) > MUCH:
                found.append(part | {"parameter": name, "condition": condition, "shift": shift})
    return sorted(found, key=lambda one: -abs(one["shift"] or 0.0))


def _draws(fit: Fit, names: tuple[str, ...]) -> dict[tuple[str, str], Array]:
    posterior = fit.tree["posterior"].to_dataset()
    return {(name, label): values for name, label, values in scalars(posterior, names)}


def _by_likelihood(fit: Fit, labels: Mapping[str, Any]) -> Weighted | None:
    """Weights from the stored log-likelihood; None if none was stored by cluster."""
    outcome = fit.problem.outcome
    if not outcome.by_cluster or set(labels) != {outcome.cluster}:
        return None
    kept = fit.tree["log_likelihood"].to_dataset()[outcome.by_cluster].sel(dict(labels))
    summed = kept.sum([d for d in kept.dims if d not in ("chain", "draw")])
    return smoothed(-summed.transpose("chain", "draw").to_numpy().ravel())
