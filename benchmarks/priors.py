"""Which priors of cost and alpha do real speakers call for? Evidence and LOO by item.

    python benchmarks/priors.py --workers 2

Every published speaker of the politeness task is fitted with the priors of Yoon et al. (2020) and
with wider ones: costs of a negation that may be negative, and an alpha above 20. Evidence comes
from bridge sampling; LOO leaves out an item where the table has items, an answer elsewhere.
Interrupt it and run it again to go on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

import many_wolves as mw
from many_wolves import inference
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.options import RANGES
from many_wolves.workflows.compare import compare_variants
from many_wolves.workflows.data import of_one
from many_wolves.workflows.sampling import Sampling

DATA = ("yoon2020", "yoon2017", "morton2025", "zhao2025")
SHORT = Sampling(chains=4, warmup=300, draws=400)


def cases(speakers: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Data, speaker and priors; of all speakers where none is named."""
    for data in DATA:
        for speaker in map(str, mw.data(data).speakers):
            for priors in RANGES if not speakers or speaker in speakers else ():
                yield data, speaker, priors


def measured(case: tuple[str, str, str, Path]) -> dict[str, Any]:
    """Evidence, LOO and the place of cost and alpha for one speaker under one prior."""
    data, speaker, priors, out = case
    folder = out / f"{data}-{speaker}-{priors}"
    found = compare_variants(
        of_one(mw.data(data), speaker),
        folder,
        variants=["inf+soc+pres"],
        options={"literal": "fixed", "ranges": priors},
        sampling=SHORT,
    )
    row = found.table.iloc[0]
    summary = pd.read_csv(folder / "variants" / "inf+soc+pres" / "summary.csv")
    at = summary.set_index("parameter")
    ends = {k: f"{at.loc[k, 'mean']:.2f} ({at.loc[k, 'sd']:.2f})" for k in ("cost", "alpha")}
    kept = ("log_ml", "log_ml_se", "elpd_loo", "r2", "ok")
    return {"speaker": speaker, "priors": priors} | {k: row[k] for k in kept} | ends


def differences(table: pd.DataFrame) -> pd.DataFrame:
    """What wider priors gain over those of the paper, in nats, a row a speaker."""
    rows = []
    for speaker, own in table.groupby("speaker", sort=False):
        by = own.set_index("priors")
        row: dict[str, Any] = {"speaker": speaker}
        for name in list(RANGES)[1:]:
            row[f"log_bf {name}"] = by.loc[name, "log_ml"] - by.loc["yoon2020", "log_ml"]
            row[f"elpd {name}"] = by.loc[name, "elpd_loo"] - by.loc["yoon2020", "elpd_loo"]
        row |= {f"{one} {name}": by.loc[name, one] for one in ("cost", "alpha") for name in RANGES}
        rows.append(row | {"ok": bool(own["ok"].all())})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--speakers", nargs="+", default=[], help="all when left out")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/priors"))
    given = parser.parse_args()
    first = PoliteSpeaker().problem(of_one(mw.data("yoon2020"), mw.data("yoon2020").speakers[0]))
    inference.load(first.program, "auto", print)
    asked = [(*case, given.out) for case in cases(given.speakers)]
    context = get_context("spawn")
    with ProcessPoolExecutor(given.workers, mp_context=context) as pool:
        table = pd.DataFrame(list(pool.map(measured, asked)))
    given.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(given.out / "priors.csv", index=False)
    shown = differences(table)
    shown.to_csv(given.out / "differences.csv", index=False)
    print(shown.to_string(index=False, float_format=lambda x: f"{x:+.1f}"))


if __name__ == "__main__":
    main()
