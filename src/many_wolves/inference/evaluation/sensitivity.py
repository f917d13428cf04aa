"""Sensitivity of a posterior to the prior, the likelihood and single assumptions.

Power-scaling after Kallioinen, Paananen, Buerkner & Vehtari (2024,
doi:10.1007/s11222-023-10366-5). The posterior under an alternative comes from the existing draws by
importance weights, smoothed by PSIS. If the weights are unreliable, the alternative is fitted. The
bound on Pareto k is that of Vehtari et al. 2024, JMLR 25:72.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Alternative, Array, Problem
from many_wolves.inference.engines.protocol import Program
from many_wolves.inference.sampling.fit import Fit
from many_wolves.inference.sampling.summary import scalars

COLUMNS = (
    "variant",
    "parameter",
    "condition",
    "mean",
    "sd",
    "shift",
    "shift_se",
    "sensitivity",
    "how",
    "pareto_k",
    "ok",
    "verdict",
)
FITTED, PRIOR, LIKELIHOOD = "as fitted", "prior scaled", "likelihood scaled"
"""Names of the rows other than alternatives."""
THRESHOLD = 0.05
"""Power-scaling sensitivity above which it is reported (Kallioinen et al. 2024)."""
EVEN = 1.0
"""Log weights that differ by less than this are reliable for any shape of their tail."""
MOVED = 0.5
"""Shift of a mean, in posterior standard deviations, above which it is reported."""

Refit = Callable[[Problem], Fit]
Keep = Callable[[str, Problem, Callable[[], pd.DataFrame]], pd.DataFrame]
"""The rows of an alternative: those of an earlier run, or made by the function and kept."""


@dataclass(frozen=True)
class Weighted:
    """Normalised importance weights of all draws, with their diagnostics."""

    weights: Array
    pareto_k: float
    good_k: float

    @property
    def ok(self) -> bool:
        """Whether means under these weights are reliable."""
        return self.pareto_k <= self.good_k


def sensitivity(
    fit: Fit,
    names: tuple[str, ...],
    alternatives: Mapping[str, tuple[Problem, Alternative]],
    program: Program,
    refit: Refit,
    keep: Keep = lambda _name, _problem, make: make(),
) -> pd.DataFrame:
    """Tabulate all parameters under the fit, power-scaling and every alternative.

    Parameters
    ----------
    fit
        The fit whose assumptions are varied.
    names
        Parameters, as in its summary.
    alternatives
        Name -> the problem under other assumptions, and a description of them.
    program
        Compiled program of all these problems.
    refit
        Fits an alternative for which the weights are unreliable.
    keep
        Returns the rows of an alternative that an interrupted run has made already.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``; ``shift`` is the change of the mean in posterior standard
        deviations, ``shift_se`` its Monte Carlo error; ``sensitivity`` that of
        power-scaling.
    """
    posterior = fit.tree["posterior"].to_dataset()
    draws = {(name, label): values for name, label, values in scalars(posterior, names)}
    parts = [_as_fitted(draws, fit), power_scaling(fit, draws)]
    for name, (problem, _) in alternatives.items():

        def rows(name: str = name, problem: Problem = problem) -> pd.DataFrame:
            weighted = None if fit.problem.impute else reweighted(fit, problem, program)
            if weighted is not None and weighted.ok:
                return by_weights(name, draws, weighted)
            return by_fit(name, draws, refit(problem), names)

        parts.append(keep(name, problem, rows))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def reweighted(fit: Fit, problem: Problem, program: Program) -> Weighted:
    """Weights that turn the draws of a fit into those of another problem."""
    x = fit.draws.flat
    with program.open(problem.data) as other, program.open(fit.problem.data) as own:
        ratios = other.log_density(x) - own.log_density(x)
    return smoothed(ratios)


def smoothed(ratios: Array) -> Weighted:
    """Pareto-smoothed weights from log ratios of two densities, one per draw."""
    from arviz_stats.base import array_stats

    good_k = min(1 - 1 / np.log10(ratios.size), 0.7)
    log_weights, k = ratios, -np.inf
    if np.ptp(ratios) > EVEN:
        # psislw expects the log-likelihoods that leave-one-out would divide by.
        log_weights, k = array_stats.psislw(ratios.max() - ratios)
    weights = np.exp(log_weights - np.max(log_weights))
    return Weighted(weights / weights.sum(), float(k), good_k)


def power_scaling(fit: Fit, draws: Mapping[tuple[str, str], Array]) -> pd.DataFrame:
    """Sensitivity of every parameter to scaling the prior and the likelihood."""
    from arviz_base import from_dict

    groups = [g for g in fit.tree.children if g.startswith("log_likelihood")]
    likelihood = {
        f"{group}_{name}": values.to_numpy()
        for group in groups
        for name, values in fit.tree[group].to_dataset().data_vars.items()
    }
    live = {key: values for key, values in draws.items() if np.ptp(values) > 1e-12}
    prior = fit.tree["log_prior"]["lprior"].to_numpy()
    tree = from_dict(
        {
            "posterior": {f"p{i}": values for i, values in enumerate(live.values())},
            "log_likelihood": likelihood,
            "log_prior": {"lprior": prior},
        }
    )
    # A flat prior stays flat under any power.
    found = [
        _scaled(tree, "prior", len(live)) if np.ptp(prior) > 1e-9 else np.zeros(len(live)),
        _scaled(tree, "likelihood", len(live)),
    ]
    rows = []
    for (name, label), of_prior, of_likelihood in zip(live, *found, strict=True):
        words = _diagnosis(of_prior, of_likelihood)
        for variant, value in ((PRIOR, of_prior), (LIKELIHOOD, of_likelihood)):
            rows.append(
                {"variant": variant, "parameter": name, "condition": label}
                | {"sensitivity": float(value), "how": "power-scaling"}
                | {"ok": True, "verdict": words}
            )
    return _framed(rows)


def _scaled(tree: Any, group: str, size: int) -> Array:
    """(size,) sensitivity of the variables p0, p1, ... to scaling one group."""
    from arviz_stats import psense

    found = psense(tree, group=group)
    values: Array = np.array([float(found[f"p{i}"]) for i in range(size)])
    return values


def _diagnosis(prior: float, likelihood: float) -> str:
    """The verdict of Kallioinen et al. (2024) on a parameter's two sensitivities."""
    if prior < THRESHOLD:
        return ""
    strong = likelihood < THRESHOLD
    return f"potential {'strong prior, weak likelihood' if strong else 'prior-data conflict'}"


def _as_fitted(draws: Mapping[tuple[str, str], Array], fit: Fit) -> pd.DataFrame:
    verdict = "" if fit.diagnostics.ok else " ".join(fit.diagnostics.verdict)
    return _framed(
        [
            {"variant": FITTED, "parameter": name, "condition": label}
            | {"mean": values.mean(), "sd": values.std(), "shift": 0.0, "shift_se": 0.0}
            | {"how": "sampled", "ok": fit.diagnostics.ok, "verdict": verdict}
            for (name, label), values in draws.items()
        ]
    )


def by_weights(
    variant: str, draws: Mapping[tuple[str, str], Array], found: Weighted
) -> pd.DataFrame:
    rows = []
    for (name, label), values in draws.items():
        flat, w = values.ravel(), found.weights
        mean = float(w @ flat)
        sd = float(np.sqrt(w @ (flat - mean) ** 2))
        # The two means come from the same draws. The effect of one draw on their difference:
        influence = flat.size * w * (flat - mean) - (flat - flat.mean())
        error = _mean_error(influence.reshape(values.shape))
        rows.append(
            {"variant": variant, "parameter": name, "condition": label}
            | _moved(mean, sd, error, values)
            | {"how": "draws weighted", "pareto_k": found.pareto_k, "ok": True}
        )
    return _framed(rows)


def by_fit(
    variant: str, draws: Mapping[tuple[str, str], Array], other: Fit, names: tuple[str, ...]
) -> pd.DataFrame:
    posterior = other.tree["posterior"].to_dataset()
    again = {(name, label): values for name, label, values in scalars(posterior, names)}
    rows = []
    for (name, label), values in draws.items():
        new = again[name, label]
        error = float(np.hypot(_mean_error(values), _mean_error(new)))
        row = {"variant": variant, "parameter": name, "condition": label}
        row |= _moved(float(new.mean()), float(new.std()), error, values)
        if not other.diagnostics.ok:
            row["verdict"] = "unreliable: " + " ".join(other.diagnostics.verdict)
        rows.append(row | {"how": "fitted again", "ok": other.diagnostics.ok})
    return _framed(rows)


def _moved(mean: float, sd: float, error: float, values: Array) -> dict[str, Any]:
    """Mean and sd, the shift from ``values`` in standard deviations, and its description."""
    # A fixed parameter moves only by rounding.
    unit = float(values.std()) if np.ptp(values) > 1e-12 else np.inf
    shift, error = (mean - float(values.mean())) / unit, error / unit
    notable = abs(shift) > MOVED and abs(shift) > 2 * error
    words = f"moves by {shift:+.1f} sd" if notable else ""
    return {"mean": mean, "sd": sd, "shift": shift, "shift_se": error, "verdict": words}


def _mean_error(values: Array) -> float:
    """Monte Carlo standard error of the mean of (chains, draws)."""
    from arviz_stats.base import array_stats

    if np.ptp(values) < 1e-12:
        return 0.0
    return float(values.std() / np.sqrt(array_stats.ess(values, method="mean")))


def _framed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = ["mean", "sd", "shift", "shift_se", "sensitivity", "pareto_k"]
    return frame.astype(dict.fromkeys(numbers, float) | {"ok": bool})
