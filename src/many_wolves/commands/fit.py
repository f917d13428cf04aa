"""``wolves fit``: the parameters of a cognitive model from choices."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves.commands.fit_options import FitOptions, fit_options
from many_wolves.commands.options import settings_of, table_options
from many_wolves.records import ChoiceTable

if TYPE_CHECKING:
    from many_wolves.contracts import CognitiveModel, Problem
    from many_wolves.inference import Fit, Settings


@click.command("fit")
@table_options("Fit the shipped human counts")
@fit_options
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the fit.")
@click.option("--allow-unconverged", is_flag=True, help="Exit with 0 even if the fit failed.")
@click.option("--no-report", is_flag=True, help="Leave report.html out.")
def command(
    choices: Path | None,
    human: str | None,
    speaker: str | None,
    framing: str | None,
    task: str | None,
    out: Path | None,
    **options: Any,
) -> int:
    """Infer utility weights from CHOICES: a folder of `wolves choices`, or a CSV file.

    A CSV file needs the columns goal, state, utterance, count; speaker and
    framing may stand beside them, and literal.csv (utterance, state, yes, n) in
    the same folder. With --task it may hold the rounds or gifts of a social dilemma;
    docs/explanation/game-models.md names their columns.

    \b
    Exit status: 0 converged, 1 not converged, 2 the input cannot be fitted.
    """
    from many_wolves.commands.tables import human_or_table

    table = human_or_table(choices, human, speaker, framing, task)
    name = human or "-".join([table.speakers[0].replace("/", "-"), *([task] if task else [])])
    folder = out or Path("rsa-output") / name
    return run_fit(table, folder, FitOptions(**options))


def run_fit(table: ChoiceTable, out: Path, options: FitOptions) -> int:
    """Fit one speaker's table into a folder; returns the exit status."""
    done = fit_into(table, out, options)
    _print(done, out, options)
    return _status(done.diagnostics.ok, options.allow_unconverged)


def fit_into(table: ChoiceTable, out: Path, options: FitOptions) -> Fit:
    """Fit one speaker's table and keep the fit in a folder.

    Raises
    ------
    WolvesError
        If the table cannot be fitted.
    """
    from many_wolves import inference

    model, problem, settings = asked(table, options)
    for note in problem.notes:
        click.echo(f"Note: {note}", err=True)
    program = inference.load(problem.program, options.engine, _say)
    done = inference.fit_carefully(problem, program, model.parameters, settings, _say)
    inference.save(done, out, facts(table))
    return done


def asked(table: ChoiceTable, options: FitOptions) -> tuple[CognitiveModel, Problem, Settings]:
    """The model, the problem and the settings that the options ask for.

    Raises
    ------
    WolvesError
        If the table cannot be fitted.
    """
    from many_wolves.commands.modelling import problem_options, single_model, task_of

    model = single_model(table.family, options.model, task_of(table))
    problem = model.problem(table, **problem_options(model, asdict(options)))
    if problem.refused is not None:
        raise problem.refused
    return model, problem, settings_of(asdict(options))


def _print(done: Fit, out: Path, options: FitOptions) -> None:
    for sentence in done.diagnostics.verdict:
        click.echo(sentence)
    shown = done.summary[done.summary["parameter"] != "theta"]
    click.echo(shown.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
    if not options.no_report:
        from many_wolves.report import write_fit_report

        click.echo(f"Report: {write_fit_report(out)}")


def _status(converged: bool, allowed: bool) -> int:
    if converged:
        return 0
    if allowed:
        click.echo("The fit failed its diagnostics; kept because of --allow-unconverged.", err=True)
        return 0
    click.echo(
        "The fit failed its diagnostics: do not use its numbers. "
        "What to change stands above; --allow-unconverged accepts it.",
        err=True,
    )
    return 1


def _say(sentence: str) -> None:
    click.echo(f"  {sentence} ...", err=True)


def facts(table: ChoiceTable) -> dict[str, Any]:
    """What ``fit.json`` tells of a table: its checks, what was left out, where it comes from."""
    return {
        "checks": [asdict(check) for check in table.checks],
        "excluded": table.excluded.to_dict(orient="records"),
        "labels": labels_of(table),
        "source": dict(table.meta),
        "command": shlex.join(["wolves", *sys.argv[1:]]),
    }


def labels_of(table: ChoiceTable) -> dict[str, str | int]:
    """Who answered, as far as the table knows: model, effort, step and tokens of training."""
    from many_wolves.speakers.checkpoints import position

    spec = table.meta.get("speakers", {}).get(table.speakers[0])
    if spec is None:
        return {}
    at = position(spec["revision"])
    found = {
        "model": f"{spec['provider']}/{spec['model']}",
        "effort": spec["effort"],
        "step": at.step,
        "tokens": at.tokens,
    }
    return {name: value for name, value in found.items() if value not in ("", None)}
