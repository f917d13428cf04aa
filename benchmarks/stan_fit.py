"""The project's own fit on the human data, joint treatment, full model.

    python benchmarks/stan_fit.py --engine httpstan

Counted are the search for the modes, warm-up and sampling. ``--keep`` adds everything that
`wolves fit` computes of each draw afterwards (replications, pointwise log-likelihood), which
the rivals do not compute. ``--plain`` takes the functions in Stan in place of those in C++,
``--unwhitened`` samples the parameters as the program has them: the difference is what each
of them gives.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from measure import CHAINS, DRAWS, WARMUP, peak_memory_mib, speed

os.environ["MANY_WOLVES_ONE_CORE"] = "1"
IN_STAN = Path(__file__).parents[1] / "tests" / "stan"


def gradient_us(program: Any, data: dict[str, Any], start: Any, whitening: Any) -> float:
    """Microseconds of CPU for a leapfrog step (one gradient): the slope over two runs.

    Start-up cancels; what it costs to write a draw does not, and is shared out over the steps
    of the draw.
    """
    from many_wolves.inference.settings import ChainSettings

    def run(draws: int) -> tuple[float, float]:
        settings = ChainSettings(200, draws, 0.8, 10, seed=7)
        got = program.sample(data, [start], settings, whitening)
        return got.cpu_seconds, float(got.statistic("n_leapfrog__").sum())

    (short_s, short), (long_s, long) = run(50), run(2050)
    return (long_s - short_s) / (long - short) * 1e6


def main() -> None:
    """Print the figures as JSON."""
    from many_wolves.families.politeness.model.problem import build
    from many_wolves.families.politeness.reading.human import human_table
    from many_wolves.inference.engines.draws import Whitening
    from many_wolves.inference.engines.embedded import EmbeddedProgram
    from many_wolves.inference.engines.programs import program_source
    from many_wolves.inference.engines.select import load
    from many_wolves.inference.sampling.datatree import quantities, shaped
    from many_wolves.inference.sampling.modes import gaussian_at_modes
    from many_wolves.inference.settings import ChainSettings

    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("httpstan", "cmdstan"), default="httpstan")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--compile", action="store_true", help="compile from nothing, and no more")
    parser.add_argument("--plain", action="store_true", help="the Stan text alone (httpstan)")
    parser.add_argument("--unwhitened", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    problem = build(human_table())
    if options.compile:
        with tempfile.TemporaryDirectory() as empty:
            os.environ["MANY_WOLVES_CACHE"] = empty
            seconds = load(problem.program, options.engine).compile_seconds
        print(json.dumps({"compile_s": seconds}))
        return
    program = load(problem.program, options.engine)
    if options.plain:
        instead = {path.name: path for path in IN_STAN.glob("*.stanfunctions")}
        program = EmbeddedProgram.load(program_source(problem.program, instead))
    settings = ChainSettings(WARMUP, DRAWS, problem.adapt_delta, 10, options.seed)
    rng = np.random.default_rng(options.seed)
    began, wall = time.process_time(), time.perf_counter()
    with program.open(problem.data) as model:
        gaussian = gaussian_at_modes(model, rng)
    modes_s = time.process_time() - began
    starts, whitening = gaussian.starts(CHAINS, rng), gaussian.whitening
    if options.unwhitened:
        whitening = Whitening.none(gaussian.centre.size)
    own = time.process_time()
    draws = program.sample(problem.data, starts, settings, whitening)
    if options.keep:
        quantities(problem, program, draws, options.seed)
    own_s = time.process_time() - own
    # The embedded engine's chains are part of this process; CmdStan's are children.
    cpu = modes_s + (own_s if options.engine == "httpstan" else own_s + draws.cpu_seconds)
    wall = time.perf_counter() - wall
    step_us = gradient_us(program, problem.data, draws.x[0, -1], whitening)
    names, values = quantities(problem, program, draws, options.seed)
    by_name = {v.name: shaped(names, values, v) for v in problem.variables
               if v.group == "posterior"
               and v.name in ("alpha", "cost", "w_inf", "w_soc", "w_pres")}  # fmt: skip
    weights = np.stack([by_name[f"w_{u}"] for u in ("inf", "soc", "pres")], axis=-1)
    result = speed(
        {"alpha": by_name["alpha"], "cost": by_name["cost"], "weights": weights},
        cpu,
        engine=program.version,
        modes_cpu_s=modes_s,
        wall_s=wall,
        gradient_us=step_us,
        leapfrogs_per_draw=float(draws.statistic("n_leapfrog__").mean()),
        divergences=int(draws.statistic("divergent__").sum()),
        peak_memory_mib=peak_memory_mib(),
    )
    print(json.dumps(result.to_json()))


if __name__ == "__main__":
    main()
