"""``wolves calibrate``: do posteriors hold the truth as often as they say?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click


@click.command("calibrate")
@click.argument("choices", required=False, type=click.Path(path_type=Path))
@click.option("--human", metavar="NAME", help="The design of the shipped human counts: yoon2020.")
@click.option("--speaker", help="Which speaker of the table.")
@click.option("--n", "count", default=200, show_default=True, type=click.IntRange(20))
@click.option(
    "--literal", type=click.Choice(["joint", "fixed"]), default="joint", show_default=True
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
@click.option("--out", type=click.Path(path_type=Path), default=Path("rsa-output/calibration"))
def command(choices: Path | None, human: str | None, **options: Any) -> int:
    """Simulation-based calibration with the design of CHOICES.

    Parameters are drawn from the prior, answers from the NumPy recursion, and the
    Stan program is fitted to them; then the rank of every true value among the
    posterior draws must be uniform. Resumes where it stopped.

    \b
    Exit status: 0 calibrated, 1 not calibrated.
    """
    from many_wolves.commands.simulating import Trials, cores, run_trials
    from many_wolves.commands.tables import human_or_table
    from many_wolves.figures.calibration import calibration as figure
    from many_wolves.figures.save import save
    from many_wolves.files import write_atomic
    from many_wolves.inference.calibration import calibration
    from many_wolves.inference.recovery import recovery

    trials = Trials(
        table=human_or_table(choices, human, options["speaker"]),
        options={
            "literal": options["literal"],
            "utilities": tuple(u.strip() for u in options["utilities"].split(",")),
        },
        engine=options["engine"],
        settings={k: options[k] for k in ("chains", "warmup", "draws", "adapt_delta")},
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
