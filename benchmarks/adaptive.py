"""Calls until 95 % intervals are narrow: a balanced design against an adaptive one.

    python benchmarks/adaptive.py --n 40

Each simulated speaker draws its weights from the prior of the model. The other parameters are near
those of people, and the correlation of its answers to one prompt is that of published models. It
answers shipped scenes of two goals, in rounds. Both designs begin with the same questions, and look
at the widths after each round. The balanced design takes trials in the order of `wolves compile`,
again and again. The adaptive one takes those with the most expected information. Intervals come
from a Laplace approximation with importance weights, or from short chains where it is bad.
Interrupt it and run it again to go on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from many_wolves import inference
from many_wolves.contracts import Array, Observations
from many_wolves.families.politeness import simulate
from many_wolves.records import Trial
from many_wolves.workflows.compiling import request, trials_of
from many_wolves.workflows.design import DesignRequest, before_of, choose, designing_model, learn_of

GOALS = ("informative", "social")
OPTIONS = {"literal": "fixed"}
ALPHA, COST, ICC, LAPSE = 4.5, 2.6, 0.1, 0.03
DESIGNS = ("balanced", "adaptive")
CASES = {
    "all weights": ("w_inf", "w_soc", "w_pres"),
    "weights of one goal": ("w_inf:social", "w_soc:social", "w_pres:social"),
}
FACTORS = ("item", "goal", "framing", "state")


@dataclass
class Speaker:
    """A simulated speaker: an urn for each trial, and its answers so far."""

    trials: Sequence[Trial]
    probabilities: Array
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.counts = np.zeros(self.probabilities.shape)

    def answer(self, question: int) -> None:
        """Draw the next answer to a trial."""
        seen = self.counts[question]
        n = seen.sum()
        p = self.probabilities[question] * (1 - ICC) + seen * ICC
        seen[self.rng.choice(len(p), p=p / (1 - ICC + n * ICC))] += 1

    @property
    def levels(self) -> list[int]:
        """Answers to each trial."""
        return [int(n) for n in self.counts.sum(axis=1)]

    @property
    def observations(self) -> Observations:
        """The answers as a table."""
        rows = [
            ("simulated", *(trial.cell[name] for name in FACTORS), option, n)
            for trial, own in zip(self.trials, self.counts, strict=True)
            if own.sum()
            for option, n in zip(sorted(o.id for o in trial.options), own, strict=True)
        ]
        columns = ["speaker", *FACTORS, "utterance", "count"]
        return Observations.from_rows("politeness", pd.DataFrame(rows, columns=columns))


def speaker(trials: Sequence[Trial], seed: int) -> tuple[Speaker, dict[tuple[str, str], float]]:
    """A speaker from the prior, and its true weights by parameter and condition."""
    model = designing_model("politeness")
    problem = model.before(trials, **OPTIONS)
    rng = np.random.default_rng([seed, 7])
    drawn = simulate.from_prior(problem, rng)
    known = replace(drawn, alpha=ALPHA, cost=COST, icc=ICC, lapse=LAPSE)
    p = simulate.answer_probabilities(problem, known)
    names = list(problem.coords["utterance"])
    order = [names.index(name) for name in sorted(names)]
    conditions, states = list(problem.coords["condition"]), list(problem.coords["state"])
    each = np.stack(
        [p[conditions.index(t.cell["goal"]), states.index(t.cell["state"]), order] for t in trials]
    )
    truth = {
        (f"w_{utility}", str(condition)): float(known.weights[j, c])
        for j, utility in enumerate(("inf", "soc", "pres"))
        for c, condition in enumerate(conditions)
    }
    return Speaker(trials, each, np.random.default_rng([seed, 8])), truth


def looks(
    trials: Sequence[Trial], seed: int, kind: str, about: Sequence[str], given: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """What is known after each round, until all intervals are narrow or no call is left."""
    model = designing_model("politeness")
    who, truth = speaker(trials, seed)
    wanted = DesignRequest(
        about=tuple(about), calls=given.round, width=given.width, options=OPTIONS
    )
    first = model.start(trials, **OPTIONS)
    chosen = [n for n, times in enumerate(first) for _ in range(times)]
    while True:
        for question in chosen:
            who.answer(question)
        levels = who.levels
        problem = model.problem(who.observations, **OPTIONS)
        program = inference.load(problem.program)
        now = replace(wanted, seed=1000 * seed + sum(levels))
        kinds = model.kinds_of(problem, trials)
        before = before_of(model, trials, kinds, program, wanted)
        known = learn_of(model, problem, program, now, None, (before, kinds, levels))
        yield {
            "calls": sum(levels),
            "reliable": known.reliable,
            "width": known.width.round(5).tolist(),
            "low": known.low.round(5).tolist(),
            "high": known.high.round(5).tolist(),
            "truth": [truth[target] for target in known.targets],
        }
        if (known.width <= given.width).all() or sum(levels) >= given.most:
            return
        if kind == "balanced":
            order = sorted(range(len(trials)), key=lambda n: levels[n])
            chosen = (order * given.round)[: given.round]
        else:
            chosen = choose(known, kinds, levels, [0] * len(trials), now)


def measure(given: argparse.Namespace) -> list[dict[str, Any]]:
    """One record for each case, speaker and design; those on disk are not made again."""
    trials = list(trials_of(request(("choice",), {"goals": GOALS, "framings": ("third",)})))
    path: Path = given.out / f"width_{given.width:g}_round_{given.round}_most_{given.most}.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(one["case"], one["seed"], one["design"]) for one in records}
    with path.open("a") as file:
        for seed in range(1, given.n + 1):
            for case in given.cases:
                for kind in DESIGNS:
                    if (case, seed, kind) in done:
                        continue
                    began = time.process_time()
                    found = list(looks(trials, seed, kind, CASES[case], given))
                    record = {"case": case, "seed": seed, "design": kind, "looks": found}
                    record["seconds"] = round(time.process_time() - began, 1)
                    file.write(json.dumps(record) + "\n")
                    file.flush()
                    records.append(record)
                    print(case, seed, kind, found[-1]["calls"], record["seconds"], flush=True)
    return records


def table(records: Sequence[dict[str, Any]], width: float) -> pd.DataFrame:
    """Calls, coverage and share of reliable intervals by case and design."""
    rows = []
    by_seed: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
    for record in records:
        by_seed.setdefault((record["case"], record["seed"]), {})[record["design"]] = record
    for case in dict.fromkeys(record["case"] for record in records):
        pairs = [own for (name, _), own in by_seed.items() if name == case and len(own) == 2]
        calls = {kind: np.array([_last(p[kind])["calls"] for p in pairs]) for kind in DESIGNS}
        for kind in DESIGNS:
            last = [_last(pair[kind]) for pair in pairs]
            inside = np.concatenate([_inside(one) for one in last])
            reached = [max(one["width"]) <= width for one in last]
            rows.append(
                {
                    "case": case,
                    "design": kind,
                    "speakers": len(pairs),
                    "calls_median": float(np.median(calls[kind])),
                    "calls_mean": float(calls[kind].mean()),
                    "ratio_median": float(np.median(calls[kind] / calls["balanced"])),
                    "reached": float(np.mean(reached)),
                    "intervals": len(inside),
                    "coverage": float(inside.mean()),
                    "reliable": float(np.mean([one["reliable"] for one in last])),
                }
            )
    return pd.DataFrame(rows)


def _last(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["looks"][-1]
    return found


def _inside(look: dict[str, Any]) -> Array:
    low, high, truth = (np.array(look[name]) for name in ("low", "high", "truth"))
    found: Array = ((low <= truth) & (truth <= high)).astype(float)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=40)
    parser.add_argument("--width", type=float, default=0.4)
    parser.add_argument("--round", type=int, default=48)
    parser.add_argument("--most", type=int, default=400)
    parser.add_argument("--cases", nargs="+", default=list(CASES))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/adaptive"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    found = table(measure(given), given.width)
    found.to_csv(given.out / f"table_{given.width:g}.csv", index=False)
    print(found.to_string(index=False, float_format=lambda x: f"{x:.2f}"))


if __name__ == "__main__":
    main()
