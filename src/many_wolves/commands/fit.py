"""``wolves fit``: infer the parameters of a cognitive model from answers."""

from __future__ import annotations

from collections.abc import Sequence
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
    from many_wolves.report.verdict import Verdict

fit_options = together(model_options(), MODEL, VARIANT, sampling_options())
"""The options of a fit."""


def request_of(values: dict[str, Any]) -> FitRequest:
    """The fit request that the options of the command describe."""
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
@click.option("--allow-unconverged", is_flag=True, help="Exit with status 0 whatever the verdict.")
@click.option("--no-report", is_flag=True, help="Do not write report.html.")
def command(out: Path | None, allow_unconverged: bool, **options: Any) -> int:
    """Infer the parameters of a speaker from CHOICES: a folder of `wolves choices`, or a CSV file.

    A CSV file of politeness needs the columns goal, state, utterance, count. It can also
    have speaker and framing. literal.csv (utterance, state, yes, n) can be in the same
    folder. With --task, CHOICES holds the answers to another task;
    docs/explanation/game-models.md lists the columns of games.

    \b
    Exit status: 0 the verdict is good, 1 the chains did not converge, 2 the input cannot be
    fitted. Status 4 means that the chains converged, but the speaker did not do the task or the
    model does not describe it.
    """
    from many_wolves.figures import read_fitted
    from many_wolves.report.verdict import judge

    observations = observations_of(options)
    folder = out or default_folder(observations)
    done = fit_into(observations, folder, request_of(options))
    verdict = judge(read_fitted(folder))
    _print(done, folder, verdict, report=not options["no_report"])
    return status_of([verdict], allowed=allow_unconverged)


def _print(done: Fit, out: Path, verdict: Verdict, *, report: bool) -> None:
    from many_wolves.figures import read_fitted
    from many_wolves.report.verdict import edge_words, moved_words
    from many_wolves.workflows.results import short

    problem = done.problem
    table = short(done.summary, {"family": problem.family, "model": problem.model})
    fitted = read_fitted(out)

    def words() -> None:
        click.echo(verdict.headline)
        for part in verdict.parts:
            click.echo(part.line)
        for sentence in (*edge_words(fitted), *moved_words(fitted)):
            click.echo(sentence)
        click.echo(table.to_string(index=False, float_format=lambda x: f"{x:.3f}"))
        click.echo(f"Report: {out / 'report.html'}" if report else f"Written to {out}")

    result = {
        "folder": out,
        "grade": verdict.grade,
        "headline": verdict.headline,
        "task": verdict.parts[0].ok,
        "converged": done.diagnostics.ok,
        "model": verdict.parts[2].ok,
        "verdict": list(done.diagnostics.verdict),
        "r2": fitted.info["r2"],
        "describes": fitted.info.get("describes"),
        "edges": fitted.info.get("edges"),
        "influence": fitted.info.get("influence"),
        "failed_checks": [str(check["statement"]) for check in fitted.failed_checks],
        "summary": table,
    }
    show(result, words)


def status_of(verdicts: Sequence[Verdict], *, allowed: bool) -> int:
    """The exit status: 1 if chains did not converge, 4 if a verdict is bad for another reason."""
    grades = [verdict.grade for verdict in verdicts]
    if allowed or all(grade == "good" for grade in grades):
        if grades and any(grade != "good" for grade in grades):
            log.warning("The verdict is bad; the fit is kept because of --allow-unconverged.")
        return 0
    if "bad" in grades:
        log.warning(
            "The fit failed its diagnostics: do not use its numbers. "
            "The verdict gives a remedy; --allow-unconverged accepts the fit."
        )
        return 1
    return 4
