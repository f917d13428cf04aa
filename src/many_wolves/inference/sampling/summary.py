"""The tidy summary of a posterior: one row per parameter and condition."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Array, Parameter

HDI = 0.95
COLUMNS = (
    "parameter",
    "condition",
    "mean",
    "sd",
    "hdi_low",
    "hdi_high",
    "ess_bulk",
    "ess_tail",
    "r_hat",
)


def scalars(posterior: Any, names: tuple[str, ...]) -> Iterator[tuple[str, str, Array]]:
    """(parameter, label, (chains, draws)) of every scalar of the named variables.

    The label joins the coordinates by ``/``; it is empty for a scalar variable.
    """
    for name in names:
        if name not in posterior:
            continue
        array = posterior[name]
        dims = [d for d in array.dims if d not in ("chain", "draw")]
        for labels in product(*(array.coords[d].to_numpy() for d in dims)):
            one = array.sel(dict(zip(dims, labels, strict=True)))
            yield (
                name,
                "/".join(map(str, labels)),
                one.transpose("chain", "draw").to_numpy(),
            )


def summarise(posterior: Any, parameters: tuple[Parameter, ...]) -> pd.DataFrame:
    """Summarize every parameter: mean, sd, 95 % HDI, effective sample sizes and R-hat.

    The effective sample sizes and R-hat of a constant parameter are NaN.
    """
    from arviz_stats.base import array_stats

    rows = []
    for name, label, values in scalars(posterior, tuple(p.name for p in parameters)):
        constant = np.ptp(values) < 1e-12
        low, high = (
            (values.min(), values.max()) if constant else array_stats.hdi(values.ravel(), HDI)
        )
        rows.append(
            (
                name,
                label,
                values.mean(),
                values.std(ddof=1),
                low,
                high,
                np.nan if constant else array_stats.ess(values, method="bulk"),
                np.nan if constant else array_stats.ess(values, method="tail", prob=(0.05, 0.95)),
                np.nan if constant else array_stats.rhat(values, method="rank"),
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(COLUMNS[2:], float))
