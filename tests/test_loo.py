"""PSIS-LOO against a Dirichlet-multinomial, whose leave-one-out densities are known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.special import gammaln

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.inference.evaluation.loo import difference, loo, read_parts, write_parts

COUNTS = xr.DataArray(
    np.array([[[20.0, 5.0, 0.0], [3.0, 30.0, 9.0]], [[1.0, 1.0, 40.0], [12.0, 12.0, 12.0]]]),
    dims=("condition", "state", "utterance"),
    coords={
        "condition": ["social", "informative"],
        "state": [0, 1],
        "utterance": ["bad", "good", "not bad"],
    },
)


def log_probabilities(counts: xr.DataArray, seed: int, strength: float = 1.0) -> xr.DataArray:
    """Posterior draws of log p, row by row Dirichlet(strength + n)."""
    rng = np.random.default_rng(seed)
    gamma = rng.gamma(strength + counts.to_numpy(), size=(4, 1000, *counts.shape))
    p = gamma / gamma.sum(axis=-1, keepdims=True)
    return xr.DataArray(np.log(p), dims=("chain", "draw", *counts.dims), coords=counts.coords)


def log_beta(a: Array) -> float:
    return float(gammaln(a).sum() - gammaln(a.sum()))


def exact(unit: str) -> float:
    """The same sum in closed form."""
    total = 0.0
    for row in COUNTS.to_numpy().reshape(-1, 3):
        if unit == "row":
            total += log_beta(1 + row) - log_beta(np.ones(3))
        for u, n in enumerate(row):
            if n and unit == "choice":
                total += n * np.log(n / (row.sum() + 2))
            if n and unit == "cell":
                rest = 1 + row - n * np.eye(3)[u]
                total += log_beta(1 + row) - log_beta(rest)
    return total


def test_a_choice_left_out_agrees_with_the_closed_form() -> None:
    result = loo(COUNTS * log_probabilities(COUNTS, 1), COUNTS)
    assert result.elpd == pytest.approx(exact("choice"), abs=0.3)
    assert result.ok
    assert "reliable" in result.verdict
    assert result.k_max < result.good_k
    assert list(result.parts.columns) == [
        "condition", "state", "utterance", "n", "elpd", "pareto_k", "refitted",
    ]  # fmt: skip
    assert result.parts["n"].sum() == COUNTS.sum()
    assert result.parts["elpd"].sum() == pytest.approx(result.elpd)
    assert 3 < result.p < 12
    each = np.repeat(
        (result.parts["elpd"] / result.parts["n"]).to_numpy(), result.parts["n"].astype(int)
    )
    assert result.se == pytest.approx(np.sqrt(each.size) * each.std(ddof=1))


@pytest.mark.parametrize("unit", ["cell", "row"])
def test_large_parts_are_flagged_and_refitted(unit: Any) -> None:
    log_lik = COUNTS * log_probabilities(COUNTS, 1)
    alone = loo(log_lik, COUNTS, unit=unit)
    assert not alone.ok
    assert alone.bad > 0
    assert "unreliable" in alone.verdict

    def refit(part: Mapping[str, Any]) -> Array:
        left = COUNTS.copy()
        left.loc[dict(part)] = 0.0
        at = COUNTS.loc[dict(part)] * log_probabilities(left, 2).loc[dict(part)]
        summed: Array = at.sum([d for d in at.dims if d not in ("chain", "draw")]).to_numpy()
        return summed

    mended = loo(log_lik, COUNTS, unit=unit, refit=refit)
    assert mended.ok
    assert mended.refitted == alone.bad
    assert mended.parts["refitted"].sum() == alone.bad
    assert mended.parts["n"].sum() == COUNTS.sum()
    # What is left is the bias of parts that smoothing passes with k just below 0.7.
    assert mended.elpd == pytest.approx(exact(unit), abs=1.2)
    assert abs(mended.elpd - exact(unit)) < abs(alone.elpd - exact(unit))


def test_expected_counts_are_allowed() -> None:
    counts = COUNTS / 3
    result = loo(counts * log_probabilities(counts, 1), counts)
    assert np.isfinite(result.elpd)
    assert result.parts["n"].sum() == pytest.approx(float(counts.sum()))


def test_the_better_model_is_found_with_a_paired_error() -> None:
    good = loo(COUNTS * log_probabilities(COUNTS, 1), COUNTS)
    uniform = xr.zeros_like(log_probabilities(COUNTS, 1)) + np.log(1 / 3)
    noise = np.random.default_rng(1).normal(0, 1e-3, uniform.shape)
    poor = loo(COUNTS * (uniform + noise), COUNTS)
    gap, se = difference(good.parts, poor.parts, "choice")
    assert gap == pytest.approx(good.elpd - poor.elpd)
    assert gap > 4 * se > 0
    assert difference(good.parts, good.parts, "choice") == (0.0, 0.0)


def test_parts_are_read_back_as_they_were(tmp_path: Path) -> None:
    result = loo(COUNTS * log_probabilities(COUNTS, 1), COUNTS)
    write_parts(result, tmp_path / "loo.csv")
    gap, se = difference(read_parts(tmp_path / "loo.csv"), result.parts, "choice")
    assert gap == pytest.approx(0.0, abs=1e-9)
    assert se == pytest.approx(0.0, abs=1e-9)


def test_what_cannot_be_left_out_is_refused() -> None:
    log_p = log_probabilities(COUNTS, 1)
    empty = xr.zeros_like(COUNTS)
    with pytest.raises(WolvesError, match="at least two parts"):
        loo(empty * log_p, empty)
    with pytest.raises(WolvesError, match="finite log-likelihood"):
        loo(COUNTS * log_p.where(log_p > -1, np.nan), COUNTS)
    with pytest.raises(WolvesError, match="same answers"):
        rows = loo(COUNTS * log_p, COUNTS, unit="row").parts
        difference(loo(COUNTS * log_p, COUNTS).parts, rows, "choice")
