"""Which priors, and which likelihood, do real speakers call for? Evidence and LOO by item.

    python benchmarks/priors.py --workers 2
    python benchmarks/priors.py --laplace
    python benchmarks/priors.py --compare likelihood --workers 2

The first fits every published speaker of the politeness task with the ranges of Yoon et al. (2020)
and with wider ones: costs of a negation that may be negative, and an alpha above 20. The second
fits the models of zhao2025 by item, and again without lapses, without a correlation within items,
and without both, by priors that leave no room for them. Evidence comes from bridge sampling; LOO
leaves out an item where the table has items, an answer elsewhere. Interrupt it and run it again to
go on. ``--laplace`` takes minutes: evidence is the mass of the Gaussian at the best mode.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import many_wolves as mw
from many_wolves import inference
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.options import RANGES
from many_wolves.inference.sampling.modes import gaussian_at_modes
from many_wolves.workflows.compare import compare_variants
from many_wolves.workflows.data import of_one
from many_wolves.workflows.sampling import Sampling

ALL = ("yoon2020", "yoon2017", "morton2025", "zhao2025")
NONE = (1.0, 1e6)
"""Shape of a Beta prior that leaves no room for lapses, or for a correlation."""
COMPARED: Mapping[str, tuple[tuple[str, ...], Mapping[str, Mapping[str, Any]]]] = {
    "ranges": (ALL, {name: {"ranges": name} for name in RANGES}),
    "likelihood": (
        ("zhao2025",),
        {
            "item": {"likelihood": "item"},
            "no lapses": {"likelihood": "item", "priors": {"lapse": NONE}},
            "no correlation": {"likelihood": "item", "priors": {"icc": NONE}},
            "neither": {"likelihood": "item", "priors": {"icc": NONE, "lapse": NONE}},
        },
    ),
}
"""What is compared: the data, and options by name; differences are from the first."""
SHORT = Sampling(chains=4, warmup=300, draws=400)


def cases(compared: str, speakers: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    """What is compared, data, speaker and name; of all speakers where none is named."""
    sets, options = COMPARED[compared]
    for data in sets:
        for speaker in map(str, mw.data(data).speakers):
            for name in options if not speakers or speaker in speakers else ():
                yield compared, data, speaker, name


def measured(case: tuple[str, str, str, str, Path]) -> dict[str, Any]:
    """Evidence, LOO and the place of cost and alpha for one speaker under one name."""
    compared, data, speaker, name, out = case
    folder = out / f"{data}-{speaker}-{name}"
    found = compare_variants(
        of_one(mw.data(data), speaker),
        folder,
        variants=["inf+soc+pres"],
        options={"literal": "fixed", **COMPARED[compared][1][name]},
        sampling=SHORT,
    )
    row = found.table.iloc[0]
    summary = pd.read_csv(folder / "variants" / "inf+soc+pres" / "summary.csv")
    at = summary.set_index("parameter")
    ends = {k: f"{at.loc[k, 'mean']:.2f} ({at.loc[k, 'sd']:.2f})" for k in ("cost", "alpha")}
    kept = ("log_ml", "log_ml_se", "elpd_loo", "r2", "ok")
    return {"speaker": speaker, "name": name} | {k: row[k] for k in kept} | ends


def approximated(case: tuple[str, str, str, str, Path], seed: int = 1) -> dict[str, Any]:
    """The mass of the Gaussian at the best mode of one speaker under one name."""
    compared, data, speaker, name, _ = case
    options = {"literal": "fixed", **COMPARED[compared][1][name]}
    problem = PoliteSpeaker().problem(of_one(mw.data(data), speaker), **options)
    program = inference.load(problem.program, "auto", print)
    with program.open(problem.data) as model:
        found = gaussian_at_modes(model, np.random.default_rng(seed), ridge=problem.ridge)
    return {"speaker": speaker, "name": name, "log_ml": found.modes[0].log_mass}


def gains(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Log evidence of each of ``names``, and what the others gain over the first."""
    wide = table.pivot(index="speaker", columns="name", values="log_ml")[list(names)]
    for name in names[1:]:
        wide[f"log_bf {name}"] = wide[name] - wide[names[0]]
    return wide.loc[list(dict.fromkeys(table["speaker"]))].reset_index()


def differences(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """What each of ``names`` gains over the first, in nats, one row per speaker."""
    first = names[0]
    rows = []
    for speaker, own in table.groupby("speaker", sort=False):
        by = own.set_index("name")
        row: dict[str, Any] = {"speaker": speaker}
        for name in names[1:]:
            row[f"log_bf {name}"] = by.loc[name, "log_ml"] - by.loc[first, "log_ml"]
            row[f"elpd {name}"] = by.loc[name, "elpd_loo"] - by.loc[first, "elpd_loo"]
        row |= {f"{one} {name}": by.loc[name, one] for one in ("cost", "alpha") for name in names}
        rows.append(row | {"ok": bool(own["ok"].all())})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compare", choices=list(COMPARED), default="ranges")
    parser.add_argument("--laplace", action="store_true", help="no sampling")
    parser.add_argument("--seed", type=int, default=1, help="of the search for modes")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--speakers", nargs="+", default=[], help="all when left out")
    parser.add_argument("--out", type=Path, help="benchmarks/out/priors when left out")
    given = parser.parse_args()
    out: Path = given.out or Path("benchmarks/out") / (
        "priors" if given.compare == "ranges" else given.compare
    )
    first = PoliteSpeaker().problem(of_one(mw.data("yoon2020"), mw.data("yoon2020").speakers[0]))
    inference.load(first.program, "auto", print)
    asked = [(*case, out) for case in cases(given.compare, given.speakers)]
    context = get_context("spawn")
    names = list(COMPARED[given.compare][1])
    one = partial(approximated, seed=given.seed) if given.laplace else measured
    with ProcessPoolExecutor(given.workers, mp_context=context) as pool:
        table = pd.DataFrame(list(pool.map(one, asked)))
    if given.laplace:
        print(gains(table, names).to_string(index=False, float_format=lambda x: f"{x:.1f}"))
        return
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / "priors.csv", index=False)
    shown = differences(table, names)
    shown.to_csv(out / "differences.csv", index=False)
    print(shown.to_string(index=False, float_format=lambda x: f"{x:+.1f}"))


if __name__ == "__main__":
    main()
