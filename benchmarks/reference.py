"""The reference posterior of the human fit: make it, or hold a fresh fit against it.

python benchmarks/reference.py make     # 21 minutes; writes task-data/human/...json
python benchmarks/reference.py check    # exit status 1 where a fresh fit differs

The posterior has two regions that no chain steps between, with alpha below and above
SPLIT. Below it, tempered ensembles are run; above it, chains from the mode there.
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
from many_wolves.families.politeness.model import PoliteSpeaker
from many_wolves.families.politeness.model.problem import ALPHA_UPPER, build
from many_wolves.families.politeness.reading.human import human_table
from many_wolves.families.politeness.references import CITATION
from many_wolves.files import code_version, fingerprint, write_atomic
from many_wolves.inference.engines.draws import Draws
from many_wolves.inference.engines.programs import program_text
from many_wolves.inference.evaluation import reference
from many_wolves.inference.evaluation.bridge import Bridge
from many_wolves.inference.evaluation.marginal_likelihood import mass
from many_wolves.inference.sampling.datatree import to_tree
from many_wolves.inference.sampling.modes import gaussian_at, gaussian_at_modes
from many_wolves.inference.sampling.multimodal import NARROW, shares
from many_wolves.inference.sampling.summary import scalars
from many_wolves.inference.sampling.tempering import sample_tempered

PATH = Path(__file__).parent.parent / "task-data" / "human" / "yoon2020_reference_posterior.json"
DRAWS = Path(__file__).parent / "out" / "reference-draws.csv.gz"
"""Thinned draws, for looking at them."""
NODES = 64
"""Finer quadrature than that of fits, so that a check sees its error as well."""
SPLIT = 7.5
"""alpha between the regions: there is next to nothing from 7 to 8."""
BELOW = inference.Settings(chains=reference.CHAINS, draws=20 * reference.KEPT, adapt_delta=0.99)
ABOVE = inference.Settings(
    chains=reference.CHAINS, warmup=600, draws=6 * reference.KEPT, adapt_delta=0.99
)


@dataclass(frozen=True)
class Part:
    """One region: its draws by name, those of the sampler, and ln of the mass it holds."""

    named: dict[tuple[str, str], np.ndarray]
    draws: Draws
    mass: Bridge


def problem_of_people(nodes: int, alpha_upper: float = ALPHA_UPPER):
    """The full model with both tasks; of its quantities, the parameters."""
    problem = build(human_table(), literal="joint", nodes=nodes)
    kept = ("alpha", "cost", "weights", "phi", "theta", "lprior")
    variables = tuple(v for v in problem.variables if v.stan in kept)
    data = {**problem.data, "alpha_upper": alpha_upper}
    return replace(problem, data=data, variables=variables)


def below(nodes: int, settings: inference.Settings) -> Part:
    """The region with alpha below SPLIT: the posterior under a prior that ends there."""
    problem = problem_of_people(nodes, alpha_upper=SPLIT)
    program = inference.load(problem.program, "httpstan", say)
    rng = np.random.default_rng(settings.seed)
    with program.open(problem.data) as model:
        gaussian = gaussian_at_modes(model, rng)
    draws = sample_tempered(problem, gaussian, settings, say)
    return part(problem, program, draws, np.log(SPLIT / ALPHA_UPPER), settings)


def above(nodes: int, settings: inference.Settings) -> Part:
    """The region with alpha above SPLIT, by chains that begin at its mode and stay."""
    problem = problem_of_people(nodes)
    program = inference.load(problem.program, "httpstan", say)
    rng = np.random.default_rng(settings.seed)
    with program.open(problem.data) as model:
        modes = gaussian_at_modes(model, rng, ridge=problem.ridge).modes
        alpha_at = model.param_unc_names.index("alpha_probit")
    beyond = [m for m in modes if ALPHA_UPPER * norm.cdf(m.x[alpha_at]) > SPLIT]
    far = gaussian_at(beyond[:1], modes[0].x.size)
    starts = far.starts(settings.chains, rng, NARROW)
    draws = program.sample(problem.data, starts, settings.chain, far.whitening, say)
    stayed = (ALPHA_UPPER * norm.cdf(draws.x[:, :, alpha_at]) > SPLIT).all(axis=1)
    say(f"{stayed.sum()} of {len(stayed)} chains stayed above alpha {SPLIT}")
    kept = replace(draws, x=draws.x[stayed], sampler=draws.sampler[stayed])
    return part(problem, program, kept, 0.0, settings)


def part(problem, program, draws: Draws, log_prior: float, settings) -> Part:
    thinned = replace(draws, x=draws.x[:, :: max(1, draws.x.shape[1] // 2000)])
    found = mass(problem, program, thinned, settings.seed, most=None)
    say(f"ln of the mass: {found.log_ml + log_prior:.2f}, standard error {found.se:.2f}")
    tree = to_tree(problem, program, draws, settings.seed)
    names = tuple(p.name for p in PoliteSpeaker.parameters)
    named = {(n, at): v for n, at, v in scalars(tree["posterior"].to_dataset(), names)}
    return Part(named, draws, replace(found, log_ml=found.log_ml + log_prior))


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
    _, (share, share_se) = shares([near.mass, far.mass])
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
            "above": vars_of(ABOVE) | {"chains_that_stayed": int(far.draws.x.shape[0])},
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
    _, (share, share_se) = shares([near.mass, far.mass])
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
