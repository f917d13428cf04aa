"""A fit on disk: posterior.nc, summary.csv, diagnostics.json, fit.json."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from many_wolves.files import code_version, fingerprint, write_atomic
from many_wolves.inference.engines.programs import program_text
from many_wolves.inference.sampling.cut import WARMUP, imputations
from many_wolves.inference.sampling.fit import Fit
from many_wolves.outcomes import r_squared as correlation
from many_wolves.records import SCHEMA


def save(fit: Fit, folder: Path, facts: Mapping[str, Any]) -> Path:
    """Write a fit; ``facts`` (checks, excluded, sources, command) go into fit.json.

    ``fit.json`` is written last, so a folder that contains it is complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / ".posterior.nc"
    fit.tree.to_netcdf(temporary, engine="h5netcdf")
    temporary.replace(folder / "posterior.nc")
    write_atomic(folder / "summary.csv", fit.summary.to_csv(index=False))
    write_atomic(folder / "diagnostics.json", _json(fit.diagnostics.to_json()))
    write_atomic(folder / "fit.json", _json(description(fit) | dict(facts)))
    return folder


def description(fit: Fit) -> dict[str, Any]:
    """The contents of ``fit.json``: what was fitted, and how."""
    problem = fit.problem
    cut = {"warmup": WARMUP, "imputations": imputations(fit.settings)} if problem.impute else {}
    return {
        "schema": SCHEMA,
        "code_version": code_version(),
        "family": problem.family,
        "model": problem.model,
        "speaker": problem.speaker,
        "conditions": list(problem.coords.get("condition", ())),
        "options": dict(problem.options),
        "notes": list(problem.notes),
        "choices": problem.outcome.total(problem.observed[problem.outcome.observed][1]),
        "r2": r_squared(fit),
        "seed": fit.settings.seed,
        "chains": fit.settings.chains,
        "warmup": fit.settings.warmup,
        "draws": fit.settings.draws,
        "adapt_delta": fit.settings.adapt_delta,
        "halvings": fit.halvings,
        "engine": fit.engine,
        "seconds": round(fit.seconds, 2),
        "cpu_seconds": round(fit.cpu_seconds, 2),
        "program": fingerprint(program_text(problem.program)),
        "data": fingerprint({k: np.asarray(v).tolist() for k, v in problem.data.items()}),
        "versions": {p: version(p) for p in ("arviz", "cmdstanpy", "httpstan", "numpy", "scipy")},
    } | cut


def r_squared(fit: Fit) -> float | None:
    """Squared correlation of observed and predicted values; None if the model predicts nothing.

    For counts and categories, the values are proportions over the cells with answers.
    """
    outcome = fit.problem.outcome
    posterior = fit.tree["posterior"].to_dataset()
    name = outcome.variable(posterior)
    if name is None:
        return None
    dims, values = fit.problem.observed[outcome.observed]
    found = correlation(*outcome.agreement(dims, values, posterior[name].mean(("chain", "draw"))))
    return None if math.isnan(found) else found


def _json(value: Any) -> str:
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """The value with null for NaN, because a check may have no p-value."""
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
