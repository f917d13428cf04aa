"""Recovery of known parameters, and the amount of data that it takes.

Bias, error and coverage over simulations with known truth are compared with those of the prior.
Power is the probability of detecting a difference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import beta

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.inference.evaluation.simulation_study import LEVELS, Simulation

SEEN_LEVEL = 0.95
"""A difference is detected if its central interval of this probability excludes zero."""


def recovery(
    done: Sequence[Simulation],
    *,
    by: Literal["group", "scalar"] = "group",
    prior: Mapping[str, Array] | None = None,
) -> pd.DataFrame:
    """Compute bias, error, coverage and contraction of every quantity.

    Parameters
    ----------
    done
        Simulations; those whose fit failed are left out.
    by
        ``scalar``: one row per scalar; ``group``: all elements of ``weights[...]`` in one row.
    prior
        Draws from the prior by scalar name. They are required if the truths were fixed. Without
        them, the truths are taken to be draws from the prior.

    Returns
    -------
    pandas.DataFrame
        quantity; n. Error: bias and bias_se (posterior mean minus truth), rmse, prior_rmse (of the
        prior's mean), prior_draw_rmse (of a draw from the prior). Precision: contraction (one minus
        mean posterior over prior variance), correlation of means with truths. Coverage, for every
        level L of 50, 80, 95: coverage_L and coverage_L_se, in per cent of the truths. verdict, in
        words.

    Raises
    ------
    WolvesError
        If fewer than two simulations were fitted.
    """
    fitted = [s for s in done if not s.error]
    if len(fitted) < 2:
        raise WolvesError(
            f"expected at least two fitted simulations, found {len(fitted)}",
            fix="run more simulations",
        )
    names = [name for name in fitted[0].quantities if name != "log_lik"]
    groups: dict[str, list[str]] = {}
    for name in names:
        key = re.sub(r"\[.*", "", name) if by == "group" else name
        groups.setdefault(key, []).append(name)
    rows = [_row(key, members, fitted, prior) for key, members in groups.items()]
    return pd.DataFrame(rows)


def _row(
    key: str,
    members: Sequence[str],
    fitted: Sequence[Simulation],
    prior: Mapping[str, Array] | None,
) -> dict[str, object]:
    def field(pick: Callable[[str, Simulation], object]) -> Array:
        return np.array([[pick(name, s) for name in members] for s in fitted], dtype=float)

    truth = field(lambda name, s: s.quantities[name].truth)
    error = field(lambda name, s: s.quantities[name].mean) - truth
    variance = field(lambda name, s: s.quantities[name].sd ** 2)
    drawn = truth if prior is None else np.stack([prior[name] for name in members], axis=1)
    prior_mean, prior_variance = drawn.mean(axis=0), drawn.var(axis=0, ddof=1)
    prior_error = (truth - prior_mean) ** 2
    row: dict[str, object] = {
        "quantity": key,
        "n": truth.size,
        "bias": float(error.mean()),
        "bias_se": _clustered_se(error),
        "rmse": float(np.sqrt((error**2).mean())),
        "prior_rmse": float(np.sqrt(prior_error.mean())),
        "prior_draw_rmse": float(np.sqrt((prior_error + prior_variance).mean())),
        "contraction": _contraction(variance, prior_variance),
        "correlation": _correlation(truth + error, truth),
    }
    covers = _covers(members, fitted, truth)
    off = []
    for level, inside in zip(LEVELS, covers, strict=True):
        percent = round(100 * level)
        # Elements of one simulation are not independent, so the simulation is the unit.
        se = max(_clustered_se(inside), np.sqrt(level * (1 - level) / truth.size))
        row[f"coverage_{percent}"] = float(100 * inside.mean())
        row[f"coverage_{percent}_se"] = float(100 * se)
        if abs(inside.mean() - level) > 3 * se:
            off.append(f"{100 * inside.mean():.0f} % of truths in {percent} % intervals")
    row["verdict"] = "; ".join(off) if off else "as stated"
    return row


def _covers(members: Sequence[str], fitted: Sequence[Simulation], truth: Array) -> Array:
    """(levels, simulations, members) whether each interval contains the truth."""
    bounds = np.array([[s.quantities[name].intervals for name in members] for s in fitted])
    inside = (bounds[..., 0] <= truth[..., None]) & (truth[..., None] <= bounds[..., 1])
    return np.moveaxis(inside.astype(np.float64), -1, 0)


def _clustered_se(values: Array) -> float:
    """Standard error of the mean of (simulations, members), simulations independent."""
    per_simulation = values.mean(axis=1)
    return float(per_simulation.std(ddof=1) / np.sqrt(per_simulation.size))


def _contraction(variance: Array, prior_variance: Array) -> float:
    if np.any(prior_variance <= 0):
        return float("nan")
    return float((1 - variance.mean(axis=0) / prior_variance).mean())


def _correlation(a: Array, b: Array) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@dataclass(frozen=True, slots=True)
class Power:
    """Probability of detecting a difference with a design.

    Parameters
    ----------
    power
        Share of fits whose 95 % interval of the difference excludes zero on the
        true side.
    low, high
        95 % interval of that share (Jeffreys).
    wrong_side
        Share of fits whose interval excludes zero on the other side.
    error
        Root mean-squared error of the difference.
    n
        Fits.
    """

    power: float
    low: float
    high: float
    wrong_side: float
    error: float
    n: int


def power(done: Sequence[Simulation], difference: str) -> Power:
    """Estimate the probability that the 95 % interval of ``difference`` excludes zero.

    If the true difference is zero, ``power`` is the false-positive rate.

    Raises
    ------
    WolvesError
        If no fit succeeded, or the quantity is not among those fitted.
    """
    fitted = [s for s in done if not s.error]
    if not fitted or difference not in fitted[0].quantities:
        known = ", ".join(fitted[0].quantities) if fitted else "none: every fit failed"
        raise WolvesError(f"expected the quantity {difference!r}, found {known}")
    quantities = [s.quantities[difference] for s in fitted]
    place = LEVELS.index(SEEN_LEVEL)
    bounds = np.array([q.intervals[place] for q in quantities])
    truth = np.array([q.truth for q in quantities])
    above, below = bounds[:, 0] > 0, bounds[:, 1] < 0
    seen = np.where(truth > 0, above, np.where(truth < 0, below, above | below))
    wrong = np.where(truth > 0, below, np.where(truth < 0, above, False))
    count, n = int(seen.sum()), len(fitted)
    low, high = beta.ppf([0.025, 0.975], count + 0.5, n - count + 0.5)
    errors = np.array([q.mean for q in quantities]) - truth
    return Power(
        power=count / n,
        low=0.0 if count == 0 else float(low),
        high=1.0 if count == n else float(high),
        wrong_side=float(wrong.mean()),
        error=float(np.sqrt((errors**2).mean())),
        n=n,
    )
