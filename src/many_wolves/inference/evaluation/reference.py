"""Reference posteriors as posteriordb defines them, and fits compared with them.

A reference has ten chains, thinned to 1,000 independent draws each. R-hat is below 1.01, E-BFMI
above 0.2, autocorrelation at lag one near zero, and no draw diverged. Source: Magnusson et al.
2025, posteriordb, https://github.com/stan-dev/posteriordb. The stored summary contains means,
standard
deviations and quantiles with their Monte Carlo errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Array
from many_wolves.inference.engines.draws import Draws
from many_wolves.inference.sampling.diagnostics import e_bfmi

QUANTILES = (0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975)
CHAINS, KEPT = 10, 1000
MAX_R_HAT, MIN_E_BFMI, MAX_LAG_ONE = 1.01, 0.2, 0.05
APART = 4.5
"""Largest difference in Monte Carlo errors that passes; by chance, one in 300 sets of 500 fails."""


@dataclass(frozen=True)
class Verdict:
    """Whether draws qualify as a reference posterior; ``reasons`` are given if not."""

    ok: bool
    reasons: tuple[str, ...]
    numbers: Mapping[str, float]


def mixed(
    parts: Sequence[Mapping[tuple[str, str], Array]],
    shares: Sequence[float],
    rng: np.random.Generator,
) -> dict[tuple[str, str], Array]:
    """Mix draws (chains, n) of a posterior from those of its modes, in random order.

    Parameters
    ----------
    parts
        (parameter, condition) -> (chains, n) independent draws, for each mode.
    shares
        Posterior mass of each mode; they add up to one.
    """
    chains, n = next(iter(parts[0].values())).shape
    from_part = rng.choice(len(parts), p=list(shares), size=(chains, n))
    mixture: dict[tuple[str, str], Array] = {
        name: np.choose(from_part, [part[name] for part in parts]) for name in parts[0]
    }
    return mixture


def thinned(draws: Array, thin: int) -> Array:
    """Return every ``thin``-th draw of each chain, (chains, draws / thin)."""
    kept: Array = draws[:, thin - 1 :: thin]
    return kept


def summary(draws: Mapping[tuple[str, str], Array]) -> pd.DataFrame:
    """Summarize a posterior.

    Parameters
    ----------
    draws
        (parameter, condition) -> (chains, draws).

    Returns
    -------
    pandas.DataFrame
        parameter, condition, mean, sd and quantiles (``q0.025``, ...), each with its
        Monte Carlo error (``mean_se``, ...), r_hat, ess_bulk, lag_one.
    """
    from arviz_stats.base import array_stats

    rows = []
    for (name, label), values in draws.items():
        row: dict[str, Any] = {"parameter": name, "condition": label}
        row |= {"mean": values.mean(), "mean_se": _error(values, "mean")}
        row |= {"sd": values.std(ddof=1), "sd_se": _error(values, "sd")}
        for q in QUANTILES:
            row |= {f"q{q}": np.quantile(values, q), f"q{q}_se": _error(values, "quantile", q)}
        row |= {
            "r_hat": array_stats.rhat(values, method="rank"),
            "ess_bulk": array_stats.ess(values, method="bulk"),
            "lag_one": lag_one(values),
        }
        rows.append({k: v if isinstance(v, str) else float(v) for k, v in row.items()})
    return pd.DataFrame(rows)


def lag_one(values: Array) -> float:
    """Autocorrelation of (chains, draws) at lag one, about each chain's mean."""
    centred = values - values.mean(axis=1, keepdims=True)
    return float((centred[:, 1:] * centred[:, :-1]).mean() / (centred**2).mean())


def judge(parts: Sequence[Draws], table: pd.DataFrame) -> Verdict:
    """Check all draws (energies, divergences) and the thinned summary by the definition.

    The energies of tempered draws include the effect of swaps.

    Parameters
    ----------
    parts
        The draws behind the summary, one entry per mode.
    """
    numbers = {
        "divergences": float(sum(part.statistic("divergent__").sum() for part in parts)),
        "min_e_bfmi": float(min(e_bfmi(part.statistic("energy__")).min() for part in parts)),
        "max_r_hat": float(table["r_hat"].max()),
        "max_lag_one": float(table["lag_one"].abs().max()),
        "min_ess_bulk": float(table["ess_bulk"].min()),
    }
    limits = (
        ("divergences", numbers["divergences"] == 0, "none expected"),
        ("min_e_bfmi", numbers["min_e_bfmi"] > MIN_E_BFMI, f"above {MIN_E_BFMI} expected"),
        ("max_r_hat", numbers["max_r_hat"] < MAX_R_HAT, f"below {MAX_R_HAT} expected"),
        ("max_lag_one", numbers["max_lag_one"] < MAX_LAG_ONE, f"below {MAX_LAG_ONE} expected"),
    )
    reasons = tuple(f"{name} is {numbers[name]:.4g}: {want}" for name, ok, want in limits if not ok)
    return Verdict(not reasons, reasons, numbers)


def compare(fresh: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Compare every statistic of a new fit with that of the reference.

    Parameters
    ----------
    fresh, reference
        From ``summary``.

    Returns
    -------
    pandas.DataFrame
        parameter, condition, statistic, found, expected, apart (the difference in combined Monte
        Carlo errors), ok.

    Raises
    ------
    ValueError
        If the two are not of the same parameters.
    """
    keys = ["parameter", "condition"]
    first, second = (f.set_index(keys).sort_index() for f in (fresh, reference))
    if not first.index.equals(second.index):
        raise ValueError("expected the parameters of the reference, found others")
    parts = []
    for name in ("mean", "sd", *(f"q{q}" for q in QUANTILES)):
        error = np.hypot(first[f"{name}_se"], second[f"{name}_se"])
        apart: pd.Series[float] = (first[name] - second[name]) / error
        part = pd.DataFrame({"found": first[name], "expected": second[name], "apart": apart})
        parts.append(part.assign(statistic=name, ok=apart.abs() < APART).reset_index())
    return pd.concat(parts, ignore_index=True)


def _error(values: Array, what: str, q: float | None = None) -> float:
    from arviz_stats.base import array_stats

    given = {} if q is None else {"prob": q}
    return float(array_stats.mcse(values, method=what, **given))
