"""Comparison of pooling methods by their predictions of left-out choices."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.inference.evaluation.loo import Loo, difference
from many_wolves.inference.sampling.fit import Fit
from many_wolves.inference.store import r_squared

COLUMNS = (
    "pooling",
    "elpd_loo",
    "elpd_se",
    "elpd_diff",
    "elpd_diff_se",
    "p_loo",
    "pareto_k_max",
    "r2",
    "ok",
    "verdict",
    "seconds",
)


@dataclass(frozen=True)
class Row:
    """One pooling method; differences are computed once all rows exist."""

    pooling: str
    elpd_loo: float
    elpd_se: float
    p_loo: float
    pareto_k_max: float
    r2: float | None
    ok: bool
    verdict: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The row as JSON, with null for NaN."""
        return {
            k: None if isinstance(v, float) and not np.isfinite(v) else v
            for k, v in asdict(self).items()
        }


def row(name: str, fit: Fit, left_out: Loo) -> Row:
    """The row of a fit, with one verdict from sampling and LOO."""
    words = [] if fit.diagnostics.ok else ["sampling: " + " ".join(fit.diagnostics.verdict)]
    if not left_out.ok:
        words.append(f"LOO: {left_out.verdict}")
    return Row(
        pooling=name,
        elpd_loo=left_out.elpd,
        elpd_se=left_out.se,
        p_loo=left_out.p,
        pareto_k_max=left_out.k_max,
        r2=r_squared(fit),
        ok=not words,
        verdict=("unreliable; " + "; ".join(words)) if words else "reliable",
        seconds=round(fit.seconds, 2),
    )


def compared(rows: list[dict[str, Any]], parts: list[pd.DataFrame]) -> pd.DataFrame:
    """All rows, with the difference in elpd of each to the first, paired by choice.

    Parameters
    ----------
    rows
        From ``Row.to_json``.
    parts
        ``Loo.parts`` of each row.
    """
    table = pd.DataFrame(rows)
    found = [difference(part, parts[0], "choice") for part in parts]
    table["elpd_diff"], table["elpd_diff_se"] = zip(*found, strict=True)
    return table[list(COLUMNS)]
