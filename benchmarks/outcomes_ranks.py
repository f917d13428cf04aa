"""Is `outcomes` calibrated? Ranks of the log-likelihood and of its parts, in simulations.

    python benchmarks/outcomes_ranks.py --n 40

Parameters are drawn from the prior and games from the parameters: 40 games in chains of three. The
log-likelihood of the games at the true parameters is ranked among its values at 99 posterior draws:
of all that is observed, and of its parts (when games end, whether with a deal, at which
share). If program and simulator agree, all of these ranks are uniform. Simulations that are done
are kept; interrupt it and run it again to go on.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bargaining_truth import from_prior
from calibrate_bargaining import MODELS, haggled
from scipy.special import log_expit

from many_wolves import inference
from many_wolves.families.bargaining.model import models, outcomes
from many_wolves.families.bargaining.model.begun_games import Games, read_games
from many_wolves.families.bargaining.simulation import outcomes as ends
from many_wolves.inference.evaluation.sbc import rank_test
from many_wolves.inference.settings import Settings
from many_wolves.observations import Observations

FILE = Path(__file__).parent / "out" / "bargaining" / "outcomes-ranks.jsonl"
PARTS = ("turns", "deal", "share", "all")
SETTINGS = {"chains": 2, "warmup": 300, "draws": 400, "adapt_delta": 0.9}
RANKS = 99
STREAM = 9
"""Of the random numbers: other simulations than those of `wolves calibrate`."""


def parts(games: Games, p: ends.Parameters, shift: ends.Shifts) -> list[float]:
    """Log-likelihood of when games end, whether with a deal, of the shares, and of all of it."""
    how = games.as_words
    share = ends.share_log_probability(games.at, p, shift, games.share).sum()
    odds = ends.deal_log_odds(games.at, p, shift)
    deal = np.select([how == 1, how == 0], [log_expit(odds), log_expit(-odds)], 0.0).sum()
    rows = ends.row_log_likelihood(games.at, p, shift, games.last, how, games.share)
    return [float(rows.sum() - deal - share), float(deal), float(share), float(rows.sum())]


def ranks(design: Observations, seed: int) -> dict[str, Any]:
    """Simulate and fit once; the rank of each part."""
    rng = np.random.default_rng([STREAM, seed])
    begun, model = read_games(design), models()["outcomes"]
    p, shift = from_prior(begun, rng)
    replaced = outcomes._replaced(begun, *ends.draw(begun.at, p, shift, rng))
    observations = design.having(games=replaced)
    games, problem = read_games(observations), model.problem(observations)
    program = inference.load(problem.program)
    done = inference.fit(problem, program, model.parameters, Settings(seed=seed + 1, **SETTINGS))
    true = np.array(parts(games, p, shift))
    drawn = np.array([parts(games, *one) for one in _draws(done.tree, games)])
    return {
        "seed": seed,
        "ranks": (drawn < true).sum(axis=0).tolist(),
        "r_hat": done.diagnostics.max_r_hat,
    }


def _draws(tree: Any, games: Games) -> Any:
    """Parameters and deviations of 99 posterior draws."""
    posterior = tree["posterior"].to_dataset().stack(sample=("chain", "draw"))
    for n in np.linspace(0, posterior.sizes["sample"] - 1, RANKS).astype(int):
        one = {name: value.to_numpy() for name, value in posterior.isel(sample=n).items()}
        b, of_partner = one["coefficient"], one["partner_at"][:, games.partner]
        # The middle of each game's share holds all that adds to it.
        p = ends.Parameters(
            np.insert(b[0], 1, one["round_slope"]), b[1], 0 * b[2], float(one["share_scale"]),
            one["atom"],
        )  # fmt: skip
        yield p, ends.Shifts(of_partner[0], of_partner[1], one["expected_middle"])


def main() -> None:
    """Run the simulations that are missing, and print the tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=40)
    n = parser.parse_args().n
    small = MODELS["outcomes"]
    design = haggled(replace(small, design={**small.design, "sample": 8}))
    FILE.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in FILE.read_text().splitlines()] if FILE.exists() else []
    for seed in sorted(set(range(n)) - {r["seed"] for r in done}):
        done.append(ranks(design, seed))
        with FILE.open("a") as file:
            file.write(json.dumps(done[-1]) + "\n")
        print(done[-1], flush=True)
    found = np.array([r["ranks"] for r in done])
    tests = [rank_test(name, found[:, k], RANKS) for k, name in enumerate(PARTS)]
    print(f"{len(done)} simulations")
    print(pd.DataFrame({
        "part": PARTS, "mean rank": found.mean(axis=0) / RANKS, "p": [t.p for t in tests],
        "shape": [t.shape for t in tests],
    }).round(3).to_string(index=False))  # fmt: skip


if __name__ == "__main__":
    main()
