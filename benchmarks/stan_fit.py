"""The project's own fit on the human data, joint treatment, full model.

    python benchmarks/stan_fit.py --engine httpstan

Counted are the search for the modes, warm-up, sampling, and writing and reading
the draws. ``--keep`` adds everything that `wolves fit` keeps for each cell
(replications, pointwise log-likelihood), which the rivals do not compute.
``--plain`` leaves the C++ gradient out, ``--unconditioned`` the preconditioner: the
difference is what each of them gives.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from typing import Any

import numpy as np
from measure import CHAINS, DRAWS, WARMUP, peak_memory_mib, speed

os.environ["MANY_WOLVES_ONE_CORE"] = "1"


def gradient_us(program: Any, data: dict[str, Any], start: Any) -> tuple[float, float]:
    """Microseconds of CPU for a leapfrog step (one gradient): the slope over two runs.

    Start-up cancels; what it costs to write and read a draw does not, and is shared out over
    the steps of the draw.
    """
    from many_wolves.inference.settings import Settings

    def run(draws: int) -> tuple[float, float]:
        settings = Settings(chains=1, warmup=200, draws=draws, seed=7)
        got = program.sample(data, [start], settings)
        return got.cpu_seconds, float(got.column("n_leapfrog__").sum())

    (short_s, short), (long_s, long) = run(50), run(2050)
    steps = long - short
    return (long_s - short_s) / steps * 1e6, steps


def main() -> None:
    """Print the figures as JSON."""
    from many_wolves.families.politeness.human import human_table
    from many_wolves.families.politeness.problem import build
    from many_wolves.inference.engines.embedded import EmbeddedProgram
    from many_wolves.inference.engines.select import load
    from many_wolves.inference.sampling.datatree import shaped
    from many_wolves.inference.sampling.modes import gaussian_at_modes, unconditioned
    from many_wolves.inference.settings import Settings

    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("httpstan", "cmdstan"), default="httpstan")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--compile", action="store_true", help="compile from nothing, and no more")
    parser.add_argument("--plain", action="store_true", help="the Stan text alone (httpstan)")
    parser.add_argument("--unconditioned", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    problem = build(human_table())
    if options.compile:
        with tempfile.TemporaryDirectory() as empty:
            os.environ["MANY_WOLVES_CACHE"] = empty
            seconds = load(problem.program, options.engine).compile_seconds
        print(json.dumps({"compile_s": seconds}))
        return
    if options.plain:
        program = EmbeddedProgram.load(problem.program, plain=True)
    else:
        program = load(problem.program, options.engine)
    data = {**problem.data, "keep": int(options.keep)}
    settings = Settings(CHAINS, WARMUP, DRAWS, problem.adapt_delta, seed=options.seed)
    rng = np.random.default_rng(options.seed)
    began, wall = time.process_time(), time.perf_counter()
    gaussian = gaussian_at_modes(program, data, problem.size, rng)
    modes_s = time.process_time() - began
    conditioning = unconditioned(problem.size) if options.unconditioned else gaussian.data()
    given = {**data, **conditioning}
    starts = gaussian.starts(CHAINS, rng)
    if options.unconditioned:
        starts = [gaussian.centre + gaussian.scale @ start for start in starts]
    own = time.process_time()
    draws = program.sample(given, starts, settings)
    own_s = time.process_time() - own
    # The in-process engine's chains are part of this process; CmdStan's are children.
    cpu = modes_s + (own_s if options.engine == "httpstan" else own_s + draws.cpu_seconds)
    wall = time.perf_counter() - wall
    step_us, _ = gradient_us(program, {**given, "keep": 0}, draws.block("z")[0, -1])
    by_name = {v.name: shaped(draws, v) for v in problem.variables if v.group == "posterior"
               and v.name in ("alpha", "cost", "w_inf", "w_soc", "w_pres")}  # fmt: skip
    weights = np.stack([by_name[f"w_{u}"] for u in ("inf", "soc", "pres")], axis=-1)
    result = speed(
        {"alpha": by_name["alpha"], "cost": by_name["cost"], "weights": weights},
        cpu,
        engine=program.version,
        modes_cpu_s=modes_s,
        wall_s=wall,
        gradient_us=step_us,
        leapfrogs_per_draw=float(draws.column("n_leapfrog__").mean()),
        divergences=int(draws.column("divergent__").sum()),
        peak_memory_mib=peak_memory_mib(),
    )
    print(json.dumps(result.to_json()))


if __name__ == "__main__":
    main()
