"""How large is the jackknife's standard error over items where the model is right?

    python benchmarks/influence.py --speakers gpt-4o-2024-11-20 Qwen2.5-72B-Instruct --n 2

Jackknife standard error over posterior standard deviation is one for a parameter that the answers
alone decide. Where the prior decides as well, it is below one though the interval is right. So each
speaker is fitted, answers are simulated from its posterior means, and both are measured alike.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import many_wolves as mw
from many_wolves.contracts import Observations
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.simulation import simulate
from many_wolves.workflows.influence import Influence, measure_influence
from many_wolves.workflows.sampling import Sampling

OPTIONS = {"literal": "fixed", "likelihood": "item"}
SHORT = Sampling(warmup=300, draws=400)
DECIDED = 0.25
"""Posterior over prior standard deviation, below which the answers decide a parameter."""
PRIOR_SD = {"w_inf": 0.236, "w_soc": 0.236, "w_pres": 0.236, "phi": 0.289}
"""Of a share of Dirichlet(1, 1, 1), and of a uniform."""


def measured(tables: list[Observations], out: Path) -> Influence:
    """Influence of each item."""
    return measure_influence(tables, out, by="item", options=OPTIONS, sampling=SHORT)


def from_means(table: Observations, spread: pd.DataFrame, n: int, seed: int) -> list[Observations]:
    """Answers of the same design, simulated from the posterior means of a fit."""
    problem = build(table, **OPTIONS)
    shared = spread[spread["condition"] == ""].set_index("parameter")["mean"]
    weights = {
        str(goal): {str(p): float(m) for p, m in zip(own["parameter"], own["mean"], strict=True)}
        for goal, own in spread[spread["condition"] != ""].groupby("condition")
    }
    record: dict[str, Any] = {str(k): float(v) for k, v in shared.items()} | {"weights": weights}
    known = simulate.from_json(record, problem)
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n):
        one = simulate.simulate(table, known, rng, **OPTIONS)
        rows = one.rows.assign(speaker=f"simulated-{number + 1}")
        found.append(replace(one, tables={**one.tables, "counts": rows}))
    return found


def ratios(found: Influence, name: str, kind: str) -> list[dict[str, Any]]:
    """Median ratio over all weights, and over those that the answers decide."""
    rows = []
    weights = found.spread[found.spread["parameter"].isin(found.weights)]
    for speaker, own in weights.groupby("speaker", sort=False):
        decided = own[own["sd"] < DECIDED * own["parameter"].map(PRIOR_SD)]
        rows.append(
            {
                "of": name,
                "answers": kind if kind == "real" else str(speaker),
                "median": own["ratio"].median(),
                "decided": f"{len(decided)} of {len(own)}",
                "median_decided": decided["ratio"].median(),
                "largest_shift": own["shift"].abs().max(),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--speakers", nargs="+", default=["gpt-4o-2024-11-20", "Qwen2.5-72B-Instruct"]
    )
    parser.add_argument("--n", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/influence-simulated"))
    given = parser.parse_args()
    rows = []
    for name in given.speakers:
        table = mw.data("zhao2025").of(name)
        real = measured([table], given.out / name)
        rows += ratios(real, name, "real")
        spread = real.spread.assign(condition=real.spread["condition"].fillna(""))
        simulated = from_means(table, spread, given.n, seed=1)
        rows += ratios(measured(simulated, given.out / f"{name}-simulated"), name, "simulated")
        pd.DataFrame(rows).to_csv(given.out / "ratios.csv", index=False)
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda x: f"{x:.2f}"))


if __name__ == "__main__":
    main()
