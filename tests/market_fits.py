"""Fits of markets made of draws around a point: they serve figures, tables and reports."""

import json

import arviz_base as azb
import numpy as np
import pandas as pd

from many_wolves.families.markets.model import ALL
from many_wolves.figures.fitted import Fitted

DRAWS = 40


def fitted(folder, name, table, seed=1):
    """A fit folder of a model whose posterior is made up; nothing was sampled."""
    problem = ALL[name].problem(table)
    rng = np.random.default_rng(seed)
    groups: dict[str, dict] = {}
    dims = {}
    for variable in problem.variables:
        shape = (2, DRAWS, *variable.shape)
        values = np.exp(0.1 * rng.normal(size=shape))
        if variable.name == "predicted" and problem.outcome.event:
            values /= values.sum(axis=-1, keepdims=True)
        if variable.group == "posterior_predictive" and variable.name in ("choice", "chosen"):
            values = rng.integers(0, 5, size=shape)
        if variable.group == "posterior_predictive" and variable.name == "counts":
            bought = rng.integers(0, 2, size=shape[:-1])
            values = np.stack([1 - bought, bought], axis=-1)
        groups.setdefault(variable.group, {})[variable.name] = values
        dims[variable.name] = list(variable.dims)
    for observed, (names, values) in problem.observed.items():
        groups.setdefault("observed_data", {})[observed] = values
        dims[observed] = list(names)
    coords = {key: list(labels) for key, labels in problem.coords.items()}
    tree = azb.from_dict(groups, coords=coords, dims=dims)
    folder.mkdir(parents=True, exist_ok=True)
    tree.to_netcdf(folder / "posterior.nc", engine="h5netcdf")
    scalars = [v.name for v in problem.variables if v.group == "posterior" and not v.shape]
    summary = pd.DataFrame(
        [
            {"parameter": p, "condition": "", "mean": 1.0, "sd": 0.1, "hdi_low": 0.8,
             "hdi_high": 1.2, "ess_bulk": 500.0, "ess_tail": 500.0, "r_hat": 1.0}
            for p in scalars
        ]
    )  # fmt: skip
    summary.to_csv(folder / "summary.csv", index=False)
    info = {
        "schema": 2, "family": "markets", "model": name, "speaker": "s", "conditions": [],
        "options": dict(problem.options), "notes": list(problem.notes), "choices": 10.0,
        "r2": 0.5, "seed": 1, "chains": 2, "warmup": 40, "draws": DRAWS,
    }  # fmt: skip
    diagnostics = {"ok": True, "verdict": ["Made up."], "divergences": 0}
    (folder / "fit.json").write_text(json.dumps(info))
    (folder / "diagnostics.json").write_text(json.dumps(diagnostics))
    return Fitted(folder, info, diagnostics, summary)
