"""Calls until 95 % intervals are as narrow as those of a balanced design.

    python benchmarks/adaptive.py --n 30
    python benchmarks/adaptive.py --n 30 --first 501 --replicates 5 --per-round 64

Each simulated speaker answers the choices of `wolves compile --task choice --framings third`. The
balanced design asks each trial once, or ``--replicates`` times. The adaptive one asks in rounds
those with the most expected information, until the named intervals are as narrow, by the geometric
mean of their widths. Where one goal is named, a third design takes the trials of that goal alone,
in their order. Short chains show the widths after each round. A fit as `wolves fit` makes it gives
those of the balanced design, and confirms those of the others. Interrupt it and run it again to go
on; --table shows what there is.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from adaptive_speakers import UTILITIES, Fitted, fitted, speaker_of, truth_of

from many_wolves import inference
from many_wolves.contracts import Array, Problem
from many_wolves.inference.evaluation.knowledge import Known, drawn
from many_wolves.records import Trial
from many_wolves.workflows.adaptive import round_size
from many_wolves.workflows.compile import request, trials_of
from many_wolves.workflows.design import DesignRequest, before_of, choose, designing_model, learn_of

OPTIONS = {"literal": "fixed"}
SETTINGS = inference.Settings(warmup=500, draws=600)
"""Chains of the balanced design, and those that confirm that the intervals are as narrow."""
INF, ONE, ALL = "w_inf of one goal", "weights of one goal", "all weights"
BALANCED, ADAPTIVE, GOAL = "balanced", "adaptive", "its goal alone"
DESIGNS = {
    INF: (BALANCED, ADAPTIVE, GOAL),
    ONE: (BALANCED, ADAPTIVE, GOAL),
    ALL: (BALANCED, ADAPTIVE),
}
FIRST_SEED = 401
ROUND = 26
MOST = 1.5
"""Calls after which no more is asked, as a ratio to those of the balanced design."""
HALF = 0.5
"""Ratio of calls that an adaptive design should reach."""
RESAMPLES = 4000


@dataclass(frozen=True)
class Setting:
    """What all runs share.

    Parameters
    ----------
    trials
        Questions that can be asked.
    known
        Fitted speakers near which the simulated ones are.
    out
        Folder of the records.
    covariance
        (D, D) covariance of the parameters before any answer.
    replicates
        Answers of the balanced design to each trial.
    per_round
        Most calls of a round of the other designs.
    sampled
        Draws of the posterior by speaker, way and answers: designs and cases share some.
    """

    trials: Sequence[Trial]
    known: Sequence[Fitted]
    out: Path
    covariance: Array
    replicates: int = 1
    per_round: int = ROUND
    sampled: dict[Any, tuple[Array, bool]] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One design for one speaker and case."""

    seed: int
    case: str
    design: str

    def about(self, goals: Sequence[str]) -> tuple[str, ...]:
        """The weights that are wanted; goals take turns over the seeds."""
        names = tuple(f"w_{utility}" for utility in UTILITIES[: 1 if self.case == INF else None])
        return names if self.case == ALL else tuple(f"{n}:{self.goal(goals)}" for n in names)

    def goal(self, goals: Sequence[str]) -> str:
        """The goal of the weights of one goal."""
        return goals[self.seed % len(goals)]


def sampled(problem: Problem, seed: int, whole: bool) -> tuple[Array, bool]:
    """(draws, D) of the posterior, and whether they are reliable.

    ``whole`` fits as `wolves fit` does: modes that no chain visited are sampled too.
    """
    program = inference.load(problem.program)
    if not whole:
        return drawn(problem, program, np.random.default_rng([seed, 300]))
    parameters = designing_model("politeness").parameters
    settings = replace(SETTINGS, seed=seed)
    done = inference.fit_with_retries(problem, program, parameters, settings)
    return done.draws.flat, done.diagnostics.ok


def know(
    setting: Setting,
    at: tuple[int, bytes],
    problem: Problem,
    request: DesignRequest,
    earlier: Any,
    *,
    whole: bool,
) -> Known:
    """What is known of a speaker after its answers so far; ``at`` are its seed and those."""
    if (whole, *at) not in setting.sampled:
        setting.sampled[whole, *at] = sampled(problem, request.seed, whole)
    x, good = setting.sampled[whole, *at]
    model, program = designing_model("politeness"), inference.load(problem.program)
    return replace(learn_of(model, problem, program, request, x, earlier), reliable=good)


def mean_width(known: Known) -> float:
    """Geometric mean of the widths of the named intervals."""
    return float(np.exp(np.log(known.width).mean()))


def looks(run: Run, setting: Setting, wanted_width: float) -> Iterator[dict[str, Any]]:
    """What is known after each round, until the intervals are narrow or no call is left.

    ``wanted_width`` is zero for the balanced design, which is asked whole.
    """
    model = designing_model("politeness")
    trials = setting.trials
    prior = model.before(trials, **OPTIONS)
    goals = list(map(str, prior.coords["condition"]))
    source, true = truth_of(run.seed, prior, setting.known)
    who = speaker_of(trials, prior, true, run.seed)
    wanted = DesignRequest(about=run.about(goals), options=OPTIONS)
    most = MOST * setting.replicates * len(trials)
    if run.design == BALANCED:
        chosen = list(range(len(trials))) * setting.replicates
    else:
        first = model.start(trials, **OPTIONS)
        chosen = [n for n, times in enumerate(first) for _ in range(times)]
    wider = 1.0
    own = [n for n, trial in enumerate(trials) if trial.cell["goal"] == run.goal(goals)]
    while True:
        for question in chosen:
            who.answer(question)
        levels = who.levels
        problem = model.problem(who.observations, **OPTIONS)
        size = round_size(setting.per_round, sum(levels))
        now = replace(wanted, seed=1000 * run.seed + sum(levels), calls=size)
        kinds = model.kinds_of(problem, trials)
        earlier = (setting.covariance, kinds, levels)
        at = (run.seed, who.counts.tobytes())
        known = know(setting, at, problem, now, earlier, whole=run.design == BALANCED)
        width = mean_width(known)
        narrow = width * wider <= wanted_width
        if narrow:
            guessed = width
            known = know(setting, at, problem, now, earlier, whole=True)
            width = mean_width(known)
            wider = max(1.0, width / guessed)
            narrow = known.reliable and width <= wanted_width
        true_values = [
            float(true.weights[UTILITIES.index(name[2:]), goals.index(condition)])
            for name, condition in known.targets
        ]
        yield {
            "source": source,
            "calls": sum(levels),
            "reached": narrow,
            "reliable": known.reliable,
            "width": round(width, 5),
            "low": known.low.round(5).tolist(),
            "high": known.high.round(5).tolist(),
            "truth": [round(value, 5) for value in true_values],
        }
        if run.design == BALANCED or narrow or sum(levels) >= most:
            return
        if run.design == ADAPTIVE:
            chosen = choose(known, kinds, levels, [0] * len(trials), now)
        else:
            chosen = sorted(own, key=lambda n: levels[n])[:size]


def measure(setting: Setting, runs: Sequence[Run], seconds: float) -> list[dict[str, Any]]:
    """One record for each run; those on disk are not made again."""
    path = setting.out / "as_narrow.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(one["seed"], one["case"], one["design"]) for one in records}
    widths = {
        (one["seed"], one["case"]): float(one["looks"][-1]["width"])
        for one in records
        if one["design"] == BALANCED
    }
    start = time.monotonic()
    with path.open("a") as file:
        for run in runs:
            if (run.seed, run.case, run.design) in done:
                continue
            if run.design == BALANCED and run.case == INF:
                setting.sampled.clear()
            if time.monotonic() - start > seconds:
                print("The time is over: run it again to go on.")
                break
            began = time.process_time()
            found = list(looks(run, setting, widths.get((run.seed, run.case), 0.0)))
            record = {**run.__dict__, "looks": found}
            record["seconds"] = round(time.process_time() - began, 1)
            file.write(json.dumps(record) + "\n")
            file.flush()
            records.append(record)
            last = found[-1]
            if run.design == BALANCED:
                widths[run.seed, run.case] = last["width"]
            print(*run.__dict__.values(), last["calls"], last["reached"], record["seconds"])
    return records


def table(records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Calls, shares that reached the width and halved the calls, coverage, by case and design.

    ``width_at_half`` is the width after at most half of the balanced design's calls, divided by its
    width: the geometric mean over speakers. Designs that stopped earlier would be narrower by then.

    A speaker counts where all designs of a case were run and the balanced one could be fitted. A
    run that did not reach the width of the balanced design counts with the most calls.
    """
    rows = []
    rng = np.random.default_rng(1)
    for case, designs in DESIGNS.items():
        by_seed: dict[int, dict[str, dict[str, Any]]] = {}
        for record in records:
            if record["case"] == case:
                end = record["looks"][-1] | {"looks": record["looks"]}
                by_seed.setdefault(record["seed"], {})[record["design"]] = end
        run_whole = [own for own in by_seed.values() if set(designs) <= set(own)]
        whole = [own for own in run_whole if own[BALANCED]["reliable"]]
        for design in designs if whole else ():
            last = [own[design] for own in whole]
            ratios = np.array([o[design]["calls"] / o[BALANCED]["calls"] for o in whole])
            inside = np.array([np.mean(_inside(one)) for one in last])
            half = [_at_half(own, design) for own in whole]
            wide = np.array(
                [
                    one["width"] / own[BALANCED]["width"]
                    for one, own in zip(half, whole, strict=True)
                ]
            )
            inside_at_half = np.array([np.mean(_inside(one)) for one in half])
            rows.append(
                {
                    "case": case,
                    "design": design,
                    "speakers": len(last),
                    "left_out": len(run_whole) - len(whole),
                    "reached": np.mean([design == BALANCED or one["reached"] for one in last]),
                    "calls_median": np.median([one["calls"] for one in last]),
                    "calls_mean": np.mean([one["calls"] for one in last]),
                    "at_most_half": np.mean(ratios <= HALF),
                    "ratio_median": _with_interval(ratios, np.median, rng),
                    "ratio_of_sums": _sums(whole, design, rng),
                    "width_at_half": _with_interval(wide, _geometric_mean, rng),
                    "coverage_at_half": _covered(inside_at_half),
                    "coverage": _covered(inside),
                    "reliable": np.mean([one["reliable"] for one in last]),
                }
            )
    return pd.DataFrame(rows)


def _inside(look: dict[str, Any]) -> Array:
    low, high, truth = (np.array(look[name]) for name in ("low", "high", "truth"))
    found: Array = ((low <= truth) & (truth <= high)).astype(float)
    return found


def _at_half(own: dict[str, Any], design: str) -> dict[str, Any]:
    """The last look of a design at which at most half of the balanced design's calls were made.

    The balanced design has only one look.
    """
    looks: list[dict[str, Any]] = own[design]["looks"]
    early = [look for look in looks if look["calls"] <= HALF * own[BALANCED]["calls"]]
    return [*looks[:1], *early][-1]


def _geometric_mean(values: Array) -> float:
    return float(np.exp(np.log(values).mean()))


def _covered(inside: Array) -> str:
    return f"{inside.mean():.2f} (se {_se(inside):.2f})"


def _se(values: Array) -> float:
    """Standard error over speakers, whose intervals depend on each other."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def _with_interval(values: Array, of: Any, rng: np.random.Generator) -> str:
    """A statistic over speakers, with its 95 % bootstrap interval."""
    if not len(values):
        return "-"
    again = [of(values[rng.integers(len(values), size=len(values))]) for _ in range(RESAMPLES)]
    low, high = np.quantile(again, (0.025, 0.975))
    return f"{of(values):.2f} [{low:.2f}, {high:.2f}]"


def _sums(pairs: Sequence[dict[str, Any]], design: str, rng: np.random.Generator) -> str:
    """Ratio of all calls of a design to all of the balanced one."""
    calls = np.array([[p[design]["calls"], p[BALANCED]["calls"]] for p in pairs], dtype=float)
    return _with_interval(calls, lambda each: each[:, 0].sum() / each[:, 1].sum(), rng)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=30, help="number of speakers")
    parser.add_argument("--first", type=int, default=FIRST_SEED, help="seed of the first")
    parser.add_argument("--replicates", type=int, default=1, help="answers of the balanced design")
    parser.add_argument("--per-round", type=int, default=ROUND, help="most calls of a round")
    parser.add_argument("--cases", nargs="+", choices=list(DESIGNS), default=list(DESIGNS))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no run later")
    parser.add_argument("--table", action="store_true", help="only show the table")
    parser.add_argument("--out", type=Path, help="benchmarks/out/adaptive-REPLICATES when left out")
    given = parser.parse_args()
    given.out = given.out or Path(f"benchmarks/out/adaptive-{given.replicates}")
    given.out.mkdir(parents=True, exist_ok=True)
    trials = list(trials_of(request(("choice",), {"framings": ("third",)})))
    model = designing_model("politeness")
    program = inference.load(model.before(trials, **OPTIONS).program)
    every = ["any"] * len(trials)
    covariance = before_of(model, trials, every, program, DesignRequest(options=OPTIONS))
    known = fitted(model, given.out / "speakers.json")
    setting = Setting(trials, known, given.out, covariance, given.replicates, given.per_round)
    seeds = range(given.first, given.first + given.n)
    runs = [Run(s, case, d) for s in seeds for case in given.cases for d in DESIGNS[case]]
    found = table(measure(setting, [] if given.table else runs, given.seconds))
    found.to_csv(given.out / "table.csv", index=False)
    print(found.to_string(index=False, float_format=lambda x: f"{x:.2f}"))


if __name__ == "__main__":
    main()
