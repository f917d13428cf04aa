"""Processor time of each step of `wolves fit-all --data zhao2025 --literal fixed`, by speaker.

    python benchmarks/nine_models.py

Steps run one after another in one process, after the program is compiled. Two cores need half of
the total, and longer where the last fit is a long one: ``two_cores`` deals the speakers out in the
order of the table, to whichever core is free, as the command does.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

import many_wolves as mw
from many_wolves import inference
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.inference.evaluation.edges import edges
from many_wolves.inference.evaluation.influence import noted
from many_wolves.inference.evaluation.predictive import describes
from many_wolves.workflows.data import of_one
from many_wolves.workflows.sampling import Sampling


def seconds() -> float:
    """Processor time of this process and its children."""
    return sum(os.times()[:4])


def measured(speaker: str, sampling: Sampling) -> dict[str, Any]:
    """Processor seconds of each step for one speaker."""
    model = PoliteSpeaker()
    row: dict[str, Any] = {"speaker": speaker}

    def step(name: str, run: Callable[[], Any]) -> Any:
        before = seconds()
        found = run()
        row[name] = round(seconds() - before, 1)
        return found

    table = of_one(mw.data("zhao2025"), speaker)
    problem = step("data", lambda: model.problem(table, literal="fixed"))
    program = inference.load(problem.program)
    done = step(
        "modes and chains",
        lambda: inference.fit_with_retries(problem, program, model.parameters, sampling.settings),
    )
    step("predictions", lambda: (describes(done), edges(done)))
    step("items", lambda: noted(done, model.contrasts))
    with TemporaryDirectory() as folder:
        step("files", lambda: inference.save(done, Path(folder), {}))
    steps = done.draws.statistic("n_leapfrog__").mean()
    return row | {"steps a draw": round(float(steps)), "converged": done.diagnostics.ok}


def two_cores(totals: list[float]) -> float:
    """When the last fit ends, if two cores take the fits in their order."""
    free = [0.0, 0.0]
    for one in totals:
        free[free.index(min(free))] += one
    return max(free)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--warmup", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=1000)
    given = parser.parse_args()
    os.environ["MANY_WOLVES_ONE_CORE"] = "1"
    sampling = Sampling(warmup=given.warmup, draws=given.draws)
    begun = time.monotonic()
    rows = []
    for speaker in map(str, mw.data("zhao2025").speakers):
        rows.append(measured(speaker, sampling))
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    parts = ["data", "modes and chains", "predictions", "items", "files"]
    totals = table[parts].sum(axis=1)
    print(table.assign(total=totals).to_string(index=False))
    print(f"processor time {totals.sum():.0f} s; wall time {time.monotonic() - begun:.0f} s")
    print(f"on two free cores {two_cores(totals.to_list()):.0f} s")


if __name__ == "__main__":
    main()
