"""WebPPL on the same model: single-site Metropolis-Hastings, for a given CPU time.

    npm install --prefix benchmarks/out webppl
    python benchmarks/webppl.py --seconds 120

A short run finds the rate, so that every chain fills its share of the time; its
first half is burn-in. A run that has not converged says so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from measure import CHAINS, OUT, clock, human_data, peak_memory_mib, speed

from many_wolves.families.politeness.model.recursion import phi_quadrature

HERE = Path(__file__).parent
SITES = 43
"""Random choices of the model: one step of the chain moves one of them."""


def installed() -> Path | None:
    """WebPPL's entry, if node and the package are there."""
    entry = OUT / "node_modules" / "webppl" / "webppl"
    return entry if shutil.which("node") and entry.exists() else None


def data(samples: int, burn: int, lag: int) -> dict[str, Any]:
    """What the program reads."""
    human = human_data()
    nodes, node_weights = phi_quadrature(16)
    return {
        "counts": human.counts.tolist(),
        "yes": human.yes.tolist(),
        "n": human.n.tolist(),
        "negated": human.negated.astype(bool).tolist(),
        "nodes": nodes.tolist(),
        "node_weights": node_weights.tolist(),
        "samples": samples,
        "burn": burn,
        "lag": lag,
    }


def run(entry: Path, folder: Path, seed: int, steps: tuple[int, int, int]) -> tuple[Any, float]:
    """Draws of one chain, and its CPU seconds; ``steps`` are samples, burn-in, lag."""
    given, drawn = folder / f"data{seed}.json", folder / f"draws{seed}.json"
    given.write_text(json.dumps(data(*steps)))
    environment = {"POLITENESS_DATA": str(given), "POLITENESS_DRAWS": str(drawn)}
    command = ["node", "--stack-size=8000", str(entry), str(HERE / "politeness.wppl")]
    command += ["--require", str(HERE / "webppl_recursion"), "--random-seed", str(seed)]
    with clock() as measured:
        subprocess.run(
            command,
            env=os.environ | environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return json.loads(drawn.read_text()), measured.cpu


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=120.0, help="CPU time of each chain")
    options = parser.parse_args()
    entry = installed()
    if entry is None:
        print(json.dumps({"absent": "no node, or WebPPL is not in benchmarks/out"}))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _, start_s = run(entry, folder, 100, (1, 0, 0))
        pilot = 4000
        _, pilot_s = run(entry, folder, 101, (1, pilot - 1, 0))
        rate = pilot / max(pilot_s - start_s, 1e-3)
        kept = max(int(options.seconds * rate / 2 / SITES), 50)
        steps = (kept, kept * SITES, SITES - 1)
        chains, seconds = [], 0.0
        for seed in range(1, CHAINS + 1):
            drawn, cpu = run(entry, folder, seed, steps)
            chains.append([draw["value"] for draw in drawn])
            seconds += cpu - start_s
    draws = {
        name: np.array([[draw[name] for draw in chain] for chain in chains])
        for name in ("alpha", "cost", "weights")
    }
    figures = speed(
        draws,
        seconds,
        steps_per_cpu_s=rate,
        draws_kept=kept * CHAINS,
        start_s=start_s,
        peak_memory_mib=peak_memory_mib(),
    ).to_json()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
