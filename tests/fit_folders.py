"""Fit folders made of random numbers, in the layout that ``wolves fit`` writes.

The draws are random perturbations around a random centre; nothing was fitted.
They serve to test figures and reports, which must show whatever a folder holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from many_wolves.families.politeness.reporting.pages import PolitenessPages
from many_wolves.figures import Section
from many_wolves.report import page

UTTERANCES = ["terrible", "bad", "good", "amazing"]
UTTERANCES += [f"not {u}" for u in UTTERANCES]
WEIGHTS = ("w_inf", "w_soc", "w_pres")


def leave_figures_out(patch: pytest.MonkeyPatch, keep: int = 0) -> None:
    """Write pages of politeness for their words: drawing a figure takes a second.

    The first ``keep`` figures of each section stay.
    """

    def without(sections: Callable[..., Sequence[Section]]) -> Callable[..., list[Section]]:
        return lambda *given: [
            replace(section, figures=section.figures[:keep]) for section in sections(*given)
        ]

    for name in ("fit_sections", "study_sections"):
        patch.setattr(PolitenessPages, name, without(getattr(PolitenessPages, name)))


def draw_nothing(patch: pytest.MonkeyPatch) -> None:
    """Write pages of any kind with their tables and captions, without a drawing."""
    for name in ("inline_svg", "inline_png"):
        patch.setattr(page, name, lambda *_: "")


def write_fit_folder(
    folder: Path,
    *,
    speaker: str = "simulated/random",
    conditions: Sequence[str] = ("informative", "social", "both"),
    states: Sequence[int] = (0, 1, 2, 3),
    seed: int = 0,
    ok: bool = True,
    failed_check: str = "",
    excluded: Sequence[dict[str, Any]] = (),
    draws: int = 200,
    trials: int = 50,
    unequal_chains: bool = False,
    **info: Any,
) -> Path:
    """Write posterior.nc, summary.csv, diagnostics.json and fit.json of random numbers."""
    drawn = _drawn(tuple(conditions), tuple(states), seed, draws, trials, unequal_chains)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "posterior.nc").write_bytes(drawn.posterior)
    (folder / "summary.csv").write_text(drawn.summary)
    verdict = ["The chains agree." if ok else "The chains disagree: do not use these numbers."]
    diagnostics = {
        "ok": ok, "verdict": verdict, "divergences": 0 if ok else 12, "max_r_hat": 1.003,
        "min_ess_bulk": 812.0, "min_ess_tail": 900.5, "min_e_bfmi": 0.9, "tree_depth_hits": 0,
        "modes": [{"share": 0.98}, {"share": 0.02}], "chains_apart": [] if ok else ["alpha"],
    }  # fmt: skip
    check = {
        "name": "state", "speaker": speaker, "ok": not failed_check, "statistic": 1.5,
        "p_value": 0.4, "statement": failed_check or "Its choices depend on the state.",
    }  # fmt: skip
    described = {
        "p": 0.4, "r2": 0.9, "ceiling": 0.92, "misplaced": 0.04, "misplaced_by_chance": 0.04,
        "cells": 12, "cells_missed": 0, "worst": [],
    }  # fmt: skip
    record = {
        "describes": described,
        "model": "speaker2", "family": "politeness", "speaker": speaker,
        "options": {"literal": "joint", "utilities": ["inf", "soc", "pres"], "cost_form": "prior"},
        "conditions": list(conditions), "seed": 4, "engine": "httpstan",
        "versions": {"arviz": "1.3"}, "choices": drawn.choices, "code_version": "0.1.0",
        "chains": 4, "warmup": 100, "draws": draws, "adapt_delta": 0.8, "seconds": 3.2,
        "r2": 0.9, "checks": [check], "excluded": list(excluded), "notes": [],
        "labels": {"model": re.split("[@+]", speaker)[0]} if "/" in speaker else {},
    }  # fmt: skip
    (folder / "diagnostics.json").write_text(json.dumps(diagnostics))
    (folder / "fit.json").write_text(json.dumps(record | info))
    return folder


@dataclass(frozen=True)
class Drawn:
    """Random draws as the bytes of posterior.nc, their summary as CSV, and how many choices."""

    posterior: bytes
    summary: str
    choices: float


@cache
def _drawn(
    conditions: tuple[str, ...],
    states: tuple[int, ...],
    seed: int,
    draws: int,
    trials: int,
    unequal_chains: bool,
) -> Drawn:
    """The same draws in many folders are made and written once: that takes half a second."""
    rng = np.random.default_rng(seed)
    posterior = _posterior(rng, conditions, states, draws, unequal_chains)
    s2 = posterior["s2"]
    counts = np.array(
        [[rng.multinomial(trials, s2[0, 0, c, s]) for s in range(len(states))]
         for c in range(len(conditions))]
    )  # fmt: skip
    replicated = np.array([[rng.multinomial(trials, d) for d in chain] for chain in s2])
    coords = {"condition": list(conditions), "state": list(states), "utterance": UTTERANCES}
    cell = ["condition", "state", "utterance"]
    word = ["utterance", "state"]
    dims = {"s2": cell, "counts": cell, "theta": word, "l1_state": word}
    dims |= {name: ["condition"] for name in (*WEIGHTS, "phi")}
    literal_n = np.full((len(UTTERANCES), len(states)), 49.0)
    groups = {
        "posterior": _dataset(posterior, dims, coords),
        "posterior_predictive": _dataset({"counts": replicated}, dims, coords),
        "log_likelihood": _dataset({"choice": np.log(s2.max(-1))}, {"choice": cell[:2]}, coords),
        "observed_data": xr.Dataset(
            {
                "counts": (cell, counts.astype(float)),
                "literal_n": (word, literal_n),
                "literal_yes": (word, np.round(literal_n * posterior["theta"][0, 0])),
            },
            coords=coords,
        ),
    }
    with TemporaryDirectory() as place:
        file = Path(place) / "posterior.nc"
        xr.DataTree.from_dict(groups).to_netcdf(file)
        written = file.read_bytes()
    summary = _summary(groups["posterior"]).to_csv(index=False)
    return Drawn(written, summary, float(counts.sum()))


def _posterior(
    rng: np.random.Generator,
    conditions: Sequence[str],
    states: Sequence[int],
    draws: int,
    unequal_chains: bool,
) -> dict[str, np.ndarray]:
    C, S, U, shape = len(conditions), len(states), len(UTTERANCES), (4, draws)
    w = rng.dirichlet(40 * rng.dirichlet(np.ones(3)) + 1, size=(*shape, C))
    centre = rng.dirichlet(np.ones(U), size=(C, S))
    s2 = np.array(
        [[[rng.dirichlet(300 * centre[c, s] + 0.5, size=shape) for s in range(S)]
          for c in range(C)]]
    )[0].transpose(2, 3, 0, 1, 4)  # fmt: skip
    alpha = rng.normal(5, 0.3, shape) + (np.arange(4)[:, None] if unequal_chains else 0)
    return {
        "w_inf": w[..., 0], "w_soc": w[..., 1], "w_pres": w[..., 2],
        "phi": rng.beta(20, 20, (*shape, C)), "alpha": alpha, "cost": rng.normal(3, 0.2, shape),
        "theta": rng.beta(*(30 * rng.uniform(0.05, 0.95, (2, U, S))), size=(*shape, U, S)),
        "s2": s2, "l1_state": rng.dirichlet(5 * np.ones(S), size=(*shape, U)),
    }  # fmt: skip


def _dataset(
    variables: dict[str, np.ndarray], dims: dict[str, list[str]], coords: dict[str, list[Any]]
) -> xr.Dataset:
    arrays = {n: (["chain", "draw", *dims.get(n, [])], v) for n, v in variables.items()}
    used = {d for names, _ in arrays.values() for d in names}
    return xr.Dataset(arrays, coords={k: v for k, v in coords.items() if k in used})


def _summary(posterior: xr.Dataset) -> pd.DataFrame:
    rows = []
    for name in (*WEIGHTS, "phi", "alpha", "cost"):
        values = posterior[name]
        parts = values.transpose("condition", ...) if "condition" in values.dims else [values]
        for part in parts:
            flat = part.to_numpy().ravel()
            low, high = np.quantile(flat, [0.025, 0.975])
            condition = str(part["condition"].item()) if "condition" in part.coords else ""
            rows.append((name, condition, flat.mean(), flat.std(), low, high, 800.0, 900.0, 1.002))
    columns = ["parameter", "condition", "mean", "sd", "hdi_low", "hdi_high"]
    return pd.DataFrame(rows, columns=[*columns, "ess_bulk", "ess_tail", "r_hat"])
