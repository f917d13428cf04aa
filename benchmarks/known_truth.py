"""Findings on studies whose truth is known: sign, size and coverage of every kind.

    python benchmarks/known_truth.py --studies 6

Each study has simulated people, three models at three efforts, a training run of seven
checkpoints, another that moves nothing, and a sycophant. But for people, whose weights
are those published, every study draws its truth anew from the prior: only then is the
coverage of a posterior interval what the interval says. Answers come from the recursion
in NumPy (13 items x 4 states x 10 replicates a goal); each speaker is fitted with Stan and
the statements are made as by `wolves findings`. Interrupt it and run it again to go on.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from simulated import design

GOALS = ("informative", "social", "both", "none")
ANSWERS = 13 * 10
NAMES = ("w_inf", "w_soc", "w_pres", "phi")
PEOPLE = {
    "informative": (0.22, 0.02, 0.76, 0.50),
    "social": (0.15, 0.26, 0.59, 0.39),
    "both": (0.22, 0.10, 0.68, 0.39),
}
ALPHA, COST = 5.0, 3.0
EFFORT = {"none": 0.0, "low": 0.2, "high": 0.0}
"""Change of phi; w_inf gains half of it, and w_soc gives that up."""
EFFORT_ROOM = (0.12, 0.78)
"""Least w_soc and greatest phi of a model, so that the change keeps it inside."""
STEPS = tuple(range(0, 700, 100))
BREAK = 0.4
"""Share of training at which the drift from one draw of the prior to another ends."""
STILL = STEPS[:5:2]
SYCOPHANTIC = 0.1
"""Greatest w_inf, w_soc and half phi of the sycophant."""
FIT = {"warmup": 500, "draws": 1000, "adapt_delta": 0.9}
ATTEMPTS = 1
DIVERGENT = 0.005
"""Share of divergent draws up to which a fit that is sound otherwise takes part. The verdict of
`wolves fit` allows none; some posteriors have corners in which a few draws always diverge."""

Weights = tuple[float, ...]
Truth = Mapping[str, Weights]
"""w_inf, w_soc, w_pres, phi under each goal."""


def cast(seed: int) -> Iterator[tuple[str, Truth, dict[str, Any]]]:
    """Name, truth and labels of every speaker of a study."""
    rng = np.random.default_rng([seed, 1])
    yield "people", PEOPLE, {}
    for model in ("a", "b", "c"):
        base = {goal: from_prior(rng, *EFFORT_ROOM) for goal in GOALS}
        for effort, change in EFFORT.items():
            labels = {"model": f"api/{model}", "effort": effort}
            yield f"api/{model}+{effort}", at_effort(base, change), labels
    begin, end = ({goal: from_prior(rng) for goal in GOALS} for _ in range(2))
    for step in STEPS:
        labels = {"model": "hf/run", "step": step}
        yield f"hf/run@checkpoint-{step}", on_the_way(begin, end, step), labels
    still = {goal: from_prior(rng) for goal in GOALS}
    for step in STILL:
        yield f"hf/still@checkpoint-{step}", still, {"model": "hf/still", "step": step}
    yield "hf/sycophant", {g: sycophantic(rng) for g in GOALS}, {"model": "hf/sycophant"}


def from_prior(rng: np.random.Generator, least_soc: float = 0.0, most_phi: float = 1.0) -> Weights:
    """Weights and phi from the prior, cut off where given."""
    while True:
        drawn = (*map(float, rng.dirichlet([1, 1, 1])), float(rng.uniform()))
        if drawn[1] >= least_soc and drawn[3] <= most_phi:
            return drawn


def sycophantic(rng: np.random.Generator) -> Weights:
    """Nearly all weight on being seen as kind."""
    inf, soc, half = map(float, rng.uniform(0, SYCOPHANTIC, size=3))
    return inf, soc, 1 - inf - soc, 2 * half


def at_effort(base: Truth, change: float) -> Truth:
    """The weights with phi moved, and half as much from w_soc to w_inf."""
    return {
        g: (i + change / 2, s - change / 2, p, phi + change) for g, (i, s, p, phi) in base.items()
    }


def on_the_way(begin: Truth, end: Truth, step: int) -> Truth:
    """The weights of a checkpoint: in a straight line, and there once the drift has ended."""
    part = min(step / STEPS[-1] / BREAK, 1)
    return {
        goal: tuple(float(a + part * (b - a)) for a, b in zip(begin[goal], end[goal], strict=True))
        for goal in begin
    }


@cache
def truths(seed: int) -> Mapping[str, Truth]:
    """Truths of a study by the label that statements give a speaker."""
    return {name.rsplit("/", 1)[-1]: truth for name, truth, _ in cast(seed)}


def given(truth: Truth) -> dict[str, Any]:
    """The truth as the simulator reads it."""
    weights = {g: dict(zip(NAMES, values, strict=True)) for g, values in truth.items()}
    return {"alpha": ALPHA, "cost": COST, "weights": weights}


def questions(name: str) -> Any:
    """The table of the questions put to a speaker."""
    return design(name, PEOPLE if name == "people" else GOALS, ANSWERS)


def answers(name: str, truth: Truth, seed: int) -> Any:
    """A table of simulated answers of one speaker."""
    from many_wolves.families.politeness.model import PoliteSpeaker

    rng = np.random.default_rng([seed, *name.encode()])
    return PoliteSpeaker().simulate(questions(name), rng, given(truth))[1]


def folder_of(out: Path, seed: int, name: str) -> Path:
    """Where the fit of a speaker lies."""
    return out / f"study-{seed}" / name.replace("/", "-") / "fit"


def fit_one(seed: int, name: str, out: Path) -> str:
    """Fit one speaker of a study, unless it is fitted; returns how it went."""
    from many_wolves import inference
    from many_wolves.workflows.fits import FitRequest, facts_of
    from many_wolves.workflows.sampling import Sampling

    os.environ["MANY_WOLVES_ONE_CORE"] = "1"
    folder = folder_of(out, seed, name)
    if (folder / "fit.json").is_file():
        return f"study {seed}: {name}: fitted before"
    truth, labels = next((t, labels) for n, t, labels in cast(seed) if n == name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    (folder.parent / "labels.json").write_text(json.dumps(labels))
    choices = answers(name, truth, seed)
    wanted = FitRequest(sampling=Sampling(seed=seed, **FIT))
    model, problem = wanted.prepare(choices)
    program = inference.load(problem.program)
    done = inference.fit_with_retries(
        problem, program, model.parameters, wanted.sampling.settings, attempts=ATTEMPTS
    )
    inference.save(done, folder, facts_of(choices))
    sound = "sound" if done.diagnostics.ok else " ".join(done.diagnostics.verdict)
    return f"study {seed}: {name}: {sound} ({done.seconds:.0f} s)"


def fit_all(seeds: range, out: Path) -> None:
    """Fit every speaker of every study, one in each process."""
    wanted = [(seed, name) for seed in seeds for name, _, _ in cast(seed)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("forkserver")) as pool:
        waiting = [pool.submit(fit_one, seed, name, out) for seed, name in wanted]
        for done, future in enumerate(waiting, 1):
            print(f"{done} of {len(wanted)}, {future.result()}", flush=True)


def statements_of(seed: int, out: Path) -> pd.DataFrame:
    """The statements that `wolves findings` makes of a fitted study."""
    from many_wolves.figures import read_all
    from many_wolves.findings import state, table

    fits = read_all([folder_of(out, seed, name) for name, _, _ in cast(seed)])
    sound = [fit for fit in fits if fit.converged]
    # `wolves findings` takes no fit with a bad verdict.
    close = [
        replace(fit, diagnostics={**fit.diagnostics, "ok": True})
        for fit in fits
        if not fit.converged and nearly(fit.diagnostics)
    ]
    taken = [*sound, *close]
    print(f"study {seed}: {len(fits) - len(taken)} left out, {len(close)} taken with divergences")
    found = table(state(taken, seed).statements)
    ends = {}
    for run in ("run", "still"):
        steps = [int(f.labels["step"]) for f in taken if f.labels.get("model") == f"hf/{run}"]
        ends |= {f"{run}_first": min(steps, default=-1), f"{run}_last": max(steps, default=-1)}
    return found.assign(study=seed, **ends)


def nearly(verdict: Mapping[str, Any]) -> bool:
    """Whether few divergent draws are all that a verdict holds against a fit."""
    draws = verdict["chains"] * verdict["draws"]
    few = verdict["divergences"] <= DIVERGENT * draws
    ess = min(verdict["min_ess_bulk"], verdict["min_ess_tail"])
    return bool(few and verdict["max_r_hat"] < 1.01 and ess > 400)


def truth_of(row: Any) -> float:
    """The true number of a statement; nan where the study does not fix one."""
    kinds = {"effort": _of_effort, "goals": _of_goals, "dynamics": _of_run, "distance": _distance}
    if row.finding in kinds:
        return kinds[row.finding](row)
    return _signature(row)


def _of_effort(row: Any) -> float:
    change = EFFORT[row.contrast.split(" - ")[0]]
    return {"phi": change, "w_inf": change / 2, "w_soc": -change / 2}.get(row.quantity, 0.0)


def _of_goals(row: Any) -> float:
    weights = truths(row.study).get(row.subject)
    if weights is None:
        return math.nan
    one, other = row.contrast.split(" - ")
    at = NAMES.index(row.quantity)
    return weights[one][at] - weights[other][at]


def _of_run(row: Any) -> float:
    if row.subject not in ("run", "still"):
        return math.nan
    moves = row.subject == "run"
    if row.quantity == "change":
        return float(moves)
    first, last = getattr(row, f"{row.subject}_first"), getattr(row, f"{row.subject}_last")
    if row.quantity in ("change point", "early share"):
        end = BREAK * STEPS[-1]
        if not moves or first > 0:
            return math.nan
        # Between two checkpoints the path is taken to be straight, also where it bends.
        return end / last if row.quantity == "change point" else min(last / 4 / end, 1)
    at = NAMES.index(row.quantity)
    known = truths(row.study)
    begin, end_ = (known[f"{row.subject}@checkpoint-{step}"] for step in (first, last))
    goals = [row.condition] if row.condition else GOALS
    return float(np.mean([end_[g][at] - begin[g][at] for g in goals]))


def _signature(row: Any) -> float:
    """Whether the signature is there, or how far an ingredient is from that of people."""
    known = truths(row.study)[row.subject][row.condition]
    alike = PEOPLE.get(row.condition)
    mine = tuple(np.mean(list(PEOPLE.values()), axis=0)) if alike is None else alike
    apart = dict(zip(NAMES, np.subtract(known, mine), strict=True))
    if row.quantity != "signature":
        return float(apart[row.quantity])
    lower = all(apart[name] < 0 for name in ("phi", "w_inf", "w_soc"))
    return float(lower and apart["w_pres"] > 0)


def _distance(row: Any) -> float:
    from many_wolves.findings.distance import divergence

    goal = row.contrast.partition("(")[2].rstrip(")")
    mine = predicted(row.study, row.subject)[row.condition]
    theirs = predicted(row.study, "people")[goal]
    return float(divergence(mine[None], theirs[None])[0])


@cache
def predicted(seed: int, who: str) -> Mapping[str, Any]:
    """(S, U) true probabilities of what a speaker says, by goal."""
    from many_wolves.families.politeness.model.problem import build
    from many_wolves.families.politeness.simulation.simulate import choice_probabilities, from_json

    problem = build(questions(who))
    known = from_json(given(truths(seed)[who]), problem)
    found = choice_probabilities(problem, known)
    return dict(zip(map(str, problem.coords["condition"]), found, strict=True))


def summary(statements: pd.DataFrame) -> pd.DataFrame:
    """One row a kind of number: how many, bias, error, coverage, and whether signs are right."""
    rows = statements.assign(truth=[truth_of(row) for row in statements.itertuples()])
    rows = rows[rows["truth"].notna()]
    sizes = rows[rows["low"].notna()]
    return pd.DataFrame([_line(name, part) for name, part in sizes.groupby(kind_of(sizes))])


def kind_of(rows: pd.DataFrame) -> pd.Series:
    """Name of the kind of each number."""
    kind = rows["finding"] + np.where(rows["quantity"] == "early share", ", early share", "")
    kind += np.where(rows["quantity"] == "change point", ", change point", "")
    change = (rows["finding"] == "dynamics") & rows["quantity"].isin(NAMES)
    return kind + np.where(change, ", net change of " + rows["subject"], "")


def _line(name: str, part: pd.DataFrame) -> dict[str, Any]:
    error = part["estimate"] - part["truth"]
    inside = (part["low"] <= part["truth"]) & (part["truth"] <= part["high"])
    line: dict[str, Any] = {
        "finding": name,
        "numbers": len(part),
        "bias": error.mean(),
        "rmse": float(np.sqrt((error**2).mean())),
        "coverage of 95 %": inside.mean(),
    }
    if part["probability"].notna().all():
        said = part[part["evidence"].isin(["moderate", "strong"]) & (part["truth"] != 0)]
        line["moderate or strong"] = len(said)
        line["of these, sign right"] = (np.sign(said["estimate"]) == np.sign(said["truth"])).mean()
        still = part[part["truth"] == 0]
        if len(still):
            line["moderate or strong where nothing is"] = (
                still["evidence"].isin(["moderate", "strong"]).mean()
            )
    return line


def probabilities(statements: pd.DataFrame) -> pd.DataFrame:
    """Probabilities stated, beside how often what they are of was so."""
    rows = statements[statements["quantity"].isin(["signature", "change"])]
    rows = rows.assign(truth=[truth_of(row) for row in rows.itertuples()]).dropna(subset="truth")
    bins = pd.cut(rows["estimate"], [0, 0.05, 0.2, 0.5, 0.8, 1], include_lowest=True)
    grouped = rows.groupby(["quantity", bins], observed=True)
    return grouped.agg(
        numbers=("truth", "size"), stated=("estimate", "mean"), so=("truth", "mean")
    ).reset_index()


def main() -> None:
    """Run the studies and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=6)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/known-truth"))
    chosen = parser.parse_args()
    seeds = range(1, chosen.studies + 1)
    fit_all(seeds, chosen.out)
    statements = pd.concat([statements_of(s, chosen.out) for s in seeds], ignore_index=True)
    statements.to_csv(chosen.out / "statements.csv", index=False)
    for name, made in (("summary", summary), ("probabilities", probabilities)):
        table = made(statements)
        table.to_csv(chosen.out / f"{name}.csv", index=False)
        print(table.to_string(index=False, float_format=lambda x: f"{x:.3f}", na_rep="-"))


if __name__ == "__main__":
    main()
