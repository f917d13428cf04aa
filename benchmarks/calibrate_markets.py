"""Recovery and simulation-based calibration of every model of markets, on small designs.

    python benchmarks/calibrate_markets.py --n 50
    python benchmarks/calibrate_markets.py --n 50 --figures

The designs: sessions with the lab's parameters, in process, at tax rates of .1, .33 and .5.
Simulations that are done are kept under benchmarks/out/calibration; interrupt it and run it
again to go on. Other options are those of `wolves calibrate`, such as `--chains 2 --draws 800`.
Recovery reads the same simulations. Exit status 1 where a model is not calibrated. ``--figures``
prints what is done, without a fit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from many_wolves.cli import run
from many_wolves.commands.calibrate import command
from many_wolves.families.markets.model import ALL
from many_wolves.families.markets.rules.parameters import OWNER, Rules
from many_wolves.families.markets.simulation.strategies import player
from many_wolves.families.markets.simulation.tables import played_tables
from many_wolves.observations import Observations
from many_wolves.tables import write_table

OUT = Path(__file__).parent / "out" / "calibration"
TAXES = (0.1, 0.33, 0.5)
DESIGNS: dict[str, dict[str, Any]] = {
    "declared-value": {"rounds": 1, "ticks": 0, "owner": replace(OWNER, count=2)},
    "purchases": {"rounds": 1, "ticks": 0},
    "quotes": {"rounds": 1, "ticks": 4},
    "ewa": {"rounds": 4, "ticks": 0},
}
"""Model -> what its sessions have; nothing is practised. Declarations: nine participants."""


def design(model: str) -> Observations:
    """Sessions at three tax rates; their answers do not matter."""
    rules = [Rules.lab(final_tax=tax, practice=False, **DESIGNS[model]) for tax in TAXES]
    return played_tables(rules, player("modelled"), "simulated")


def figures(model: str) -> Iterator[str]:
    """One line a parameter: coverage, error and correlation over the simulations done."""
    lines = (OUT / model / "simulations.jsonl").read_text().splitlines()[1:]
    done = [q["quantities"] for q in map(json.loads, lines) if not q["error"]]
    yield f"{model}: {len(done)} simulations"
    for name in done[0] if done else ():
        if name == "log_lik":
            continue
        every = [simulation[name] for simulation in done]
        truth, mean = (np.array([q[key] for q in every]) for key in ("truth", "mean"))
        held = [
            sum(q["intervals"][level][0] <= q["truth"] <= q["intervals"][level][1] for q in every)
            for level in range(3)
        ]
        yield (
            f"  {name:20} r = {np.corrcoef(truth, mean)[0, 1]:5.2f}  "
            f"50/80/95 % intervals hold {held[0]}/{held[1]}/{held[2]} of {len(every)}"
        )


def main() -> int:
    """Calibrate one model after the other, then print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=50, help="simulations of each model")
    parser.add_argument("--model", choices=ALL, action="append", help="these alone")
    parser.add_argument("--figures", action="store_true", help="print figures of what is done")
    chosen, further = parser.parse_known_args()
    worst, wanted = 0, chosen.model or list(ALL)
    for model in wanted:
        if not chosen.figures:
            table = write_table(design(model), OUT / "designs" / model)
            words = ["--choices", str(table), "--model", model]
            words += ["--n", str(chosen.n), "--workers", "1", "--out", str(OUT / model), *further]
            worst = max(worst, run(command, words))
        if not (OUT / model / "simulations.jsonl").is_file():
            continue
        for line in figures(model):
            print(line, flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main())
