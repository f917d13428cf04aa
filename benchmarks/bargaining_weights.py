"""Are the weights of a simulated bargainer found again, from 240 games with probes?

    python benchmarks/bargaining_weights.py --expected     without a fit, a minute
    python benchmarks/bargaining_weights.py --n 6

A player that wants its own gain, an even split and a deal in known proportions plays the design
`values` (240 games: a fixed and an early conceding partner, three menus of odds, three lists of
offers below the player's limit). The model `values` is fitted to what it did. Printed are root mean
squared errors of the three weights, and how often the 95 % intervals hold them. Exit status 1 where
an error is above its bound. ``--expected`` prints the standard deviations that the design
leads one to expect, for this player and for others.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

from many_wolves import inference
from many_wolves.families.bargaining import Bargaining
from many_wolves.families.bargaining.model import models, values
from many_wolves.families.bargaining.model.identified import expected_covariance
from many_wolves.families.bargaining.model.made_choices import read_chosen
from many_wolves.families.bargaining.simulation.games import simulate_games
from many_wolves.inference.settings import Settings
from many_wolves.records import Trial

TRUTH = {"own": 0.54, "fair": 0.20, "deal": 0.26}
BOUND = {"own": 0.05, "fair": 0.05, "deal": 0.02}
GAMES = 240
PLAYERS = {
    "known": TRUTH,
    "selfish": {"own": 0.85, "fair": 0.1, "deal": 0.05},
    "fair": {"own": 0.3, "fair": 0.6, "deal": 0.1},
    "closer": {"own": 0.4, "fair": 0.1, "deal": 0.5},
}
"""Weights of the players of ``--expected``."""


def expected(games: int = GAMES, seed: int = 1) -> pd.DataFrame:
    """Expected posterior standard deviations of the weights of each player, without a fit."""
    openings = designed(games, seed)
    rows = []
    for name, w in PLAYERS.items():
        played = simulate_games(openings, {"values": {**w, "precision": 20.0}}, seed=seed)
        oracle = values._Oracle(read_chosen(played), "even", True)
        x = np.zeros(len(oracle.names))
        x[:6] = values._from_given(w, "even", True)
        covariance = expected_covariance(oracle, x, np.random.default_rng(seed))[:2, :2]
        at = np.array(list(w.values()))
        # How the weights (a softmax) change with the two log-ratios, in prior sds.
        turn = values._RATIO_SD * (np.diag(at) - np.outer(at, at))[:, :2]
        sds = np.sqrt(np.diag(turn @ covariance @ turn.T))
        rows.append({"player": name, **{f"sd {k}": sd for k, sd in zip(TRUTH, sds, strict=True)}})
    return pd.DataFrame(rows)


def designed(games: int, seed: int) -> list[Trial]:
    """Openings of the design `values`."""
    family = Bargaining()
    design = family.design("haggle").read({"preset": "values", "sample": games, "seed": seed})
    return list(family.compile("haggle", design).trials)


def weights(seed: int, games: int = GAMES) -> pd.DataFrame:
    """Truth, posterior mean, sd and 95 % interval of each weight from one player's games."""
    openings = designed(games, seed)
    observations = simulate_games(openings, {"values": {**TRUTH, "precision": 20.0}}, seed=seed)
    model = models()["values"]
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
    parser.add_argument("--expected", action="store_true", help="expected sds, without a fit")
    chosen = parser.parse_args()
    if chosen.expected:
        print(expected(chosen.games, chosen.seed).round(3).to_string(index=False))
        return 0
    parts = []
    for seed in range(chosen.seed, chosen.seed + chosen.n):
        parts.append(weights(seed, chosen.games))
        print(parts[-1].round(3).to_string(index=False), flush=True)
    table = errors(pd.concat(parts))
    print(table.round(3).to_string())
    return int((table["rmse"] > table["bound"]).any())


if __name__ == "__main__":
    sys.exit(main())
