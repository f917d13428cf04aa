"""Which priors, and which likelihood, do real speakers call for? Evidence and LOO by item.

    python benchmarks/priors.py --workers 2
    python benchmarks/priors.py --laplace
    python benchmarks/priors.py --compare likelihood --workers 2
    python benchmarks/priors.py --compare likelihood --laplace --by-item
    python benchmarks/priors.py --compare simulated --laplace --by-item

The first fits every published speaker of the politeness task with the priors of Yoon et al. (2020)
and with wide ones: costs of a negation that may be negative, and an alpha above 20. ``flat`` has
uniform priors on the wide ranges; those of ``wide`` fall towards the ends.
``likelihood`` fits the models of zhao2025 by item, and again without lapses, without a correlation
within items, and without both, by priors that leave no room for them; and with effects of items on
the utilities, beside the correlation and instead of it. ``simulated`` does so for speakers whose
items differ in a known way: by the correlation alone, by effects on negations or on kind
utterances, or as in zhao2025 (``benchmarks/items.py --sizes``), which no likelihood here has.

Evidence comes from bridge sampling; LOO leaves out an item where the table has items, an answer
elsewhere. ``--laplace`` takes minutes: evidence is the mass of the Gaussian at the best mode.
``--by-item`` adds LOO by item, each item's log predictive density being the difference of such
masses with and without the item. Interrupt it and run it again to go on; ``--out`` keeps the parts.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from item_speakers import LAPSE, answers_of, sizes
from items import ICC, LOG_ODDS_SD, SPEAKER, design

import many_wolves as mw
from many_wolves import inference
from many_wolves.contracts import Observations, Problem
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.options import RANGES
from many_wolves.families.politeness.simulation import simulate
from many_wolves.inference.engines.protocol import Program
from many_wolves.inference.sampling.fit import with_data
from many_wolves.inference.sampling.modes import Gaussian, gaussian_at_modes
from many_wolves.workflows.compare import compare_variants
from many_wolves.workflows.data import of_one
from many_wolves.workflows.sampling import Sampling

FINE = 64
"""Quadrature nodes, enough for an alpha of 40."""
ALL = ("yoon2020", "yoon2017", "morton2025", "zhao2025")
NONE = (1.0, 1e6)
"""Shape of a Beta prior that leaves no room for lapses, or for a correlation."""
LIKELIHOODS: Mapping[str, Mapping[str, Any]] = {
    "item": {"likelihood": "item"},
    "no lapses": {"likelihood": "item", "priors": {"lapse": NONE}},
    "no correlation": {"likelihood": "item", "priors": {"icc": NONE}},
    "neither": {"likelihood": "item", "priors": {"icc": NONE, "lapse": NONE}},
    "negations": {"likelihood": "item+negation"},
    "kindness": {"likelihood": "item+kindness"},
    "negations alone": {"likelihood": "item+negation", "priors": {"icc": NONE}},
    "kindness alone": {"likelihood": "item+kindness", "priors": {"icc": NONE}},
}
"""The likelihood by item, its parts, and effects of items beside or without the correlation."""
WITHOUT = {
    "negations": "item",
    "kindness": "item",
    "negations alone": "no correlation",
    "kindness alone": "no correlation",
}
"""Likelihoods with effects, and the same without: the search for modes starts from its modes."""
ITEM = {"literal": "fixed", "ranges": "yoon2020", "likelihood": "item"}
KINDS: Mapping[str, Mapping[str, Any]] = {
    "correlation": ITEM,
    "negations": {**ITEM, "likelihood": "item+negation"},
    "kindness": {**ITEM, "likelihood": "item+kindness"},
    "data": ITEM,
}
"""How items of simulated speakers differ, and the options that simulate it."""
PUBLISHED = {"literal": "fixed", "ranges": "yoon2020"}
"""Options of all comparisons, unless the comparison sets them."""
FLAT = {"ranges": "wide", "priors": {"alpha": (1.0, 1.0), "cost": (1.0, 1.0)}}
"""Uniform priors on the wide ranges."""
COMPARED: Mapping[str, tuple[tuple[str, ...], Mapping[str, Mapping[str, Any]]]] = {
    "ranges": (ALL, {name: {"ranges": name} for name in RANGES} | {"flat": FLAT}),
    "likelihood": (("zhao2025",), LIKELIHOODS),
    "simulated": (tuple(KINDS), LIKELIHOODS),
}
"""What is compared: the data, and options by name; differences are from the first."""
SHORT = Sampling(chains=4, warmup=300, draws=400)


def cases(compared: str, speakers: Sequence[str], n: int) -> Iterator[tuple[str, str, str, str]]:
    """What is compared, data, speaker and name; of all speakers where none is named."""
    sets, options = COMPARED[compared]
    for data in sets:
        known = (
            [f"{data} {number}" for number in range(1, n + 1)]
            if data in KINDS
            else list(map(str, mw.data(data).speakers))
        )
        for speaker in known:
            for name in options if not speakers or speaker in speakers else ():
                yield compared, data, speaker, name


def answers(data: str, speaker: str) -> Observations:
    """The choices of a published or of a simulated speaker."""
    return simulated(data, speaker) if data in KINDS else of_one(mw.data(data), speaker)


def simulated(kind: str, speaker: str) -> Observations:
    """Choices of a speaker whose parameters come from the prior, in a design of zhao2025."""
    rng = np.random.default_rng([list(KINDS).index(kind), int(speaker.rsplit(maxsplit=1)[-1])])
    table, options = design(30), KINDS[kind]
    problem = build(table, **options)
    known = replace(
        simulate.from_prior(problem, rng),
        lapse=float(rng.choice(LAPSE)),
        icc=float(rng.choice(ICC)),
        item_sd=0.0 if options is ITEM else float(rng.choice(LOG_ODDS_SD)),
    )
    if kind != "data":
        return simulate.simulate(table, known, rng, **options)
    size = list(sizes().values())[rng.integers(9)]
    return answers_of(table, problem, known, size, rng)


def measured(case: tuple[str, str, str, str, Path]) -> dict[str, Any]:
    """Evidence, LOO and the place of cost and alpha for one speaker under one name."""
    compared, data, speaker, name, out = case
    folder = out / f"{data}-{speaker}-{name}"
    found = compare_variants(
        answers(data, speaker),
        folder,
        variants=["inf+soc+pres"],
        options={**PUBLISHED, **COMPARED[compared][1][name]},
        sampling=SHORT,
    )
    row = found.table.iloc[0]
    summary = pd.read_csv(folder / "variants" / "inf+soc+pres" / "summary.csv")
    at = summary.set_index("parameter")
    ends = {k: f"{at.loc[k, 'mean']:.2f} ({at.loc[k, 'sd']:.2f})" for k in ("cost", "alpha")}
    kept = ("log_ml", "log_ml_se", "elpd_loo", "r2", "ok")
    return {"speaker": speaker, "name": name} | {k: row[k] for k in kept} | ends


def approximated(
    case: tuple[str, str, str, str, Path],
    seed: int = 1,
    *,
    by_item: bool = False,
    nodes: int = FINE,
) -> dict[str, Any]:
    """The mass of the Gaussian at the best mode of one speaker under one name."""
    compared, data, speaker, name, _ = case
    table, rng = answers(data, speaker), np.random.default_rng(seed)

    def searched(name: str) -> tuple[Problem, Program, Gaussian]:
        options = {**PUBLISHED, "nodes": nodes, **COMPARED[compared][1][name]}
        problem = PoliteSpeaker().problem(table, **options)
        program = inference.load(problem.program, "auto", print)
        if name not in WITHOUT:
            with program.open(problem.data) as model:
                return problem, program, gaussian_at_modes(model, rng, ridge=problem.ridge)
        modes = searched(WITHOUT[name])[2].modes[:2]
        known = [np.append(mode.x, probit) for mode in modes for probit in (-2.0, 0.0)]
        with program.open(problem.data) as model:
            return problem, program, gaussian_at_modes(model, rng, starts=0, known=known)

    problem, program, found = searched(name)
    items = left_out(problem, program, found, rng) if by_item else []
    return {"speaker": speaker, "name": name, "log_ml": found.modes[0].log_mass, "items": items}


def kept(
    case: tuple[str, str, str, str, Path],
    seed: int = 1,
    *,
    by_item: bool = False,
    nodes: int = FINE,
) -> dict[str, Any]:
    """What ``approximated`` gives, from the file of an earlier run where there is one."""
    _, data, speaker, name, out = case
    path = (
        out
        / f"laplace{'-by-item' if by_item else ''}-{seed}-{nodes}"
        / f"{data}-{speaker}-{name}.json"
    )
    if not path.exists():
        found = approximated(case, seed, by_item=by_item)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found))
        print(f"{speaker}, {name}: log evidence {found['log_ml']:.1f}", flush=True)
    row: dict[str, Any] = json.loads(path.read_text())
    return row


def left_out(
    problem: Problem, program: Program, found: Gaussian, rng: np.random.Generator
) -> list[float]:
    """Log predictive density of each item, from the Gaussians with and without it.

    The search without an item starts at the best modes with it.
    """
    best = [mode.x for mode in found.modes[:3]]
    from_modes = [best[0], *best]
    assert problem.without is not None
    each = []
    for item in problem.parts["item"]:
        rest = with_data(problem, **problem.without({"item": item}, np.inf))
        with program.open(rest.data) as model:
            without = gaussian_at_modes(model, rng, starts=0, known=from_modes)
        each.append(found.modes[0].log_mass - without.modes[0].log_mass)
    return each


def gains(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Log evidence of each of ``names``, and what the others gain over the first.

    With items, also the gain in expected log predictive density of an item left out, summed over
    items, and its standard error.
    """
    rows = []
    for speaker, own in table.groupby("speaker", sort=False):
        by = own.set_index("name")
        first = by.loc[names[0]]
        row: dict[str, Any] = {"speaker": speaker} | {n: by.loc[n, "log_ml"] for n in names}
        for name in names[1:]:
            one = by.loc[name]
            row[f"log_bf {name}"] = one["log_ml"] - first["log_ml"]
            if one["items"]:
                each = np.subtract(one["items"], first["items"])
                row[f"elpd {name}"] = each.sum()
                row[f"se {name}"] = each.std(ddof=1) * np.sqrt(len(each))
        rows.append(row)
    return pd.DataFrame(rows)


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
    parser.add_argument("--by-item", action="store_true", help="with --laplace: LOO by item")
    parser.add_argument("--n", type=int, default=12, help="simulated speakers of each kind")
    parser.add_argument("--seed", type=int, default=1, help="of the search for modes")
    parser.add_argument("--nodes", type=int, default=FINE, help="of the quadrature over phi")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--speakers", nargs="+", default=[], help="all when left out")
    parser.add_argument("--out", type=Path, help="benchmarks/out/priors when left out")
    given = parser.parse_args()
    out: Path = given.out or Path("benchmarks/out") / (
        "priors" if given.compare == "ranges" else given.compare
    )
    first = PoliteSpeaker().problem(of_one(mw.data("zhao2025"), SPEAKER), literal="fixed")
    inference.load(first.program, "auto", print)
    asked = [(*case, out) for case in cases(given.compare, given.speakers, given.n)]
    context = get_context("spawn")
    names = list(COMPARED[given.compare][1])
    one = (
        partial(kept, seed=given.seed, by_item=given.by_item, nodes=given.nodes)
        if given.laplace
        else measured
    )
    with ProcessPoolExecutor(given.workers, mp_context=context) as pool:
        table = pd.DataFrame(list(pool.map(one, asked)))
    out.mkdir(parents=True, exist_ok=True)
    if given.laplace:
        shown = gains(table, names)
        shown.to_csv(out / "laplace.csv", index=False)
    else:
        table.to_csv(out / "priors.csv", index=False)
        shown = differences(table, names)
        shown.to_csv(out / "differences.csv", index=False)
    print(shown.to_string(index=False, float_format=lambda x: f"{x:+.1f}"))
    if given.compare == "simulated":
        summed = shown.assign(kind=shown["speaker"].str.split().str[0])
        print(summed.groupby("kind", sort=False).mean(numeric_only=True).T.round(1).to_string())


if __name__ == "__main__":
    main()
