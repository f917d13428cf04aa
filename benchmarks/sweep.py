"""Many speakers, one after another: seconds a fit.

    python benchmarks/sweep.py --speakers 100
    python benchmarks/sweep.py --speakers 100 --alpha 2,10

Each speaker answers in 4 conditions, 13 items x 4 states x 10 replicates, simulated with
weights and phi from the prior. alpha lies where it was found for people (5.5) and for
three families of language models (3.5 to 6.2), or between the bounds given: the higher it
is, the more nearly are answers determined, and the thinner is the posterior. Two
processes, a fit in each.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
from simulated import design

GOALS = ("informative", "social", "both", "none")
ANSWERS = 13 * 10
"""Answers to each state in each condition."""


ALPHA = (3.0, 7.0)


def speaker(number: int, alpha: tuple[float, float] = ALPHA) -> Any:
    """A table of simulated answers."""
    from many_wolves.families.politeness.model import PoliteSpeaker

    # theta is that of people: from its prior it makes languages in which nothing means
    # anything.
    rng = np.random.default_rng(number)
    names = ("w_inf", "w_soc", "w_pres", "phi")
    drawn = {goal: [*rng.dirichlet([1, 1, 1]), rng.uniform()] for goal in GOALS}
    weights = {g: dict(zip(names, map(float, v), strict=True)) for g, v in drawn.items()}
    given = {
        "alpha": float(rng.uniform(*alpha)),
        "cost": float(rng.uniform(1, 5)),
        "weights": weights,
    }
    return PoliteSpeaker().simulate(design("simulated", GOALS, ANSWERS), rng, given)[1]


def fit_one(number: int, engine: str, alpha: tuple[float, float]) -> dict[str, float]:
    """Fit one speaker and tell how it went."""
    from many_wolves.families.politeness.model import PoliteSpeaker
    from many_wolves.inference import Settings, fit_with_retries, load

    os.environ["MANY_WOLVES_ONE_CORE"] = "1"
    model = PoliteSpeaker()
    problem = model.problem(speaker(number, alpha))
    program = load(problem.program, engine)  # type: ignore[arg-type]
    settings = Settings(warmup=300, draws=600, seed=number)
    done = fit_with_retries(problem, program, model.parameters, settings)
    verdict = done.diagnostics
    return {
        "seconds": done.seconds,
        "cpu_s": done.cpu_seconds,
        "r_hat": verdict.max_r_hat,
        "ess": min(verdict.min_ess_bulk, verdict.min_ess_tail),
        "divergences": verdict.divergences,
        "draws": done.settings.draws,
        "adapt_delta": done.settings.adapt_delta,
        "halvings": done.settings.halvings,
        "leapfrogs": float(done.draws.statistic("n_leapfrog__").mean()),
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--speakers", type=int, default=20)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--alpha", default=",".join(map(str, ALPHA)))
    options = parser.parse_args()
    low, high = map(float, options.alpha.split(","))
    given = (options.engine, (low, high))
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as pool:
        # The first fits load libraries and programs; they are not counted.
        for future in [pool.submit(fit_one, 10_000 + i, *given) for i in range(2)]:
            future.result()
        began = time.perf_counter()
        waiting = [pool.submit(fit_one, i, *given) for i in range(options.speakers)]
        fits = []
        for number, future in enumerate(waiting):
            fits.append(future.result())
            print(number, fits[-1], file=sys.stderr, flush=True)
        wall = time.perf_counter() - began
    frame = pd.DataFrame(fits)
    good = (frame["r_hat"] < 1.01) & (frame["ess"] > 400)
    result = {
        "speakers": options.speakers,
        "alpha_from": low,
        "alpha_to": high,
        "seconds_per_fit": wall / options.speakers,
        "cpu_s_per_fit": float(frame["cpu_s"].mean()),
        "good": int(good.sum()),
        "worst_r_hat": float(frame["r_hat"].max()),
        "least_ess": float(frame["ess"].min()),
        "divergent": int((frame["divergences"] > 0).sum()),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
