"""Time of a leapfrog step with many parameters, with few entries in the scale and with all.

    python benchmarks/many_parameters.py

The memory-one strategies of the 266 people of dalbo2011 have 1,650 parameters. The scale that the
fit uses has few entries. The baseline is the same scale with tiny numbers in place of its zeros, so
that the engine multiplies by all entries.
"""

from __future__ import annotations

import time

import numpy as np

import many_wolves as mw
from many_wolves import inference
from many_wolves.families.dilemmas.model.memory_one import build
from many_wolves.inference.engines.draws import Whitening
from many_wolves.inference.sampling.modes import gaussian_at_modes
from many_wolves.inference.settings import ChainSettings

SETTINGS = ChainSettings(warmup=40, draws=40, adapt_delta=0.9, max_depth=6, seed=1)
TINY = 1e-200


def main() -> None:
    problem = build(mw.data("dalbo2011"))
    program = inference.load(problem.program)
    rng = np.random.default_rng(1)
    began = time.process_time()
    with program.open(problem.data) as model:
        gaussian = gaussian_at_modes(model, rng)
    print(f"search for the mode: {time.process_time() - began:.1f} CPU seconds")
    few = gaussian.scale
    print(f"entries of the scale: {np.mean(few != 0):.2%} of {few.size:,}")
    starts = gaussian.starts(2, rng)
    steps = []
    for name, scale in (("few", few), ("all", few + np.tril(np.full(few.shape, TINY)))):
        drawn = program.sample(problem.data, starts, SETTINGS, Whitening(gaussian.centre, scale))
        # Warm-up takes as many iterations, of about as many steps.
        taken = 2 * drawn.statistic("n_leapfrog__").sum()
        steps.append(drawn.cpu_seconds / taken)
        print(f"{name} entries: {1e6 * steps[-1]:.0f} microseconds per step")
    print(f"ratio: {steps[1] / steps[0]:.1f}")


if __name__ == "__main__":
    main()
