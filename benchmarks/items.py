"""Coverage of intervals where answers to one item are alike: by item, and as counts.

    python benchmarks/items.py --n 60 --workers 2

Each simulated speaker draws its parameters from the prior and answers a design of zhao2025 (13
items x 4 states x 4 goals). Answers to one item are alike in one of two ways: as the model has
it (``urn``), or by normal effects of item and utterance on the log-odds, the same in every cell
(``utterances``), which the model does not know. Their size is drawn from those of the nine
speakers of zhao2025 (``wolves fit-all --data zhao2025 --literal fixed``). Every table is fitted
twice, by item and as counts. Lapse rates of zero count for all but the coverage of the lapse
rate. Interrupt it and run it again to go on.

Choices of one item are steeper than the shares of many different items, so alpha of one item is
larger than alpha of the shares. ``many`` asks therefore whether the intervals of ``utterances``
contain what the same likelihood finds with 20 times as many items of the same kind.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize

import many_wolves as mw
from many_wolves import inference
from many_wolves.contracts import Array, Observations
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.simulation import simulate
from many_wolves.inference.evaluation.recovery import recovery
from many_wolves.inference.evaluation.simulation_study import Simulated
from many_wolves.workflows.sampling import Sampling
from many_wolves.workflows.simulation import Trials, run_trials

SPEAKER = "gpt-4o-2024-11-20"
ITEM = {"literal": "fixed", "ranges": "yoon2020", "likelihood": "item"}
COUNTS = {**ITEM, "likelihood": "counts"}
ICC = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.4, 0.7)
"""Correlations within items, of the size found in zhao2025."""
LAPSE = (0.0, 0.02, 0.05, 0.1)
MANY = 20
"""Times as many items, for what a speaker's choices are over items."""
STARTS = 6
"""Searches for the best mode with many items."""
LOG_ODDS_SD = (0.2, 0.4, 0.7, 1.0, 1.5)
"""Standard deviations of effects of item and utterance on the log-odds."""


@dataclass(frozen=True)
class ItemTrials(Trials):
    """Simulates answers by item, and fits them with ``options``."""

    effects: str = "urn"
    item_options: Mapping[str, Any] = field(default_factory=lambda: dict(ITEM))

    def simulate(self, rng: np.random.Generator) -> Simulated:
        problem = build(self.table, **self.item_options)
        known = replace(
            simulate.from_prior(problem, rng),
            icc=float(rng.choice(ICC)) if self.effects == "urn" else 0.0,
            lapse=float(rng.choice(LAPSE)),
        )
        if self.effects == "urn":
            answered = simulate.simulate(self.table, known, rng, **self.item_options)
        else:
            sd = float(rng.choice(LOG_ODDS_SD))
            answered = self._by_utterance(self.table, known, sd, rng)
        names = ["alpha", "cost", "w_inf", "w_soc", "w_pres", "phi"]
        own = self.options["likelihood"] == "item"
        names += ["lapse"] if own else []
        names += ["icc"] if own and self.effects == "urn" else []
        truth = simulate.truth(problem, known)
        if self.effects == "many":
            truth = self._of_many(known, sd, rng)
        return Simulated({name: truth[name] for name in names}, (answered, tuple(names)))

    def _by_utterance(
        self, table: Observations, known: Any, sd: float, rng: np.random.Generator
    ) -> Observations:
        """Answers whose log-odds have an effect of item and utterance, the same in all cells."""
        problem = build(table, **self.item_options)
        p = simulate.answer_probabilities(problem, known)
        totals = np.asarray(problem.data["given"]).sum(axis=-1)
        effect = rng.normal(size=(len(totals), 1, 1, p.shape[-1])) * sd
        each: Array = p * np.exp(effect)
        each /= each.sum(axis=-1, keepdims=True)
        drawn = rng.multinomial(totals, each)
        labels = tuple(problem.coords[axis] for axis in ("condition", "state", "utterance"))
        return table.having(counts=simulate._by_cluster(table, problem, drawn, labels))

    def _of_many(self, known: Any, sd: float, rng: np.random.Generator) -> dict[str, Array]:
        """The best posterior mode with many items of the same kind."""
        answered = self._by_utterance(repeated(self.table), known, sd, rng)
        problem = build(answered, **self.options)
        program = inference.load(problem.program, "httpstan")
        with program.open(problem.data) as model:

            def downhill(x: Array) -> tuple[float, Array]:
                values, gradients = model.log_density_gradient(x[None])
                return -float(values[0]), -gradients[0]

            starts = rng.normal(scale=0.5, size=(STARTS, model.param_unc_num))
            tops = [minimize(downhill, x, jac=True, method="L-BFGS-B") for x in starts]
            best = min(tops, key=lambda one: float(one.fun)).x
            found = model.quantities(best[None], 1)[0]
            values = dict(zip(model.quantity_names, found, strict=True))
        conditions = range(1, len(problem.coords["condition"]) + 1)
        weights = {
            name: np.array([values[f"weights.{row}.{n}"] for n in conditions])
            for row, name in enumerate(("w_inf", "w_soc", "w_pres"), 1)
        }
        phi = np.array([values[f"phi.{n}"] for n in conditions])
        single = {"alpha": "alpha", "cost": "cost", "lapse": "lapse.1"}
        return weights | {"phi": phi} | {n: np.array(values[at]) for n, at in single.items()}

    def described(self) -> dict[str, Any]:
        return super().described() | {"effects": self.effects, "icc": ICC, "lapse": LAPSE}


def design(replicates: int) -> Observations:
    """The questions of zhao2025, each item answering each so many times."""
    table = mw.data("zhao2025").of(SPEAKER)
    rows = table.rows.assign(count=float(replicates) * (table.rows["utterance"] == "good"))
    return table.having(counts=rows)


def repeated(table: Observations) -> Observations:
    """The same questions of ``MANY`` times as many items."""
    frames = [table.rows.assign(item=table.rows["item"] + f" {n}") for n in range(MANY)]
    return table.having(counts=pd.concat(frames, ignore_index=True))


def measured(
    effects: str, likelihood: Mapping[str, Any], n: int, replicates: int, workers: int, out: Path
) -> pd.DataFrame:
    """Recovery of every parameter over ``n`` simulated speakers."""
    trials = ItemTrials(
        table=design(replicates),
        options=dict(likelihood),
        model="polite-speaker",
        sampling=Sampling(chains=2, warmup=400, draws=500),
        effects=effects,
    )
    name = f"{effects}_{likelihood['likelihood']}"
    done = run_trials(
        trials, n, seed=1, path=out / f"{name}_{replicates}.jsonl", workers=workers, label=name
    )
    # No interval within (0, 1) holds a lapse rate of zero, so those say nothing of its coverage.
    inside = [
        one for one in done if "lapse" in one.quantities and one.quantities["lapse"].truth > 0
    ]
    table = recovery(done).query("quantity != 'lapse'")
    if inside:
        table = pd.concat([table, recovery(inside).query("quantity == 'lapse'")])
    return table.assign(effects=effects, likelihood=likelihood["likelihood"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=60)
    parser.add_argument("--replicates", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--effects", nargs="+", default=["urn", "utterances", "many"])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/items"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    tables = [
        measured(effects, likelihood, given.n, given.replicates, given.workers, given.out)
        for effects in given.effects
        for likelihood in ((ITEM,) if effects == "many" else (ITEM, COUNTS))
    ]
    table = pd.concat(tables, ignore_index=True)
    table.to_csv(given.out / "coverage.csv", index=False)
    wide = table.pivot_table(
        index="quantity", columns=["effects", "likelihood"], values="coverage_95", sort=False
    )
    print(f"Coverage of 95 % intervals, {given.n} speakers, {given.replicates} answers per item")
    print(wide.to_string(float_format=lambda x: f"{x:.0f} %"))


if __name__ == "__main__":
    main()
