"""``wolves fit``: the parameters of a cognitive model from answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.options import (
    MODEL,
    VARIANT,
    model_options,
    model_values,
    observations_of,
    sampling_options,
    sampling_values,
    table_options,
    together,
)
from many_wolves.progress import log
from many_wolves.workflows.fits import FitRequest, default_folder, fit_into

if TYPE_CHECKING:
    from many_wolves.inference import Fit

fit_options = together(model_options(), MODEL, VARIANT, sampling_options())
"""The options of a fit."""


def request_of(values: dict[str, Any]) -> FitRequest:
    """How a speaker is fitted, from the options of the command."""
    return FitRequest(
        options=model_values(values),
        model=values["model"],
        variant=values["variant"],
        sampling=sampling_values(values),
        report=not values["no_report"],
    )


@wolves_command("fit", as_json=True)
@table_options("Fit data that ship with the project")
@fit_options
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the fit.")
@click.option("--allow-unconverged", is_flag=True, help="Exit with 0 even if the fit failed.")
@click.option("--no-report", is_flag=True, help="Leave report.html out.")
def command(out: Path | None, allow_unconverged: bool, **options: Any) -> int:
    """Infer the parameters of a speaker from CHOICES: a folder of `wolves choices`, or a CSV file.

    A CSV file of politeness needs the columns goal, state, utterance, count; speaker and
    framing may stand beside them, and literal.csv (utterance, state, yes, n) in
    the same folder. With --task it may hold the answers to another task;
    docs/game-models.md names the columns of games.

    \b
    Exit status: 0 converged, 1 not converged, 2 the input cannot be fitted.
    """
    observations = observations_of(options)
    folder = out or default_folder(observations)
    done = fit_into(observations, folder, request_of(options))
    _print(done, folder, report=not options["no_report"])
    return _status(done.diagnostics.ok, allow_unconverged)


def _print(done: Fit, out: Path, *, report: bool) -> None:
    from many_wolves.figures import read_fitted
    from many_wolves.workflows.results import short

    problem = done.problem
    table = short(done.summary, {"family": problem.family, "model": problem.model})
    fitted = read_fitted(out)
    r2 = fitted.info["r2"]
    failed = [str(check["statement"]) for check in fitted.failed_checks]

    def words() -> None:
        for sentence in done.diagnostics.verdict:
            click.echo(sentence)
        if r2 is not None:
            click.echo(f"Observed and predicted values: r² = {r2:.3f}.")
        for statement in failed:
            click.echo(f"FAILED  {statement}")
        if not fitted.info.get("checks"):
            click.echo("The table has no checks: nobody checked whether the speaker did the task.")
        click.echo(table.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
        click.echo(f"Report: {out / 'report.html'}" if report else f"Written to {out}")

    result = {
        "folder": out,
        "converged": done.diagnostics.ok,
        "verdict": list(done.diagnostics.verdict),
        "r2": r2,
        "failed_checks": failed,
        "summary": table,
    }
    show(result, words)


def _status(converged: bool, allowed: bool) -> int:
    if converged:
        return 0
    if allowed:
        log.warning("The fit failed its diagnostics; kept because of --allow-unconverged.")
        return 0
    log.warning(
        "The fit failed its diagnostics: do not use its numbers. "
        "What to change stands above; --allow-unconverged accepts it."
    )
    return 1
