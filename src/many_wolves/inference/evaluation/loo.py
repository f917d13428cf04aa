"""Predictive accuracy by PSIS-LOO over the cells of a table of counts.

The unit that is left out is one of four:

- ``choice`` (the default): one answer; the rest of its cell stays. All answers in a cell are
  exchangeable, so one run of Pareto smoothing per cell serves its ``n`` answers. This unit measures
  how well the next answer is predicted, and is reliable with any number of answers.
- ``cell``: all answers of one cell (condition, state, utterance) at once.
- ``row``: all answers to one question (condition, state) at once. This unit measures how well the
  answers to a new question are predicted.
- ``cluster``: all answers that depend on each other, such as those of one participant or
  on one item.

Leaving out a hundred answers at once moves the posterior far, which a high Pareto k shows. With
``refit``, the model is fitted again without them. Bridge sampling between that posterior and the
full one then gives their density. The plain mean of p ** 100 over draws that never saw the hundred
answers would be far too noisy.

Vehtari, Gelman & Gabry (2017, doi:10.1007/s11222-016-9696-4); Vehtari et al. (2024,
JMLR 25:72).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.files import write_atomic
from many_wolves.inference.evaluation.bridge import between

Unit = Literal["choice", "cell", "row", "cluster"]
CELL = "left_out"
"""Dimension of the parts that are left out, in the arrays handed to ArviZ."""

MEASURED = ("n", "elpd", "pareto_k", "refitted")
"""Columns of ``Loo.parts`` after the labels."""

Refit = Callable[[Mapping[str, Any]], Array]
"""Log-likelihood (m,) of the part with these labels, at draws of a fit without it."""


@dataclass(frozen=True)
class Loo:
    """Expected log predictive density of data that were left out.

    Parameters
    ----------
    unit
        Unit that is left out.
    elpd, se
        Expected log predictive density of all answers, nats, and its standard error
        over the parts.
    p
        Effective number of parameters.
    k_max
        Largest Pareto k among parts that were not refitted; -inf if all were.
    good_k
        Largest Pareto k that is reliable with this many draws.
    bad
        Parts above ``good_k``.
    refitted
        Parts that were refitted without their answers.
    parts
        One row per part: its labels, n (answers), elpd (of all of them), pareto_k.
    ok
        Whether the estimate is reliable.
    verdict
        The reason, in words.
    """

    unit: Unit
    elpd: float
    se: float
    p: float
    k_max: float
    good_k: float
    bad: int
    refitted: int
    parts: pd.DataFrame
    ok: bool
    verdict: str


def loo(
    log_lik: xr.DataArray,
    counts: xr.DataArray,
    *,
    unit: Unit = "choice",
    last: str | None = None,
    cluster: str = "",
    refit: Refit | None = None,
) -> Loo:
    """PSIS-LOO of a table of counts.

    Parameters
    ----------
    log_lik
        n * log p of every cell, dimensions chain, draw, then those of ``counts``.
    counts
        Answers in every cell, n; expected counts are allowed.
    unit
        Unit to leave out.
    last
        Dimension of ``counts`` with the outcomes of one question; by default the last.
    cluster
        Dimension whose entries are the clusters.
    refit
        Fits the model without a part; used if the part's Pareto k is too high.

    Raises
    ------
    WolvesError
        If fewer than two parts have answers, or a log-likelihood is not finite.
    """
    parts, answers = _parts(log_lik, counts, unit, last or str(counts.dims[-1]), cluster)
    # How often each part is left out: once per choice, or the whole part once.
    weights = answers if unit == "choice" else np.ones_like(answers)
    result = _arviz(parts)
    elpd, k = result.elpd_i.to_numpy().copy(), result.pareto_k.to_numpy().copy()
    good_k = float(result.good_k)
    labels = _labels(parts)
    again = np.zeros(k.size, dtype=bool)
    if refit is not None:
        again = k > good_k
        for i in np.flatnonzero(again):
            at = refit({str(name): value for name, value in labels.iloc[i].items()})
            elpd[i] = between(parts.to_numpy()[..., i], at.ravel()).log_ml
    in_sample = logsumexp(parts.to_numpy().reshape(-1, k.size), axis=0) - np.log(result.n_samples)
    n = weights.sum()
    mean = float((weights * elpd).sum() / n)
    variance = float((weights * (elpd - mean) ** 2).sum()) / max(n - 1.0, 1.0)
    left = np.where(again, -np.inf, k)
    bad = int((left > good_k).sum())
    table = labels.assign(
        n=answers,
        elpd=weights * elpd,
        pareto_k=k,
        refitted=again,
    )
    return Loo(
        unit=unit,
        elpd=float((weights * elpd).sum()),
        se=float(np.sqrt(n * variance)),
        p=float((weights * (in_sample - elpd)).sum()),
        k_max=float(left.max()),
        good_k=good_k,
        bad=bad,
        refitted=int(again.sum()),
        parts=table,
        ok=bad == 0,
        verdict=_verdict(unit, left, good_k),
    )


def difference(first: pd.DataFrame, second: pd.DataFrame, unit: Unit) -> tuple[float, float]:
    """Elpd of ``first`` minus that of ``second``, and its paired standard error.

    Parameters
    ----------
    first, second
        ``parts`` of two results.
    unit
        The unit that both left out.

    Raises
    ------
    WolvesError
        If the two left out different things.
    """
    keys = [c for c in first if c not in MEASURED]
    same = (
        len(first) == len(second)
        and (first[keys].astype(str).to_numpy() == second[keys].astype(str).to_numpy()).all()
    )
    if not same or not np.allclose(first["n"], second["n"]):
        raise WolvesError(
            "LOO can compare two models only if both left out the same answers",
            fix="fit both to the same table and use the same unit",
        )
    n = first["n"].to_numpy() if unit == "choice" else np.ones(len(first))
    each = (first["elpd"] - second["elpd"]).to_numpy() / n
    mean = (n * each).sum() / n.sum()
    variance = (n * (each - mean) ** 2).sum() / max(n.sum() - 1.0, 1.0)
    return float((n * each).sum()), float(np.sqrt(n.sum() * variance))


def write_parts(result: Loo, path: Path) -> None:
    """The parts of a result as a CSV file."""
    write_atomic(path, result.parts.to_csv(index=False))


def read_parts(path: Path) -> pd.DataFrame:
    """Read back what ``write_parts`` wrote; names are text, and no word in them is missing."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in frame.columns.intersection(list(MEASURED)):
        column = frame[name]
        frame[name] = column == "True" if name == "refitted" else pd.to_numeric(column)
    return frame


def _parts(
    log_lik: xr.DataArray, counts: xr.DataArray, unit: Unit, last: str, cluster: str
) -> tuple[xr.DataArray, Array]:
    """Log-likelihood (chain, draw, cell) of what is left out, and the answers in each part."""
    dims = list(counts.dims)
    log_lik = log_lik.transpose("chain", "draw", *dims)
    if unit == "cluster" and cluster not in dims:
        raise WolvesError(
            "these answers have no clusters to leave out",
            fix="leave out another unit: choice, cell or row",
        )
    together = [last] if unit == "row" else []
    if unit == "cluster":
        together = [str(d) for d in dims if d != cluster]
    log_lik, counts = log_lik.sum(together), counts.sum(together)
    dims = [d for d in dims if d not in together]
    stacked = log_lik.stack({CELL: dims})
    n = counts.stack({CELL: dims}).to_numpy().astype(float)
    held = n > 0
    stacked = stacked.isel({CELL: held})
    if held.sum() < 2:
        raise WolvesError(
            f"expected answers in at least two parts to leave out, found {int(held.sum())}",
            fix="leave out a smaller unit, or collect more answers",
        )
    if not np.isfinite(stacked.to_numpy()).all():
        raise WolvesError("expected a finite log-likelihood in every draw, found NaN or infinity")
    return (stacked / n[held] if unit == "choice" else stacked), n[held]


def _arviz(parts: xr.DataArray) -> Any:
    """ArviZ's result; our verdict replaces its warnings."""
    from arviz_base import from_dict
    from arviz_stats import loo as psis_loo
    from arviz_stats.base import array_stats

    values = parts.to_numpy()
    likelihood = np.exp(values - values.max(axis=(0, 1)))
    relative = array_stats.ess(likelihood, chain_axis=0, draw_axis=1, method="mean", relative=True)
    flat = parts.drop_vars([CELL, *parts.coords[CELL].to_index().names], errors="ignore")
    draws = {"log_lik": flat.transpose("chain", "draw", CELL).to_numpy()}
    tree = from_dict({"posterior": {"x": values[..., 0]}, "log_likelihood": draws})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return psis_loo(tree, pointwise=True, reff=float(np.nanmin(np.minimum(relative, 1.0))))


def _labels(parts: xr.DataArray) -> pd.DataFrame:
    labels: pd.DataFrame = parts.coords[CELL].to_index().to_frame(index=False)
    return labels


def _verdict(unit: Unit, left: Array, good_k: float) -> str:
    """The verdict from the Pareto k of every part; -inf marks a part that was refitted."""
    bad, parts, k_max = int((left > good_k).sum()), left.size, float(left.max())
    refitted = int(np.isneginf(left).sum())
    again = f"; {refitted} refitted without their answers" if refitted else ""
    if bad:
        return (
            f"unreliable: {bad} of {parts} {unit}s have a Pareto k above {good_k:.2f} "
            f"(up to {k_max:.2f}){again}; refit without their answers"
        )
    if refitted == parts:
        return f"reliable: all {parts} {unit}s refitted without their answers"
    subject = "cells with one choice left out" if unit == "choice" else f"{unit}s"
    good = f"(good up to {good_k:.2f})"
    return f"reliable: Pareto k at most {k_max:.2f} in {parts} {subject} {good}{again}"
