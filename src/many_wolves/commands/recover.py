"""``wolves recover``: are known parameters found again?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command("recover")
@click.argument("choices", required=False, type=click.Path(path_type=Path))
@click.option("--human", metavar="NAME", help="The design of the shipped human counts: yoon2020.")
@click.option("--speaker", help="Which speaker of the table.")
@click.option(
    "--given",
    type=click.Path(path_type=Path, exists=True),
    help="JSON file with alpha, cost and weights by condition; else they come from the prior.",
)
@click.option("--n", "count", default=100, show_default=True, type=click.IntRange(2))
@click.option(
    "--literal", type=click.Choice(["joint", "cut", "fixed"]), default="joint", show_default=True
)
@click.option("--utilities", default="inf,soc,pres", show_default=True, help="Or s1: first order.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "httpstan", "cmdstan"]),
    default="auto",
    show_default=True,
)
@click.option("--chains", default=2, show_default=True, type=click.IntRange(2))
@click.option("--warmup", default=400, show_default=True, type=click.IntRange(50))
@click.option("--draws", default=300, show_default=True, type=click.IntRange(50))
@click.option("--adapt-delta", default=0.9, show_default=True, type=click.FloatRange(0.5, 0.999))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--workers", type=click.IntRange(1), help="Processes; as many as cores if not given.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("rsa-output/recovery"))
def command(choices: Path | None, human: str | None, **options: Any) -> int:
    """Simulate with the design of CHOICES and fit: bias, error, coverage, contraction.

    Every number of answers and of literal judgments is that of CHOICES. Resumes
    where it stopped.

    \b
    Exit status: 0 intervals hold as many truths as they say, 1 they do not.
    """
    from many_wolves.commands.simulating import Trials, cores, read_given, run_trials
    from many_wolves.commands.tables import human_or_table
    from many_wolves.files import write_atomic
    from many_wolves.inference.recovery import recovery

    given = read_given(options["given"])
    trials = Trials(
        table=human_or_table(choices, human, options["speaker"]),
        options={
            "literal": options["literal"],
            "utilities": tuple(u.strip() for u in options["utilities"].split(",")),
        },
        engine=options["engine"],
        settings={k: options[k] for k in ("chains", "warmup", "draws", "adapt_delta")},
        given=given,
    )
    out: Path = options["out"]
    done = run_trials(
        trials,
        options["count"],
        seed=options["seed"],
        path=out / "simulations.jsonl",
        workers=options["workers"] or cores(),
        label="simulations",
    )
    prior = _prior_draws(trials, options["seed"]) if given is not None else None
    table = recovery(done, prior=prior)
    write_atomic(out / "recovery.csv", table.to_csv(index=False))
    write_atomic(
        out / "recovery_each.csv", recovery(done, by="scalar", prior=prior).to_csv(index=False)
    )
    click.echo(table.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
    failed = [s for s in done if s.error]
    if failed:
        click.echo(f"{len(failed)} of {len(done)} fits failed, the first so: {failed[0].error}")
    click.echo(f"Written to {out}")
    return 0 if (table["verdict"] == "as stated").all() and not failed else 1


def _prior_draws(trials: Any, seed: int, n: int = 500) -> dict[str, Any]:
    """Draws from the prior by scalar name, to hold recovery of given parameters against."""
    from dataclasses import replace

    import numpy as np

    rng = np.random.default_rng(seed)
    from_prior = replace(trials, given=None)
    truths = [from_prior.simulate(rng).truth for _ in range(n)]
    found: dict[str, Any] = {}
    for name, first in truths[0].items():
        for place in np.ndindex(np.shape(first)):
            label = f"{name}[{','.join(map(str, place))}]" if place else name
            found[label] = np.array([np.asarray(t[name])[place] for t in truths])
    return found
