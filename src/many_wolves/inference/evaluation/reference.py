"""Reference posteriors after posteriordb's definition, and fits held against them.

Ten chains thinned to 1,000 draws each, so far that they are independent; R-hat below
1.01, no divergence, E-BFMI above 0.2, autocorrelation at lag one near zero (Magnusson et al. 2025,
posteriordb: https://github.com/stan-dev/posteriordb). What is kept of it are means,
standard deviations and quantiles with their Monte Carlo errors.
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
THIN = 20
MAX_R_HAT, MIN_E_BFMI, MAX_LAG_ONE = 1.01, 0.2, 0.05
APART = 4.5
"""Differences above so many Monte Carlo errors count; of 500 normal ones, one in 300 does."""


@dataclass(frozen=True)
class Verdict:
    """Whether draws make a reference posterior; ``reasons`` say why not."""

    ok: bool
    reasons: tuple[str, ...]
    numbers: Mapping[str, float]


def mixed(
    parts: Sequence[Mapping[tuple[str, str], Array]],
    shares: Sequence[float],
    rng: np.random.Generator,
) -> dict[tuple[str, str], Array]:
    """Draws (chains, n) of a posterior from those of its regions, in a random order.

    Parameters
    ----------
    parts
        (parameter, condition) -> (chains, n) independent draws, of each region.
    shares
        Share of the posterior that each region holds; they add up to one.
    """
    chains, n = next(iter(parts[0].values())).shape
    from_part = rng.choice(len(parts), p=list(shares), size=(chains, n))
    mixture: dict[tuple[str, str], Array] = {
        name: np.choose(from_part, [part[name] for part in parts]) for name in parts[0]
    }
    return mixture


def thinned(draws: Array, thin: int) -> Array:
    """(chains, draws / thin) every ``thin``-th draw of each chain."""
    kept: Array = draws[:, thin - 1 :: thin]
    return kept


def summary(draws: Mapping[tuple[str, str], Array]) -> pd.DataFrame:
    """What is kept of a posterior.

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
    """Hold all draws (energies, divergences) and the thinned summary against the definition.

    Of tempered draws the energies tell how far a step and a swap together change them.

    Parameters
    ----------
    parts
        The draws that the summary was made of, region by region where there are several.
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
    """Every statistic of a fresh fit beside that of the reference.

    Parameters
    ----------
    fresh, reference
        From ``summary``.

    Returns
    -------
    pandas.DataFrame
        parameter, condition, statistic, found, expected, apart (the difference in
        Monte Carlo errors of both), ok.

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
