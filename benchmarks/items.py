"""Coverage of intervals where answers to one item are alike: by item, and as counts.

    python benchmarks/items.py --n 200 --workers 2
    python benchmarks/items.py --sizes

Each simulated speaker draws its parameters from the prior and answers a design of zhao2025 (13
items x 4 states x 4 goals). Answers to one item are alike in one of three ways:

- ``urn``: as the model has it, with correlations as in fits of zhao2025, misfit included.
- ``items``: as the answers of one of the nine speakers of zhao2025. There are normal effects of
  item and utterance on the log-odds, the same in every cell, which the model does not know, and a
  correlation within item and cell. ``--sizes`` prints the two estimates of each speaker.
- ``utterances``: only such effects, larger than those of zhao2025.

Every table is fitted twice, by item and as counts. No interval within (0, 1) holds a rate of zero,
so speakers without lapses say nothing of the coverage of lapse, nor those with an icc below .001
of that of icc. Interrupt it and run it again to go on.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from item_speakers import ITEM, ItemTrials, Size, sizes

import many_wolves as mw
from many_wolves.contracts import Observations
from many_wolves.inference.evaluation.recovery import recovery
from many_wolves.workflows.sampling import Sampling
from many_wolves.workflows.simulation import run_trials

SPEAKER = "gpt-4o-2024-11-20"
COUNTS = {**ITEM, "likelihood": "counts"}
ICC = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.4, 0.7)
"""Correlations within items, of the size found by fits of zhao2025."""
LOG_ODDS_SD = (0.2, 0.4, 0.7, 1.0, 1.5)
"""Standard deviations of effects of item and utterance on the log-odds."""
LEAST = 0.001
"""Smallest true rate that counts for coverage of lapse and icc."""


def design(replicates: int) -> Observations:
    """The questions of zhao2025, each item answering each so many times."""
    table = mw.data("zhao2025").of(SPEAKER)
    rows = table.rows.assign(count=float(replicates) * (table.rows["utterance"] == "good"))
    return table.having(counts=rows)


def measured(
    effects: str, options: Mapping[str, Any], n: int, replicates: int, workers: int, out: Path
) -> pd.DataFrame:
    """Recovery of every parameter over ``n`` simulated speakers."""
    found = {
        "urn": [Size(0.0, icc) for icc in ICC],
        "items": list(sizes().values()),
        "utterances": [Size(sd, 0.0) for sd in LOG_ODDS_SD],
    }[effects]
    trials = ItemTrials(
        table=design(replicates),
        options=dict(options),
        model="polite-speaker",
        sampling=Sampling(chains=2, warmup=400, draws=500),
        effects=effects,
        sizes=found,
    )
    name = f"{effects}_{options['likelihood']}"
    done = run_trials(
        trials, n, seed=1, path=out / f"{name}_{replicates}.jsonl", workers=workers, label=name
    )
    table = recovery(done)
    for rate in {"lapse", "icc"} & set(table["quantity"]):
        inside = [one for one in done if not one.error and one.quantities[rate].truth >= LEAST]
        kept = table.query("quantity != @rate")
        table = pd.concat([kept, recovery(inside).query("quantity == @rate")])
    return table.assign(effects=effects, likelihood=options["likelihood"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--replicates", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--effects", nargs="+", default=["urn", "items", "utterances"])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/items"))
    parser.add_argument("--sizes", action="store_true", help="only print sizes of zhao2025")
    given = parser.parse_args()
    if given.sizes:
        print(pd.DataFrame({n: vars(one) for n, one in sizes().items()}).T.round(3).to_string())
        return
    given.out.mkdir(parents=True, exist_ok=True)
    tables = [
        measured(effects, options, given.n, given.replicates, given.workers, given.out)
        for effects in given.effects
        for options in (ITEM, COUNTS)
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
