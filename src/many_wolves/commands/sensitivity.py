"""``wolves sensitivity``: how much a fit owes to its prior and to single assumptions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves.commands.options import (
    COST_FORM,
    LITERAL,
    MODEL,
    NODES,
    POSITION_BIAS,
    UTILITIES,
    sampling_options,
    settings_of,
    table_options,
)

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.contracts import Alternative, Problem
    from many_wolves.inference import Fit


@click.command("sensitivity")
@table_options("Fit the shipped human counts")
@LITERAL
@UTILITIES
@COST_FORM
@POSITION_BIAS
@MODEL
@NODES
@sampling_options(least_draws=100)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the fit.")
@click.option("--no-report", is_flag=True, help="Leave report.html out.")
def command(
    choices: Path | None, human: str | None, out: Path, no_report: bool, **options: Any
) -> int:
    """Fit CHOICES as `wolves fit` does, and vary what was assumed.

    Scales the power of prior and likelihood, and tries the alternatives that the
    model names: form of the cost, priors, quadrature. Writes sensitivity.csv into the
    folder of the fit, whose report then shows it.

    \b
    Exit status: 0 all numbers are to be trusted, 1 some are not; sensitivity.csv says which.
    """
    from many_wolves import inference
    from many_wolves.commands.fit import facts
    from many_wolves.commands.modelling import problem_options, sensitive_model, task_of
    from many_wolves.commands.tables import human_or_table
    from many_wolves.files import write_atomic
    from many_wolves.inference.evaluation.sensitivity import sensitivity

    table = human_or_table(choices, human, options["speaker"], options["framing"], options["task"])
    model = sensitive_model(table.family, options["model"], task_of(table))
    chosen = problem_options(model, options)
    problem = model.problem(table, **chosen)
    alternatives = {
        name: (model.problem(table, **{**chosen, **other.options}), other)
        for name, other in model.alternatives(**chosen).items()
    }
    program = inference.load(problem.program, options["engine"], _say)
    settings = settings_of(options)

    def sample(which: Problem) -> Fit:
        return inference.fit_carefully(which, program, model.parameters, settings, _say)

    done = sample(problem)
    inference.save(done, out, facts(table))
    _say("varying the assumptions")
    names = tuple(p.name for p in model.parameters)
    found = sensitivity(done, names, alternatives, program, sample)
    write_atomic(out / "sensitivity.csv", found.to_csv(index=False))
    write_atomic(out / "sensitivity.json", json.dumps(_meanings(alternatives), indent=2) + "\n")
    _print(found, out, no_report)
    return 0 if found["ok"].all() else 1


def _meanings(alternatives: Mapping[str, tuple[Problem, Alternative]]) -> dict[str, str]:
    """What each alternative assumes, for whoever reads the table."""
    return {name: other.meaning for name, (_, other) in alternatives.items()}


def _print(found: pd.DataFrame, out: Path, no_report: bool) -> None:
    shown = found[found["parameter"] != "theta"]
    wide = shown.pivot_table(
        index=["parameter", "condition"], columns="variant", values="shift", sort=False
    )
    click.echo("Shift of the posterior mean, in posterior standard deviations:")
    click.echo(wide.reset_index().to_string(index=False, float_format=lambda x: f"{x:+.2f}"))
    notable = found[found["verdict"] != ""]
    for _, row in notable[notable["parameter"] != "theta"].iterrows():
        name = f"{row['parameter']} {row['condition']}".strip()
        click.echo(f"{row['variant']}: {name}: {row['verdict']}")
    if not no_report:
        from many_wolves.report import write_fit_report

        click.echo(f"Report: {write_fit_report(out)}")
    click.echo(f"Written to {out / 'sensitivity.csv'}")


def _say(sentence: str) -> None:
    click.echo(f"  {sentence} ...", err=True)
