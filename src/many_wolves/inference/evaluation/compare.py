"""One variant of a model: its marginal likelihood, its predictive accuracy, and their
reliability."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Array, Parameter
from many_wolves.inference.engines.protocol import Program, Progress
from many_wolves.inference.evaluation.bridge import Bridge
from many_wolves.inference.evaluation.loo import Loo, Refit, Unit, loo
from many_wolves.inference.evaluation.marginal_likelihood import MAX_SE, thinned
from many_wolves.inference.sampling.fit import Fit, fit, with_data
from many_wolves.inference.store import r_squared


@dataclass(frozen=True)
class Row:
    """One row of a comparison; ``verdict`` gives the reasons for ``ok``."""

    model: str
    utilities: str
    log_ml: float
    log_ml_se: float
    elpd_loo: float
    elpd_se: float
    pareto_k_max: float
    r2: float
    ok: bool
    verdict: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The row as JSON, with null for NaN."""
        return {
            k: None if isinstance(v, float) and not np.isfinite(v) else v
            for k, v in asdict(self).items()
        }


def accuracy(done: Fit, refit: Refit | None = None, unit: Unit = "choice") -> Loo:
    """PSIS-LOO of the choices of a fit; with ``refit``, bad parts are fitted again."""
    outcome = done.problem.outcome
    if outcome.by_cluster:
        return _by_cluster(done, refit, unit)
    log_lik = done.tree["log_likelihood"].to_dataset()[outcome.observed]
    observed = done.tree["observed_data"].to_dataset()[outcome.observed]
    answers = observed if outcome.kind == "counts" else observed.notnull().astype(float)
    # If a question has one answer, leaving out the answer leaves out the question.
    chosen: Unit = "cell" if unit == "row" and outcome.event is None else unit
    asked = log_lik if outcome.kind == "counts" else log_lik.where(answers > 0, 0.0)
    return loo(
        asked, answers, unit=chosen, last=outcome.event, cluster=outcome.cluster, refit=refit
    )


def _by_cluster(done: Fit, refit: Refit | None, unit: Unit) -> Loo:
    """The same for answers that depend on each other: whole clusters are left out."""
    outcome = done.problem.outcome
    log_lik = done.tree["log_likelihood"].to_dataset()[outcome.by_cluster]
    answers = done.tree["observed_data"].to_dataset()[outcome.by_cluster]
    least: Unit = "cluster" if unit == "choice" else unit
    return loo(
        log_lik, answers, unit=least, last=outcome.cluster, cluster=outcome.cluster, refit=refit
    )


def refitting(
    done: Fit, program: Program, parameters: tuple[Parameter, ...], unit: Unit, progress: Progress
) -> Refit | None:
    """Fit the problem of ``done`` again without one part; None if the part cannot be left out.

    The log-likelihood of the part is the difference of the program's density with and without it.
    """
    without = done.problem.without
    if without is None:
        return None

    def refit(labels: Mapping[str, Any]) -> Array:
        left_out = ", ".join(map(str, labels.values()))
        progress(f"again without {'a choice of ' if unit == 'choice' else ''}{left_out}")
        left = with_data(done.problem, **without(labels, 1.0 if unit == "choice" else np.inf))
        again = fit(left, program, parameters, done.settings, gaussian=done.gaussian)
        x = thinned(again.draws)
        rows = x.reshape(-1, x.shape[2])
        with program.open(done.problem.data) as whole, program.open(left.data) as rest:
            difference: Array = whole.log_density(rows) - rest.log_density(rows)
        return difference

    return refit


def row(name: str, fit: Fit, found: Bridge | None, left_out: Loo) -> Row:
    """The row of a variant, with one verdict from sampling, bridge and LOO."""
    words = [] if fit.diagnostics.ok else ["sampling: " + " ".join(fit.diagnostics.verdict)]
    if found is not None and not found.ok:
        words.append(f"evidence: {found.verdict}")
    if found is not None and found.se > MAX_SE:
        words.append(f"evidence: standard error {found.se:.2f} nats, {MAX_SE} expected")
    if not left_out.ok:
        words.append(f"LOO: {left_out.verdict}")
    ok = not words
    if found is None:
        cut = fit.problem.impute is not None
        words.append(
            "cut inference has no marginal likelihood"
            if cut
            else "its marginal likelihood would include the literal judgments"
        )
    r2 = r_squared(fit)
    return Row(
        model=name,
        utilities=" ".join(map(str, fit.problem.options.get("utilities", ()))),
        log_ml=float("nan") if found is None else found.log_ml,
        log_ml_se=float("nan") if found is None else found.se,
        elpd_loo=left_out.elpd,
        elpd_se=left_out.se,
        pareto_k_max=left_out.k_max,
        r2=float("nan") if r2 is None else r2,
        ok=ok,
        verdict=("" if ok else "unreliable; ") + "; ".join(words or ["reliable"]),
        seconds=round(fit.seconds, 2),
    )


def against_full(rows: pd.DataFrame) -> pd.DataFrame:
    """Add ``log_bf``: log marginal likelihood minus that of the first row."""
    return rows.assign(log_bf=rows["log_ml"] - rows["log_ml"].iloc[0])
