"""What critics do to known players of bargaining: coverage, signs, and games without a deal.

    python benchmarks/bargaining_truth.py --studies 12

A study has 12 chains of three games in three arms (no advice, a constant line, a critic). Ends of
games are simulated, `outcomes` is fitted, and differences between the critic and the constant line
are compared with their true values. There are two kinds of studies. In ``prior``, all parameters
are drawn from the prior, so intervals must hold the truth as often as they say. In ``greedy``, the
critic raises the share of deals and costs so many deals that a game brings less. Beside the model
stand two analyses without games that ended without a deal: the mean share of deals, and the same
for chains that end with their first failure, as in Fu et al. (2023). Studies that are done are
kept; interrupt it and run it again to go on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import ttest_ind

from many_wolves import inference
from many_wolves.families.bargaining import Bargaining
from many_wolves.families.bargaining.model import models, outcomes
from many_wolves.families.bargaining.model.begun_games import Games, read_games
from many_wolves.families.bargaining.simulation import outcomes as ends
from many_wolves.families.bargaining.simulation.games import simulate_games
from many_wolves.inference.settings import Settings
from many_wolves.observations import Observations

OUT = Path(__file__).parent / "out" / "bargaining-truth"
KINDS = ("prior", "greedy")
CHAINS = 12
SETTINGS = {"chains": 2, "warmup": 400, "draws": 500, "adapt_delta": 0.9}
GREEDY = {"share": 0.3, "deal": -1.2}
"""What the critic adds to the logit of the share and to the log-odds of a deal: not beyond what
the prior (sd .5) finds possible."""
CLAIM = {"end": -0.5, "deal": 1.0, "share": 0.0}
"""Intercepts of ``greedy`` players."""
QUANTITIES = ("end", "deal", "middle", "deal rate", "share of deals", "expected share")
FEWEST = 3
"""Deals of an arm, without which a mean has no interval."""
NAIVE = 2000
"""Studies for the analyses that need no fit."""


def design() -> Observations:
    """Games of the arms, played once; how they ended does not matter."""
    family = Bargaining()
    chosen = family.design("haggle").read({
        "preset": "improvement", "games": 3, "sample": CHAINS, "arms": "none,constant,ai",
        "partners": "linear,split",
    })  # fmt: skip
    openings = family.compile("haggle", chosen).trials
    return simulate_games(openings, {"concession": {"opening": 0.9}})


class Studies:
    """Studies with known truth on one design."""

    def __init__(self) -> None:
        self.observations = design()
        self.games = read_games(self.observations)

    def simulated(self, kind: str, seed: int) -> tuple[dict[str, float], Observations]:
        """The true differences of a study, and its games."""
        rng = np.random.default_rng([KINDS.index(kind), seed])
        games = self.games
        if kind == "prior":
            p, shift = from_prior(games, rng)
        else:
            p, shift = greedy(games), ends.Shifts.none(len(games.frame))
        last, ended, share = ends.draw(games.at, p, shift, rng)
        found = self.observations.having(games=outcomes._replaced(games, last, ended, share))
        return true_differences(games, p, shift), found


def from_prior(games: Games, rng: np.random.Generator) -> tuple[ends.Parameters, ends.Shifts]:
    """Parameters, and deviations of chains and partners, as `outcomes` expects them."""
    x = rng.normal(size=3 * (1 + len(games.covariates.names)) + 2)
    atoms = rng.dirichlet(outcomes.ATOM)
    units = outcomes.Spread.drawn(games.levels, outcomes.PRIOR_SD, rng, 0.5)
    sd = rng.exponential(0.5, 3) * outcomes.PRIOR_SD
    partner = sd * rng.normal(size=(len(games.partners), 3))
    return outcomes._parameters(x, games, atoms), outcomes._shift(games, units, partner)


def greedy(games: Games) -> ends.Parameters:
    """Players who get better deals, and fewer of them, after a critic's advice."""
    names = games.covariates.names
    end, deal, middle = (np.zeros(1 + len(names)) for _ in range(3))
    end[0], deal[0], middle[0] = CLAIM["end"], CLAIM["deal"], CLAIM["share"]
    column = 1 + names.index("after ai")
    deal[column], middle[column] = GREEDY["deal"], GREEDY["share"]
    return ends.Parameters(
        np.insert(end, 1, 0.3), deal, middle, 0.3, outcomes.ATOM / outcomes.ATOM.sum()
    )


def arms(games: Games) -> tuple[Any, Any]:
    """Which games follow the critic's advice, and which the constant line."""
    later = games.frame["game"].astype(int).to_numpy() > 1
    arm = games.frame["arm"].astype(str).to_numpy()
    return later & (arm == "ai"), later & (arm == "constant")


def true_differences(games: Games, p: ends.Parameters, shift: ends.Shifts) -> dict[str, float]:
    """Differences critic - constant line of known parameters."""
    names = games.covariates.names
    one, two = (names.index(f"after {arm}") for arm in ("ai", "constant"))
    found = {
        name: float(b[one] - b[two])
        for name, b in zip(QUANTITIES, (p.end[2:], p.deal[1:], p.middle[1:]), strict=False)
    }
    on = np.ones(len(games.frame))
    for t in range(1, int(games.at.rounds.max()) + 1):
        over = expit(ends.end_log_odds(games.at, p, shift, np.full(on.size, float(t))))
        on *= np.where(t <= games.at.rounds, 1 - over, 1.0)
    deals = (1 - on) * expit(ends.deal_log_odds(games.at, p, shift))
    middle = p.middle[0] + games.at.design @ p.middle[1:] + shift.middle
    drawn = {"expected_middle": middle[None, None], "share_scale": np.full((1, 1), p.scale),
             "atom": p.atoms[None, None]}  # fmt: skip
    share = outcomes.mean_share(drawn, games.at.atoms)[0, 0]
    return found | {
        name: float(value) for name, value in results(games, deals, deals * share).items()
    }


def results(games: Games, deals: Any, expected: Any) -> dict[str, Any]:
    """Differences of what (..., N) deal rates and expected shares bring."""
    ai, constant = arms(games)
    rate, brings = (
        [value[..., of].mean(axis=-1) for of in (ai, constant)] for value in (deals, expected)
    )
    return {
        "deal rate": rate[0] - rate[1],
        "share of deals": brings[0] / rate[0] - brings[1] / rate[1],
        "expected share": brings[0] - brings[1],
    }


def fitted(observations: Observations, seed: int) -> dict[str, Any]:
    """Mean and 95 % interval of every difference, and whether the fit has converged."""
    model = models()["outcomes"]
    problem = model.problem(observations)
    program = inference.load(problem.program)
    done = inference.fit_with_retries(
        problem, program, model.parameters, Settings(seed=seed, **SETTINGS)
    )
    posterior = done.tree["posterior"].to_dataset()
    games = read_games(observations)
    contrast = posterior["contrast"].sel(arm="ai - constant").to_numpy()
    draws = dict(zip(QUANTITIES[:3], np.moveaxis(contrast, -1, 0), strict=True))
    draws |= results(
        games, posterior["predicted"].to_numpy()[..., 0], posterior["expected"].to_numpy()
    )
    lines = {
        name: [float(x.mean()), *map(float, np.quantile(x, (0.025, 0.975)))]
        for name, x in draws.items()
    }
    return {"found": lines, "r_hat": done.diagnostics.max_r_hat}


def naive(observations: Observations, *, cut: bool) -> tuple[float, float, float]:
    """Mean share of deals after the critic - after the constant line, with a 95 % interval.

    ``cut``: a chain ends with its first game without a deal.
    """
    games = read_games(observations)
    kept = games.ended == 0
    if cut:
        frame = games.frame.assign(fell=games.ended != 0).sort_values("game", kind="stable")
        failed = frame.groupby(["chain", "branch"])["fell"].cumsum() > 0
        kept &= ~failed.sort_index().to_numpy()
        # The first game is shared by the branches: where it fails, all of them end.
        first = games.frame["game"].astype(int) == 1
        lost = set(games.frame["chain"][first & (games.ended != 0)])
        kept &= ~games.frame["chain"].isin(lost).to_numpy()
    one, two = (games.share[kept & of] for of in arms(games))
    if min(one.size, two.size) < FEWEST:
        return np.nan, np.nan, np.nan
    test = ttest_ind(one, two, equal_var=False)
    low, high = test.confidence_interval(0.95)
    return float(one.mean() - two.mean()), float(low), float(high)


def run(studies: Studies, n: int, file: Path) -> None:
    """Fit the studies that the file lacks."""
    file.parent.mkdir(parents=True, exist_ok=True)
    done = {(r["kind"], r["seed"]) for r in read(file)}
    for seed in range(1, n + 1):
        for kind in KINDS:
            if (kind, seed) in done:
                continue
            truth, observations = studies.simulated(kind, seed)
            record = {"kind": kind, "seed": seed, "truth": truth, **fitted(observations, seed)}
            with file.open("a") as lines:
                lines.write(json.dumps(record) + "\n")
            print(f"{kind} {seed} of {n}: R-hat {record['r_hat']:.3f}", flush=True)


def read(file: Path) -> list[dict[str, Any]]:
    """The studies that are done."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def summary(records: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a kind of study and difference: bias, error, coverage, signs."""
    rows = []
    for kind in KINDS:
        own = [r for r in records if r["kind"] == kind]
        for name in QUANTITIES if own else ():
            truth = np.array([r["truth"][name] for r in own])
            mean, low, high = np.array([r["found"][name] for r in own]).T
            rows.append({"studies": kind, "difference": name} | line(truth, mean, low, high))
    return pd.DataFrame(rows)


def line(truth: Any, mean: Any, low: Any, high: Any) -> dict[str, Any]:
    """Bias, error and coverage; of the intervals without 0, how many have the right sign."""
    clear = (low > 0) | (high < 0)
    right = np.sign(mean[clear]) == np.sign(truth[clear])
    return {
        "n": truth.size,
        "truth": truth.mean(),
        "bias": (mean - truth).mean(),
        "rmse": np.sqrt(((mean - truth) ** 2).mean()),
        "inside 95 %": int(((low <= truth) & (truth <= high)).sum()),
        "without 0": int(clear.sum()),
        "sign right": int(right.sum()),
    }


def survivors(studies: Studies, n: int) -> Iterator[dict[str, Any]]:
    """What the analyses without failed games say of what a game brings."""
    for cut, words in ((False, "deals alone"), (True, "chains up to the first failure")):
        truths, found = [], []
        for seed in range(1, n + 1):
            truth, observations = studies.simulated("greedy", seed)
            truths.append(truth["expected share"])
            found.append(naive(observations, cut=cut))
        kept = np.isfinite(np.array(found)).all(axis=1)
        mean, low, high = np.array(found)[kept].T
        yield {"analysis": words} | line(np.array(truths)[kept], mean, low, high)


def main() -> None:
    """Run the studies and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=12, help="of each kind, each with a fit")
    parser.add_argument("--naive", type=int, default=NAIVE, help="studies without a fit")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    studies = Studies()
    tables = {"survivors": pd.DataFrame(survivors(studies, chosen.naive))}
    run(studies, chosen.studies, chosen.out / "studies.jsonl")
    tables["summary"] = summary(read(chosen.out / "studies.jsonl"))
    for name, table in tables.items():
        table.to_csv(chosen.out / f"{name}.csv", index=False)
        print(table.to_string(index=False, float_format=lambda x: f"{x:.3f}"))


if __name__ == "__main__":
    main()
