"""``wolves recover``: does a design recover known parameters?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.simulations import simulation_options, trials_from, workers_of


@wolves_command("recover", as_json=True)
@simulation_options(count=100, least=2, out="rsa-output/recovery")
@click.option(
    "--given",
    type=click.Path(path_type=Path, exists=True),
    help="JSON file with the parameters, for politeness alpha, cost and weights by condition "
    "(default: draws from the prior).",
)
def command(count: int, out: Path, given: Path | None, **options: Any) -> int:
    """Simulate with the design of CHOICES and fit: bias, error, coverage, contraction.

    The simulated data have as many answers and literal judgments as CHOICES. Resumes after an
    interrupt.

    \b
    Exit status: 0 intervals have their nominal coverage, 1 they do not.
    """
    from many_wolves.workflows.seats import read_parameters
    from many_wolves.workflows.simulation import recover_parameters

    trials = trials_from(options, read_parameters(given) if given else None)
    done = recover_parameters(
        trials, count, out, seed=trials.sampling.seed, workers=workers_of(options)
    )

    def words() -> None:
        click.echo(done.table.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
        if done.failed:
            click.echo(
                f"{len(done.failed)} of {done.simulations} fits failed; the first error: "
                f"{done.failed[0]}"
            )
        click.echo(f"Written to {out}")

    show({"folder": out, "ok": done.ok, "table": done.table, "failed": done.failed}, words)
    return 0 if done.ok else 1
