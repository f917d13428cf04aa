"""Coverage of intervals where answers to one item are alike: by item, and as counts.

    python benchmarks/items.py --n 60 --workers 2

Each simulated speaker draws its parameters from the prior and answers a design of zhao2025 (13
items x 4 states x 4 goals). Answers to one item are alike in one of two ways: as the model has
it (``urn``), or by normal effects of item and utterance on the log-odds, the same in every cell
(``utterances``), which the model does not know. Their size is drawn from those of the nine
speakers of zhao2025 (``wolves fit-all --data zhao2025 --literal fixed``). Every table is fitted
twice, by item and as counts. Lapse rates of zero count for all but the coverage of the lapse
rate. Interrupt it and run it again to go on.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import many_wolves as mw
from many_wolves.contracts import Array, Observations
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.simulation import simulate
from many_wolves.inference.evaluation.recovery import recovery
from many_wolves.inference.evaluation.simulation_study import Simulated
from many_wolves.workflows.sampling import Sampling
from many_wolves.workflows.simulation import Trials, run_trials

SPEAKER = "gpt-4o-2024-11-20"
ITEM = {"literal": "fixed", "likelihood": "item"}
COUNTS = {"literal": "fixed", "likelihood": "counts"}
ICC = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.4, 0.7)
"""Correlations within items, of the size found in zhao2025."""
LAPSE = (0.0, 0.02, 0.05, 0.1)
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
            answered = self._by_utterance(problem, known, rng)
        names = ["alpha", "cost", "w_inf", "w_soc", "w_pres", "phi"]
        own = self.options["likelihood"] == "item"
        names += ["lapse"] if own else []
        names += ["icc"] if own and self.effects == "urn" else []
        truth = simulate.truth(problem, known)
        return Simulated({name: truth[name] for name in names}, (answered, tuple(names)))

    def _by_utterance(self, problem: Any, known: Any, rng: np.random.Generator) -> Observations:
        """Answers whose log-odds have an effect of item and utterance, the same in all cells."""
        p = simulate.answer_probabilities(problem, known)
        totals = np.asarray(problem.data["given"]).sum(axis=-1)
        effect = rng.normal(size=(len(totals), 1, 1, p.shape[-1])) * rng.choice(LOG_ODDS_SD)
        each: Array = p * np.exp(effect)
        each /= each.sum(axis=-1, keepdims=True)
        drawn = rng.multinomial(totals, each)
        labels = tuple(problem.coords[axis] for axis in ("condition", "state", "utterance"))
        rows = simulate._by_cluster(self.table, problem, drawn, labels)
        return self.table.having(counts=rows)

    def described(self) -> dict[str, Any]:
        return super().described() | {"effects": self.effects, "icc": ICC, "lapse": LAPSE}


def design(replicates: int) -> Observations:
    """The questions of zhao2025, each item answering each so many times."""
    table = mw.data("zhao2025").of(SPEAKER)
    rows = table.rows.assign(count=float(replicates) * (table.rows["utterance"] == "good"))
    return table.having(counts=rows)


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
    parser.add_argument("--effects", nargs="+", default=["urn", "utterances"])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/items"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    tables = [
        measured(effects, likelihood, given.n, given.replicates, given.workers, given.out)
        for effects in given.effects
        for likelihood in (ITEM, COUNTS)
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
