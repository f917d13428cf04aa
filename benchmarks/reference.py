"""The reference posterior of the human fit: make it, or hold a fresh fit against it.

python benchmarks/reference.py make     # 20 minutes; writes task-data/human/...json
python benchmarks/reference.py check    # exit status 1 where a fresh fit differs
"""

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from many_wolves import inference
from many_wolves.families.politeness.human import CITATION, human_table
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.problem import build
from many_wolves.files import code_version, fingerprint, write_atomic
from many_wolves.inference import reference
from many_wolves.inference.fit import Fit, assemble
from many_wolves.inference.laplace import gaussian_at_modes
from many_wolves.inference.programs import program_text
from many_wolves.inference.summary import scalars
from many_wolves.inference.tempering import sample_tempered

PATH = Path(__file__).parent.parent / "task-data" / "human" / "yoon2020_reference_posterior.json"
DRAWS = Path(__file__).parent / "out" / "reference-draws.csv.gz"
"""Thinned draws, for looking at what speaks against them."""
NODES = 64
"""Finer quadrature than that of fits, so that a check sees its error as well."""


def problem_of_people(nodes: int):
    """The full model with both tasks, without quantities per cell."""
    problem = build(human_table(), literal="joint", nodes=nodes)
    kept = ("alpha", "cost", "weights", "phi", "theta", "lprior")
    variables = tuple(v for v in problem.variables if v.stan in kept)
    return replace(problem, data={**problem.data, "keep": 0}, variables=variables)


def draws_of(fit: Fit, thin: int):
    posterior = fit.tree["posterior"].to_dataset()
    names = tuple(p.name for p in PoliteSpeaker.parameters)
    return {(n, at): reference.thinned(v, thin) for n, at, v in scalars(posterior, names)}


def keep(draws) -> None:
    """Write draws as a table: chain, and a column a parameter."""
    columns = {f"{name} {at}".strip(): values.ravel() for (name, at), values in draws.items()}
    chains, each = next(iter(draws.values())).shape
    frame = pd.DataFrame(columns).assign(chain=[c for c in range(chains) for _ in range(each)])
    DRAWS.parent.mkdir(exist_ok=True)
    frame.round(6).to_csv(DRAWS, index=False)


def tempered(nodes: int, settings: inference.Settings) -> Fit:
    """Tempered, because plain chains come to the second region of the posterior too seldom."""
    began = time.monotonic()
    problem = problem_of_people(nodes)
    program = inference.load(problem.program, "httpstan", say)
    rng = np.random.default_rng(settings.seed)
    gaussian = gaussian_at_modes(program, problem.data, problem.size, rng)
    draws = sample_tempered(problem, gaussian, settings, say)
    return assemble(
        problem,
        draws,
        gaussian,
        parameters=PoliteSpeaker.parameters,
        settings=settings,
        engine=program.version,
        seconds=time.monotonic() - began,
        cpu_seconds=draws.cpu_seconds,
    )


def make() -> int:
    settings = inference.Settings(
        chains=reference.CHAINS, warmup=0, draws=reference.DRAWS, adapt_delta=0.99, seed=2026
    )
    fit = tempered(NODES, settings)
    thinned = draws_of(fit, reference.THIN)
    keep(thinned)
    table = reference.summary(thinned)
    verdict = reference.judge(fit.draws, table)
    for reason in verdict.reasons:
        print(reason)
    if not verdict.ok:
        shown = table[["parameter", "condition", "r_hat", "ess_bulk", "lag_one"]]
        print(shown.sort_values("lag_one").tail(8).to_string(index=False))
        print(f"This is no reference posterior; its thinned draws lie in {DRAWS}.")
        return 1
    record = {
        "posterior": "speaker of Yoon et al. (2020), all three utilities, literal task joint",
        "data": CITATION,
        "made": {
            "tempered_ensembles": settings.chains,
            "draws_per_ensemble": settings.draws,
            "thinned_by": reference.THIN,
            "adapt_delta": settings.adapt_delta,
            "nodes": NODES,
            "seed": settings.seed,
            "engine": fit.engine,
            "swaps": list(fit.draws.messages),
            "code_version": code_version(),
            "program": fingerprint(program_text(fit.problem.program)),
            "date": datetime.now(UTC).date().isoformat(),
            "seconds": round(fit.seconds),
            "command": "python benchmarks/reference.py make",
        },
        "diagnostics": verdict.numbers,
        "summary": table.round(8).to_dict(orient="records"),
    }
    write_atomic(PATH, json.dumps(record, indent=1) + "\n")
    print(f"{len(table)} parameters; {verdict.numbers}; written to {PATH}")
    return 0


def check() -> int:
    if not PATH.exists():
        print(f"There is no reference posterior at {PATH}; make it with `reference.py make`.")
        return 1
    expected = pd.DataFrame(json.loads(PATH.read_text())["summary"])
    settings = inference.Settings(draws=2000, adapt_delta=0.99, seed=int(time.time()) % 100_000)
    fit = tempered(32, settings)
    if not fit.diagnostics.ok:
        print(" ".join(fit.diagnostics.verdict))
        return 1
    found = reference.compare(reference.summary(draws_of(fit, 1)), expected)
    worst = found.loc[found["apart"].abs().idxmax()]
    print(
        f"{len(found)} statistics of {len(expected)} parameters, seed {fit.settings.seed}: "
        f"largest difference {abs(worst['apart']):.2f} Monte Carlo errors, in the "
        f"{worst['statistic']} of {worst['parameter']} {worst['condition']}"
    )
    wrong = found[~found["ok"]]
    if len(wrong):
        print(wrong.to_string(index=False))
        print("The fit is not that of the reference posterior.")
        return 1
    print("The fit agrees with the reference posterior.")
    return 0


def say(sentence: str) -> None:
    print(f"  {sentence} ...", file=sys.stderr)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make"]:
            sys.exit(make())
        case ["check"]:
            sys.exit(check())
        case _:
            sys.exit(__doc__)
