"""Are the weights of a simulated bargainer found again, from 240 games with probes?

    python benchmarks/bargaining_weights.py --n 6

A player that wants its own gain, an even split and a deal in known proportions plays the design
`values` (240 games; partners concede early, late, at random, name the odds, have the last word
below the player's limit); the model `values` is fitted to what it did. Printed are root mean
squared errors of the three weights, and how often the 95 % intervals hold them. Exit status 1 where
an error is above its bound.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

from many_wolves import inference
from many_wolves.families.bargaining import Bargaining
from many_wolves.families.bargaining.model import drafts, models
from many_wolves.families.bargaining.simulation.games import simulate_games
from many_wolves.inference.settings import Settings

TRUTH = {"own": 0.54, "fair": 0.20, "deal": 0.26}
BOUND = {"own": 0.05, "fair": 0.05, "deal": 0.02}
GAMES = 240


def weights(seed: int, games: int = GAMES) -> pd.DataFrame:
    """Truth, posterior mean, sd and 95 % interval of each weight from one player's games."""
    family = Bargaining()
    design = family.design("haggle").read({"preset": "values", "sample": games, "seed": seed})
    openings = family.compile("haggle", design).trials
    observations = simulate_games(openings, {"values": {**TRUTH, "precision": 20.0}}, seed=seed)
    model = {**models(), **drafts()}["values"]
    problem = model.problem(observations)
    program = inference.load(problem.program)
    settings = Settings(chains=2, warmup=300, draws=300, adapt_delta=0.9, seed=seed)
    done = inference.fit_with_retries(problem, program, model.parameters, settings)
    draws = done.tree["posterior"]["w"].to_numpy().reshape(-1, 3)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    return pd.DataFrame(
        {
            "weight": list(TRUTH),
            "truth": list(TRUTH.values()),
            "mean": draws.mean(axis=0),
            "sd": draws.std(axis=0),
            "inside": [a <= t <= b for a, t, b in zip(low, TRUTH.values(), high, strict=True)],
            "seed": seed,
            "messages": problem.data["N"],
        }
    )


def errors(found: pd.DataFrame) -> pd.DataFrame:
    """Root mean squared error of each weight, with its bound and the coverage."""
    found = found.assign(square=(found["mean"] - found["truth"]) ** 2)
    by = found.groupby("weight", sort=False)
    table = pd.DataFrame(
        {
            "rmse": np.sqrt(by["square"].mean()),
            "bound": pd.Series(BOUND),
            "bias": by["mean"].mean() - by["truth"].first(),
            "posterior sd": by["sd"].mean(),
            "inside 95 %": by["inside"].sum(),
            "n": by.size(),
        }
    )
    return table.loc[list(TRUTH)]


def main() -> int:
    """Play, fit, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=6, help="players, each with games of its own")
    parser.add_argument("--games", type=int, default=GAMES, help="games of each")
    parser.add_argument("--seed", type=int, default=1, help="of the first player")
    chosen = parser.parse_args()
    parts = []
    for seed in range(chosen.seed, chosen.seed + chosen.n):
        parts.append(weights(seed, chosen.games))
        print(parts[-1].round(3).to_string(index=False), flush=True)
    table = errors(pd.concat(parts))
    print(table.round(3).to_string())
    return int((table["rmse"] > table["bound"]).any())


if __name__ == "__main__":
    sys.exit(main())
