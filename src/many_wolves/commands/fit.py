"""``wolves fit``: utility weights from choices."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves.records import ChoiceTable

if TYPE_CHECKING:
    from many_wolves.inference import EngineName, Fit


@click.command("fit")
@click.argument("choices", required=False, type=click.Path(path_type=Path))
@click.option("--human", metavar="NAME", help="Fit the shipped human counts: yoon2020.")
@click.option("--speaker", help="Which speaker of the table.")
@click.option("--framing", help="Only this framing; else each framing is a condition.")
@click.option(
    "--literal",
    type=click.Choice(["joint", "cut", "fixed"]),
    default="joint",
    show_default=True,
    help="theta free in one model; from the literal judgments alone; at their means.",
)
@click.option("--utilities", default="inf,soc,pres", show_default=True, help="Or s1: first order.")
@click.option(
    "--cost-form",
    type=click.Choice(["prior", "utility"]),
    default="prior",
    show_default=True,
    help="Cost beside alpha * utility, or inside it.",
)
@click.option(
    "--weights-form",
    type=click.Choice(["normalised", "three-way"]),
    default="normalised",
    show_default=True,
    help="Of reduced variants: weights over the utilities at hand, or over all three.",
)
@click.option("--nodes", default=32, show_default=True, help="Quadrature nodes for phi.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "httpstan", "cmdstan"]),
    default="auto",
    show_default=True,
)
@click.option("--chains", default=4, show_default=True, type=click.IntRange(2))
@click.option("--warmup", default=1000, show_default=True, type=click.IntRange(50))
@click.option("--draws", default=1000, show_default=True, type=click.IntRange(50))
@click.option("--adapt-delta", default=0.8, show_default=True, type=click.FloatRange(0.5, 0.999))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the fit.")
@click.option("--allow-unconverged", is_flag=True, help="Exit with 0 even if the fit failed.")
@click.option("--no-report", is_flag=True, help="Leave report.html out.")
def command(
    choices: Path | None,
    human: str | None,
    speaker: str | None,
    framing: str | None,
    out: Path | None,
    **options: Any,
) -> int:
    """Infer utility weights from CHOICES: a folder of `wolves choices`, or a CSV file.

    A CSV file needs the columns goal, state, utterance, count; speaker and
    framing may stand beside them, and literal.csv (utterance, state, yes, n) in
    the same folder.

    \b
    Exit status: 0 converged, 1 not converged, 2 the input cannot be fitted.
    """
    from many_wolves.commands.tables import human_or_table

    table = human_or_table(choices, human, speaker, framing)
    folder = out or Path("rsa-output") / (human or table.speakers[0].replace("/", "-"))
    return run_fit(table, folder, FitOptions(**options))


@dataclass(frozen=True)
class FitOptions:
    """Options of one fit, as the command takes them."""

    literal: str = "joint"
    utilities: str = "inf,soc,pres"
    cost_form: str = "prior"
    weights_form: str = "normalised"
    nodes: int = 32
    engine: EngineName = "auto"
    chains: int = 4
    warmup: int = 1000
    draws: int = 1000
    adapt_delta: float = 0.8
    seed: int = 1
    allow_unconverged: bool = False
    no_report: bool = False


def run_fit(table: ChoiceTable, out: Path, options: FitOptions) -> int:
    """Fit one speaker's table into a folder; returns the exit status."""
    from many_wolves import families, inference

    model = next(iter(families.get(table.family).models().values()))
    problem = model.problem(
        table,
        literal=options.literal,
        utilities=[u.strip() for u in options.utilities.split(",") if u.strip()],
        cost_form=options.cost_form,
        weights_form=options.weights_form,
        nodes=options.nodes,
    )
    for note in problem.notes:
        click.echo(f"Note: {note}", err=True)
    program = inference.load(problem.program, options.engine, _say)
    settings = inference.Settings(
        chains=options.chains,
        warmup=options.warmup,
        draws=options.draws,
        adapt_delta=options.adapt_delta,
        seed=options.seed,
    )
    done = inference.fit(problem, program, model.parameters, settings, _say)
    inference.save(done, out, _facts(table))
    _print(done, out, options)
    return _status(done.diagnostics.ok, options.allow_unconverged)


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


def _facts(table: ChoiceTable) -> dict[str, Any]:
    return {
        "checks": [asdict(check) for check in table.checks],
        "excluded": table.excluded.to_dict(orient="records"),
        "source": dict(table.meta),
        "command": shlex.join(["wolves", *sys.argv[1:]]),
    }
