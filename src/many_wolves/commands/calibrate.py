"""``wolves calibrate``: do posteriors hold the truth as often as they say?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from many_wolves.commands.simulation_options import simulate, simulation_options


@click.command("calibrate")
@simulation_options(count=200, least=20, literal=("joint", "fixed"), out="rsa-output/calibration")
def command(choices: Path | None, human: str | None, **options: Any) -> int:
    """Simulation-based calibration with the design of CHOICES.

    Parameters are drawn from the prior, answers from the NumPy recursion, and the
    Stan program is fitted to them; then the rank of every true value among the
    posterior draws must be uniform. Resumes where it stopped.

    \b
    Exit status: 0 calibrated, 1 not calibrated.
    """
    from many_wolves.figures.calibration import calibration as figure
    from many_wolves.figures.save import save
    from many_wolves.files import write_atomic
    from many_wolves.inference.evaluation.recovery import recovery
    from many_wolves.inference.evaluation.sbc import calibration

    out: Path = options["out"]
    trials, done = simulate(choices, human, options)
    result = calibration(done)
    facts = {k: v for k, v in asdict(result).items() if k != "tests"} | trials.described()
    write_atomic(out / "calibration.csv", result.table().to_csv(index=False))
    write_atomic(out / "recovery.csv", recovery(done).to_csv(index=False))
    write_atomic(out / "calibration.json", json.dumps(facts, indent=2) + "\n")
    shown = {t.name: t.name for t in result.tests if not t.name.startswith("theta")}
    save(figure(result, shown), out)
    click.echo(result.table().to_string(index=False, float_format=lambda x: f"{x:.3f}"))
    click.echo(result.verdict)
    click.echo(f"Written to {out}")
    return 0 if result.ok else 1
