"""``wolves recover``: are known parameters found again?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves.commands.simulation_options import simulate, simulation_options


@click.command("recover")
@simulation_options(
    count=100, least=2, literal=("joint", "cut", "fixed"), out="rsa-output/recovery"
)
@click.option(
    "--given",
    type=click.Path(path_type=Path, exists=True),
    help="JSON file with alpha, cost and weights by condition; else they come from the prior.",
)
def command(choices: Path | None, human: str | None, **options: Any) -> int:
    """Simulate with the design of CHOICES and fit: bias, error, coverage, contraction.

    Every number of answers and of literal judgments is that of CHOICES. Resumes
    where it stopped.

    \b
    Exit status: 0 intervals hold as many truths as they say, 1 they do not.
    """
    from many_wolves.commands.simulating import read_given
    from many_wolves.files import write_atomic
    from many_wolves.inference.evaluation.recovery import recovery

    given = read_given(options["given"])
    out: Path = options["out"]
    trials, done = simulate(choices, human, options, given)
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
