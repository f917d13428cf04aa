"""The reference posterior of the human fit: make it, or hold a fresh fit against it.

python benchmarks/reference.py make     # half an hour; writes task-data/human/...json
python benchmarks/reference.py check    # exit status 1 where a fresh fit differs

The posterior has two regions that no chain steps between, with alpha below and above
SPLIT. Below it, tempered ensembles are run; above it, chains from where one was once found.
Bridge sampling tells how much of the posterior each holds, and the draws are mixed.
"""

import json
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from many_wolves import inference
from many_wolves.families.politeness.human import CITATION, human_table
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.problem import ALPHA_UPPER, COST_RANGE, build
from many_wolves.files import code_version, fingerprint, write_atomic
from many_wolves.inference import reference
from many_wolves.inference.bridge import bridge
from many_wolves.inference.engine import Draws
from many_wolves.inference.laplace import (
    gaussian_at_better_mode,
    gaussian_at_modes,
    unconditioned,
)
from many_wolves.inference.programs import program_text
from many_wolves.inference.summary import scalars
from many_wolves.inference.tempering import sample_tempered
from many_wolves.inference.tree import to_tree

PATH = Path(__file__).parent.parent / "task-data" / "human" / "yoon2020_reference_posterior.json"
DRAWS = Path(__file__).parent / "out" / "reference-draws.csv.gz"
"""Thinned draws, for looking at them."""
NODES = 64
"""Finer quadrature than that of fits, so that a check sees its error as well."""
SPLIT = 7.5
"""alpha between the regions: there is next to nothing from 7 to 8."""
FAR = {
    "alpha": 10.6,
    "cost": 4.0,
    "weights": [[0.06, 0.08], [0.04, 0.26], [0.06, 0.18]],  # w_inf, w_soc by goal
    "phi": [0.55, 0.52, 0.52],
    "theta": [  # by state
        [0.99, 0.94, 0.01, 0.001, 0.17, 0.10, 0.97, 0.95],
        [0.36, 0.94, 0.13, 0.002, 0.57, 0.49, 0.81, 0.86],
        [0.07, 0.24, 0.97, 0.07, 0.74, 0.88, 0.26, 0.85],
        [0.02, 0.02, 0.92, 0.95, 0.88, 0.87, 0.11, 0.03],
    ],
}
"""Means of draws above SPLIT, to which a tempered run once came; no climb from the prior does."""
BELOW = inference.Settings(chains=reference.CHAINS, draws=20 * reference.KEPT, adapt_delta=0.99)
ABOVE = inference.Settings(
    chains=reference.CHAINS, warmup=600, draws=6 * reference.KEPT, adapt_delta=0.99
)


@dataclass(frozen=True)
class Part:
    """One region: its draws by name, those of the sampler, and ln of the mass it holds."""

    named: dict[tuple[str, str], np.ndarray]
    draws: Draws
    log_mass: float
    log_mass_se: float


def problem_of_people(nodes: int, alpha_upper: float = ALPHA_UPPER):
    """The full model with both tasks, without quantities per cell."""
    problem = build(human_table(), literal="joint", nodes=nodes)
    kept = ("alpha", "cost", "weights", "phi", "theta", "lprior")
    variables = tuple(v for v in problem.variables if v.stan in kept)
    data = {**problem.data, "keep": 0, "alpha_upper": alpha_upper}
    return replace(problem, data=data, variables=variables)


def below(nodes: int, settings: inference.Settings) -> Part:
    """The region with alpha below SPLIT: the posterior under a prior that ends there."""
    problem = problem_of_people(nodes, alpha_upper=SPLIT)
    program = inference.load(problem.program, "httpstan", say)
    rng = np.random.default_rng(settings.seed)
    gaussian = gaussian_at_modes(program, problem.data, problem.size, rng)
    draws = sample_tempered(problem, gaussian, settings, say)
    return part(problem, program, gaussian, draws, np.log(SPLIT / ALPHA_UPPER), settings)


def above(nodes: int, settings: inference.Settings) -> Part:
    """The region with alpha above SPLIT, by chains that begin there and stay."""
    problem = problem_of_people(nodes)
    program = inference.load(problem.program, "httpstan", say)
    rng = np.random.default_rng(settings.seed)
    near = gaussian_at_modes(program, problem.data, problem.size, rng)
    # The narrow mode counts for more than the near one where its mass is twice as great.
    far = gaussian_at_better_mode(program, problem.data, lowered(near), [start()])
    starts = far.starts(settings.chains, rng, spread=0.5)
    draws = program.sample({**problem.data, **far.data()}, starts, settings, say)
    stayed = (draws.column("alpha") > SPLIT).all(axis=1)
    say(f"{stayed.sum()} of {len(stayed)} chains stayed above alpha {SPLIT}")
    return part(problem, program, far, replace(draws, values=draws.values[stayed]), 0.0, settings)


def lowered(gaussian):
    """The same modes with less mass, so that a climb to another is told of whatever it holds."""
    modes = tuple(replace(mode, log_mass=mode.log_mass - 100) for mode in gaussian.modes)
    return replace(gaussian, modes=modes)


def start() -> np.ndarray:
    """FAR on the unconstrained scale of the program."""
    low, high = COST_RANGE
    sticks = [p for inf, soc in FAR["weights"] for p in (inf, soc / (1 - inf))]
    shares = [*np.ravel(FAR["theta"]), FAR["alpha"] / ALPHA_UPPER]
    return norm.ppf([*shares, (FAR["cost"] - low) / (high - low), *sticks, *FAR["phi"]])


def part(problem, program, gaussian, draws: Draws, log_prior: float, settings) -> Part:
    data = {**problem.data, **unconditioned(problem.size)}
    step = max(1, draws.values.shape[1] // 2000)
    x = gaussian.centre + draws.block("z")[:, ::step] @ gaussian.scale.T
    found = bridge(x, lambda at: program.log_density(data, at), seed=settings.seed)
    say(f"ln of the mass: {found.log_ml + log_prior:.2f}, standard error {found.se:.2f}")
    tree = to_tree(problem, draws, settings.seed)
    names = tuple(p.name for p in PoliteSpeaker.parameters)
    named = {(n, at): v for n, at, v in scalars(tree["posterior"].to_dataset(), names)}
    return Part(named, draws, found.log_ml + log_prior, found.se)


def share_of(far: Part, near: Part) -> tuple[float, float]:
    """Share of the posterior in the far region, and its standard error."""
    apart = far.log_mass - near.log_mass
    share = 1 / (1 + np.exp(-apart))
    return float(share), float(share * (1 - share) * np.hypot(far.log_mass_se, near.log_mass_se))


def evenly(region: Part) -> dict:
    """KEPT draws for each chain of the reference, thinned evenly from all of a region."""
    shape = (reference.CHAINS, reference.KEPT)
    total = np.prod(shape)
    kept = {}
    for name, values in region.named.items():
        flat = values.ravel()
        kept[name] = flat[np.linspace(0, flat.size - 1, total).astype(int)].reshape(shape)
    return kept


def make() -> int:
    began = time.monotonic()
    near, far = below(NODES, replace(BELOW, seed=2026)), above(NODES, replace(ABOVE, seed=2026))
    share, share_se = share_of(far, near)
    kept = [evenly(region) for region in (near, far)]
    rng = np.random.default_rng(2026)
    draws = reference.mixed(kept, [1 - share, share], rng)
    keep(draws)
    table = reference.summary(draws)
    verdict = reference.judge([near.draws, far.draws], table)
    for reason in verdict.reasons:
        print(reason)
    if not verdict.ok:
        shown = table[["parameter", "condition", "r_hat", "ess_bulk", "lag_one"]]
        print(shown.sort_values("lag_one").tail(8).to_string(index=False))
        print(f"This is no reference posterior; its thinned draws lie in {DRAWS}.")
        return 1
    problem = problem_of_people(NODES)
    record = {
        "posterior": "speaker of Yoon et al. (2020), all three utilities, literal task joint",
        "data": CITATION,
        "made": {
            "below": vars_of(BELOW) | {"tempered": list(near.draws.messages)},
            "above": vars_of(ABOVE) | {"chains_that_stayed": int(far.draws.values.shape[0])},
            "split_at_alpha": SPLIT,
            "nodes": NODES,
            "seed": 2026,
            "engine": inference.load(problem.program, "httpstan").version,
            "code_version": code_version(),
            "program": fingerprint(program_text(problem.program)),
            "date": datetime.now(UTC).date().isoformat(),
            "seconds": round(time.monotonic() - began),
            "command": "python benchmarks/reference.py make",
        },
        "share_above": share,
        "share_above_se": share_se,
        "diagnostics": verdict.numbers,
        "summary": rows(table),
        "summary_below": rows(reference.summary(kept[0])),
        "summary_above": rows(reference.summary(kept[1])),
    }
    write_atomic(PATH, json.dumps(record, indent=1) + "\n")
    print(f"{len(table)} parameters; {verdict.numbers}; written to {PATH}")
    print(f"above alpha {SPLIT}: {100 * share:.1f} % of the posterior, se {100 * share_se:.1f}")
    return 0


def check() -> int:
    if not PATH.exists():
        print(f"There is no reference posterior at {PATH}; make it with `reference.py make`.")
        return 1
    record = json.loads(PATH.read_text())
    seed = int(time.time()) % 100_000
    near = below(32, replace(BELOW, chains=4, draws=2000, seed=seed))
    far = above(32, replace(ABOVE, chains=4, draws=2000, seed=seed))
    ok = True
    for name, region in (("below", near), ("above", far)):
        expected = pd.DataFrame(record[f"summary_{name}"])
        found = reference.compare(reference.summary(region.named), expected)
        worst = found.loc[found["apart"].abs().idxmax()]
        print(
            f"{name} alpha {SPLIT}, seed {seed}: {len(found)} statistics, largest difference "
            f"{abs(worst['apart']):.2f} Monte Carlo errors, in the {worst['statistic']} of "
            f"{worst['parameter']} {worst['condition']}"
        )
        if not found["ok"].all():
            ok = False
            print(found[~found["ok"]].to_string(index=False))
    share, share_se = share_of(far, near)
    apart = (share - record["share_above"]) / np.hypot(share_se, record["share_above_se"])
    print(
        f"share above: {share:.3f}, expected {record['share_above']:.3f}, {apart:.2f} errors apart"
    )
    ok = ok and abs(apart) < reference.APART
    print(f"The fit {'agrees with' if ok else 'is not that of'} the reference posterior.")
    return 0 if ok else 1


def vars_of(settings: inference.Settings) -> dict:
    return {n: getattr(settings, n) for n in ("chains", "warmup", "draws", "adapt_delta")}


def rows(table: pd.DataFrame) -> list:
    return table.round(8).to_dict(orient="records")


def keep(draws) -> None:
    """Write draws as a table: chain, and a column a parameter."""
    columns = {f"{name} {at}".strip(): values.ravel() for (name, at), values in draws.items()}
    chains, each = next(iter(draws.values())).shape
    frame = pd.DataFrame(columns).assign(chain=[c for c in range(chains) for _ in range(each)])
    DRAWS.parent.mkdir(exist_ok=True)
    frame.round(6).to_csv(DRAWS, index=False)


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
