"""Simulation-based calibration of every model of the games, on small designs.

    python benchmarks/calibrate_games.py --n 200

The designs: two participants of three groups of the published rounds and gifts, and three
principals. Simulations that are done are kept under benchmarks/out/calibration; interrupt
it and run it again to go on. Exit status 1 where a model is not calibrated.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd

from many_wolves.cli import run
from many_wolves.commands.calibrate import command
from many_wolves.files import shipped

OUT = Path(__file__).parent / "out" / "calibration"
GROUPS = ("Altruistic", "Control", "Selfish")
MODELS = {
    "memory-one": "dilemma",
    "strategy-frequencies": "dilemma",
    "social-preferences": "dictator",
    "principal-agent": "principal",
}


def published(name: str) -> pd.DataFrame:
    """Two participants of three groups of a published table."""
    table = pd.read_csv(shipped("task-data/dilemmas/reference") / name)
    return table[table["group"].isin(GROUPS) & (table["participant"] <= 2)]


def designs() -> dict[str, pd.DataFrame]:
    """A small table for each task; its answers do not matter."""
    gifts = published("phelps_dictator_gifts.csv")
    agents = [
        ("simulated", who, user, principal, "user", 20)
        for who in ("one", "two", "three")
        for user in ("no", "yes")
        for principal in ("no", "yes")
    ]
    columns = ["model", "principal", "shared_with_user", "shared_with_principal", "served", "count"]
    return {
        "dilemma": published("phelps_dilemma_rounds.csv"),
        "dictator": gifts[gifts["adjective"] == "none"],
        "principal": pd.DataFrame(agents, columns=columns),
    }


def main() -> int:
    """Calibrate one model after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="simulations of each model")
    parser.add_argument("--model", choices=MODELS, action="append", help="these alone")
    chosen = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    worst = 0
    for model in chosen.model or MODELS:
        task = MODELS[model]
        table = OUT / f"{task}.csv"
        designs()[task].to_csv(table, index=False)
        print(f"{model}:", flush=True)
        words = ["--task", task, "--choices", str(table), "--model", model]
        words += ["--n", str(chosen.n), "--out", str(OUT / model)]
        worst = max(worst, run(command, words))
    return worst


if __name__ == "__main__":
    sys.exit(main())
