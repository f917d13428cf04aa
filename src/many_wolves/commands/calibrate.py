"""``wolves calibrate``: do posterior intervals have their nominal coverage?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.simulations import simulation_options, trials_from, workers_of


@wolves_command("calibrate", as_json=True)
@simulation_options(count=200, least=20, out="rsa-output/calibration")
def command(count: int, out: Path, **options: Any) -> int:
    """Simulation-based calibration with the design of CHOICES.

    Parameters are drawn from the prior, and answers from the simulator in NumPy. The
    Stan program is fitted to them. If all agree, the rank of every true value among the
    posterior draws is uniform. Resumes after an interrupt.

    \b
    Exit status: 0 calibrated, 1 not calibrated.
    """
    from many_wolves.workflows.simulation import calibrate_model

    trials = trials_from(options)
    done = calibrate_model(
        trials, count, out, seed=trials.sampling.seed, workers=workers_of(options)
    )

    def words() -> None:
        click.echo(done.table.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
        click.echo(done.verdict)
        click.echo(f"Written to {out}")

    show({"folder": out, "ok": done.ok, "verdict": done.verdict, "table": done.table}, words)
    return 0 if done.ok else 1
