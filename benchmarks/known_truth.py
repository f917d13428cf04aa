"""Findings on studies whose truth is known: sign, size and coverage of every kind.

    python benchmarks/known_truth.py --studies 20

Each study has simulated people, three models at three efforts, one training run of
seven checkpoints, and a sycophant. Their answers come from the recursion in NumPy
(13 items x 4 states x 10 replicates a goal); each is fitted with Stan and the
statements are made as by `wolves findings`. Interrupt it and run it again to go on.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

GOALS = ("informative", "social", "both", "none")
ANSWERS = 13 * 10
NAMES = ("w_inf", "w_soc", "w_pres", "phi")
PEOPLE = {
    "informative": (0.22, 0.02, 0.76, 0.50),
    "social": (0.15, 0.26, 0.59, 0.39),
    "both": (0.22, 0.10, 0.68, 0.39),
}
BASE = {
    "informative": (0.45, 0.15, 0.40, 0.55),
    "social": (0.20, 0.45, 0.35, 0.30),
    "both": (0.30, 0.30, 0.40, 0.45),
    "none": (0.30, 0.30, 0.40, 0.40),
}
EFFORT = {"none": 0.0, "low": 0.2, "high": 0.0}
"""Change of phi; w_inf gains half of it, and w_soc gives that up."""
SYCOPHANT = dict.fromkeys(GOALS, (0.04, 0.02, 0.94, 0.10))
STEPS = tuple(range(0, 700, 100))
BREAK, DRIFT = 0.4, 0.35
"""Share of training at which the drift of w_soc (down) and w_inf (up) ends; its size."""
FIT = {"warmup": 400, "draws": 1000, "adapt_delta": 0.95}
DIVERGENT = 0.005
"""Share of divergent draws up to which a fit that is sound otherwise takes part. The verdict of
`wolves fit` allows none; the sycophant's posterior has corners in which some always diverge."""

Truth = Mapping[str, tuple[float, ...]]


def at_effort(base: Truth, change: float) -> Truth:
    """The weights with phi moved, and half as much from w_soc to w_inf."""
    return {
        g: (i + change / 2, s - change / 2, p, phi + change) for g, (i, s, p, phi) in base.items()
    }


def at_step(step: int) -> Truth:
    """The weights of a checkpoint."""
    moved = DRIFT * min(step / STEPS[-1], BREAK) / BREAK
    return dict.fromkeys(GOALS, (0.15 + moved, 0.55 - moved, 0.30, 0.50))


def cast(seed: int) -> Iterator[tuple[str, Truth, dict[str, Any]]]:
    """Name, truth and labels of every speaker of a study; models differ a little by seed."""
    rng = np.random.default_rng([seed, 1])
    yield "people", PEOPLE, {}
    for model in ("a", "b", "c"):
        shift = rng.normal(0, 0.03)
        base = {g: (i, s - shift, p + shift, phi + shift) for g, (i, s, p, phi) in BASE.items()}
        for effort, change in EFFORT.items():
            labels = {"model": f"api/{model}", "effort": effort}
            yield f"api/{model}+{effort}", at_effort(base, change), labels
    for step in STEPS:
        labels = {"model": "hf/run", "step": step}
        yield f"hf/run@checkpoint-{step}", at_step(step), labels
    yield "hf/sycophant", SYCOPHANT, {"model": "hf/sycophant"}


def answers(name: str, truth: Truth, seed: int) -> Any:
    """A table of simulated answers of one speaker."""
    from many_wolves.families.politeness.human import UTTERANCES, literal_counts
    from many_wolves.families.politeness.model import PoliteSpeaker
    from many_wolves.records import ChoiceTable

    rows = [
        (name, goal, state, u, ANSWERS * (u == UTTERANCES[0]))
        for goal in truth
        for state in range(4)
        for u in UTTERANCES
    ]
    counts = pd.DataFrame(rows, columns=["speaker", "goal", "state", "utterance", "count"])
    design = ChoiceTable("politeness", counts, {"literal": literal_counts().assign(speaker=name)})
    weights = {g: dict(zip(NAMES, values, strict=True)) for g, values in truth.items()}
    given = {"alpha": 5.0, "cost": 3.0, "weights": weights}
    rng = np.random.default_rng([seed, *name.encode()])
    return PoliteSpeaker().simulate(design, rng, given)[1]


def run_study(seed: int, out: Path) -> pd.DataFrame:
    """Fit every speaker of a study that is not fitted yet; returns its statements."""
    from many_wolves import inference
    from many_wolves.commands.fit import asked, facts
    from many_wolves.commands.fit_options import FitOptions
    from many_wolves.figures import read_all
    from many_wolves.findings import state, table

    folders = []
    for name, truth, labels in cast(seed):
        folder = out / f"study-{seed}" / name.replace("/", "-") / "fit"
        folders.append(folder)
        if not (folder / "fit.json").is_file():
            print(f"study {seed}: {name}", flush=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            (folder.parent / "labels.json").write_text(json.dumps(labels))
            choices = answers(name, truth, seed)
            model, problem, settings = asked(choices, FitOptions(seed=seed, **FIT))
            program = inference.load(problem.program)
            done = inference.fit_carefully(problem, program, model.parameters, settings, attempts=1)
            inference.save(done, folder, facts(choices))
    fits = read_all(folders)
    sound = [fit for fit in fits if fit.converged]
    # `wolves findings` takes no fit with a bad verdict.
    close = [
        replace(fit, diagnostics={**fit.diagnostics, "ok": True})
        for fit in fits
        if not fit.converged and nearly(fit.diagnostics)
    ]
    taken = [*sound, *close]
    print(f"study {seed}: {len(fits) - len(taken)} left out, {len(close)} taken with divergences")
    steps = [fit.labels["step"] for fit in taken if "step" in fit.labels]
    ends = {"first": int(min(steps, key=int)), "last": int(max(steps, key=int))}
    return table(state(taken, seed).statements).assign(**ends)


def nearly(verdict: Mapping[str, Any]) -> bool:
    """Whether few divergent draws are all that a verdict holds against a fit."""
    draws = verdict["chains"] * verdict["draws"]
    few = verdict["divergences"] <= DIVERGENT * draws
    ess = min(verdict["min_ess_bulk"], verdict["min_ess_tail"])
    return bool(few and verdict["max_r_hat"] < 1.01 and ess > 400)


def truth_of(row: Any) -> float:
    """The true number of a statement; nan where the study does not fix one."""
    kinds = {"effort": _of_effort, "goals": _of_goals, "dynamics": _of_run}
    if row.finding in kinds:
        return kinds[row.finding](row)
    if row.quantity == "signature":
        return float(row.subject == "sycophant")
    return math.nan


def _of_effort(row: Any) -> float:
    change = EFFORT[row.contrast.split(" - ")[0]]
    return {"phi": change, "w_inf": change / 2, "w_soc": -change / 2}.get(row.quantity, 0.0)


def _of_goals(row: Any) -> float:
    if row.subject == "people":
        weights = PEOPLE
    elif row.subject[:2] in ("a+", "b+", "c+"):
        weights = BASE
    else:
        return math.nan
    one, other = row.contrast.split(" - ")
    at = NAMES.index(row.quantity)
    return weights[one][at] - weights[other][at]


def _of_run(row: Any) -> float:
    if row.subject != "run":
        return math.nan
    if row.quantity == "change":
        return 1.0
    first, last, end = row.first, row.last, BREAK * STEPS[-1]
    if row.quantity == "change point":
        return (end - first) / (last - first)
    if row.quantity == "early share":
        return (last - first) / 4 / (end - first)
    at = NAMES.index(row.quantity)
    return at_step(last)["none"][at] - at_step(first)["none"][at]


def summary(statements: pd.DataFrame) -> pd.DataFrame:
    """One row a kind of number: how many, bias, error, coverage, and whether signs are right."""
    rows = statements.assign(truth=[truth_of(row) for row in statements.itertuples()])
    rows = rows[rows["truth"].notna()]
    kind = rows["finding"].where(
        ~rows["quantity"].isin(["early share", "change point", "change"]), rows["quantity"]
    )
    found = []
    for name, part in rows.groupby(kind, sort=False):
        error = part["estimate"] - part["truth"]
        line: dict[str, Any] = {"finding": name, "numbers": len(part)}
        line |= {"bias": error.mean(), "rmse": float(np.sqrt((error**2).mean()))}
        if part["low"].notna().all():
            inside = (part["low"] <= part["truth"]) & (part["truth"] <= part["high"])
            line["coverage of 95 %"] = inside.mean()
        clear = part[(part["truth"].abs() > 0.05) & part["low"].notna()]
        if len(clear) and name not in ("early share", "change point"):
            line["sign right"] = (np.sign(clear["estimate"]) == np.sign(clear["truth"])).mean()
            still = part[part["truth"] == 0]
            if len(still):
                line["called moderate or strong where nothing is"] = (
                    still["evidence"].isin(["moderate", "strong"]).mean()
                )
        found.append(line)
    return pd.DataFrame(found)


def main() -> None:
    """Run the studies and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/known-truth"))
    chosen = parser.parse_args()
    statements = pd.concat(
        [run_study(seed, chosen.out).assign(study=seed) for seed in range(1, chosen.studies + 1)],
        ignore_index=True,
    )
    chosen.out.mkdir(parents=True, exist_ok=True)
    statements.to_csv(chosen.out / "statements.csv", index=False)
    table = summary(statements)
    table.to_csv(chosen.out / "summary.csv", index=False)
    print(table.to_string(index=False, float_format=lambda x: f"{x:.3f}", na_rep="-"))


if __name__ == "__main__":
    main()
