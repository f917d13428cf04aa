"""``wolves compare``: which variant of a model do the choices call for?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves.commands.options import (
    LITERAL,
    MODEL,
    WEIGHTS_FORM,
    sampling_options,
    settings_of,
    table_options,
)

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.contracts import Problem, SimulatedModel
    from many_wolves.inference import Settings
    from many_wolves.inference.engines.protocol import Program
    from many_wolves.records import ChoiceTable

LONG_PATH = 100
"""Leapfrog steps a draw from which another attempt would take minutes, and mend nothing."""
COLUMNS = (
    "model",
    "utilities",
    "log_ml",
    "log_ml_se",
    "log_bf",
    "elpd_loo",
    "elpd_se",
    "elpd_diff",
    "elpd_diff_se",
    "pareto_k_max",
    "r2",
    "ok",
    "verdict",
    "seconds",
)


@click.command("compare")
@table_options("Compare on the shipped human counts")
@LITERAL
@WEIGHTS_FORM
@MODEL
@click.option("--models", help="Only these variants, such as inf+soc+pres,inf+pres,s1.")
@click.option(
    "--loo-unit",
    type=click.Choice(["choice", "cell", "row"]),
    default="choice",
    show_default=True,
    help="What LOO leaves out: one choice of each cell, a cell, or all answers to a question.",
)
@sampling_options(least_draws=100)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the result.")
def command(choices: Path | None, human: str | None, **options: Any) -> int:
    """Evidence and predictive accuracy of the variants of a model.

    Of politeness these are the seven utility subsets and the first-order speaker.
    Writes comparison.csv and a figure. Variants that are done are not fitted again.

    \b
    Exit status: 0 every row is to be trusted, 1 some row is not; its verdict says why.
    """
    from many_wolves import inference
    from many_wolves.commands.modelling import simulated_model, task_of
    from many_wolves.commands.tables import human_or_table
    from many_wolves.figures.comparison import comparison
    from many_wolves.figures.save import save
    from many_wolves.files import write_atomic

    table = human_or_table(choices, human, options["speaker"], options["framing"], options["task"])
    model = simulated_model(table.family, options["model"], task_of(table))
    problems = _problems(model, table, options)
    program = inference.load(next(iter(problems.values())).program, options["engine"], _say)
    settings = settings_of(options)
    out: Path = options["out"]
    for name, problem in problems.items():
        _fit_variant(name, problem, model, program, settings, options["loo_unit"], out)
    rows = _table(list(problems), out)
    write_atomic(out / "comparison.csv", rows.to_csv(index=False))
    of_model = [k for k in ("literal", "weights_form") if k in model.takes]
    how = {k: options[k] for k in (*of_model, "loo_unit", "engine", "seed")}
    write_atomic(out / "comparison.json", json.dumps(how | _facts(table), indent=2) + "\n")
    save(comparison(rows), out)
    shown = rows.drop(columns=["verdict", "utilities"])
    click.echo(shown.to_string(index=False, float_format=lambda x: f"{x:.2f}"))
    for _, row in rows[~rows["ok"]].iterrows():
        click.echo(f"{row['model']}: {row['verdict']}")
    if "weights_form" in model.takes:
        click.echo(f"Weights of reduced variants: {options['weights_form']}.")
    click.echo(f"Written to {out}")
    return 0 if rows["ok"].all() else 1


def _problems(
    model: SimulatedModel, table: ChoiceTable, options: Mapping[str, Any]
) -> dict[str, Problem]:
    """The problem of every variant that was asked for; the full one always, and first."""
    from many_wolves.commands.modelling import problem_options
    from many_wolves.errors import WolvesError

    variants = model.variants()
    given = problem_options(model, options)
    asked = [m.strip() for m in (options["models"] or "").split(",") if m.strip()]
    unknown = [m for m in asked if m not in variants]
    if unknown:
        raise WolvesError(f"unknown variant {unknown[0]!r}", mend=f"--models {','.join(variants)}")
    full = next(iter(variants))
    chosen = [full, *(m for m in variants if m != full and (not asked or m in asked))]
    return {name: model.problem(table, **{**given, **variants[name]}) for name in chosen}


def _fit_variant(
    name: str,
    problem: Problem,
    model: SimulatedModel,
    program: Program,
    settings: Settings,
    unit: Any,
    out: Path,
) -> None:
    """Fit one variant and write its row; nothing if the same row is there already."""
    from many_wolves import inference
    from many_wolves.files import write_atomic
    from many_wolves.inference.evaluation.compare import accuracy, refitting, row
    from many_wolves.inference.evaluation.loo import write_parts
    from many_wolves.inference.evaluation.marginal_likelihood import evidence

    folder = out / "variants" / name
    seal = mark(problem, settings, unit, program)
    if (folder / "row.json").exists():
        found = json.loads((folder / "row.json").read_text())
        if found["fingerprint"] == seal:
            click.echo(f"{name}: done before", err=True)
            return
    click.echo(f"{name}:", err=True)
    done = inference.fit_carefully(
        problem,
        program,
        model.parameters,
        settings,
        _say,
        longest_path=LONG_PATH,
    )
    inference.save(done, folder, {})
    _say("evidence by bridge sampling")
    bridged = evidence(done, program, settings.seed)
    again = refitting(done, program, model.parameters, unit, _say) if done.diagnostics.ok else None
    left_out = accuracy(done, again, unit)
    write_parts(left_out, folder / "loo.csv")
    result = row(name, done, bridged, left_out)
    record = result.to_json() | {"fingerprint": seal, "loo_unit": unit}
    write_atomic(folder / "row.json", json.dumps(record, indent=2) + "\n")


def mark(problem: Problem, settings: Settings, unit: str, program: Program) -> str:
    """Fingerprint of all that a row depends on."""
    from dataclasses import asdict

    import numpy as np

    from many_wolves.files import fingerprint
    from many_wolves.inference.engines.programs import program_text

    data = {k: np.asarray(v).tolist() for k, v in problem.data.items()}
    options = {k: str(v) for k, v in problem.options.items()}
    text = program_text(problem.program)
    return fingerprint([data, options, asdict(settings), unit, program.version, text])


def _table(names: list[str], out: Path) -> pd.DataFrame:
    """All rows, with differences against the first (full) one."""
    import pandas as pd

    from many_wolves.inference.evaluation.compare import against_full
    from many_wolves.inference.evaluation.loo import difference, read_parts

    records = [json.loads((out / "variants" / n / "row.json").read_text()) for n in names]
    parts = [read_parts(out / "variants" / n / "loo.csv") for n in names]
    rows = pd.DataFrame(records)
    rows["ok"] = rows["ok"].astype(bool)
    numeric = ["log_ml", "log_ml_se", "elpd_loo", "elpd_se", "pareto_k_max", "r2"]
    rows[numeric] = rows[numeric].astype(float)
    unit = records[0]["loo_unit"]
    differences = [difference(part, parts[0], unit) for part in parts]
    rows["elpd_diff"], rows["elpd_diff_se"] = zip(*differences, strict=True)
    return against_full(rows)[list(COLUMNS)]


def _facts(table: ChoiceTable) -> dict[str, Any]:
    from many_wolves.files import code_version

    return {"source": dict(table.meta), "code_version": code_version()}


def _say(sentence: str) -> None:
    click.echo(f"  {sentence} ...", err=True)
