"""``wolves design``: choose the next questions by expected information about target parameters."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves.commands.adaptive_options import ABOUT, MOST
from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.options import (
    MODEL,
    VARIANT,
    model_options,
    model_values,
    names_of,
    observations_of,
    table_options,
)
from many_wolves.counting import number_of
from many_wolves.workflows.calls import shown

if TYPE_CHECKING:
    from many_wolves.workflows.design import Design, DesignRequest, Sofar


@wolves_command("design", as_json=True)
@table_options("The answers so far are shipped data")
@model_options()
@MODEL
@VARIANT
@click.option(
    "--trials",
    type=click.Path(path_type=Path),
    default=Path("task-data/compiled/politeness.jsonl"),
    show_default=True,
    help="Questions to choose from, as written by `wolves compile`.",
)
@ABOUT
@click.option("--calls", type=click.IntRange(1), help="Number of calls (default: 64).")
@click.option(
    "--width",
    type=click.FloatRange(0, min_open=True),
    help="Target width of the 95 % intervals, with at most --calls calls (default: 2000).",
)
@MOST
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of the short chains."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the design.")
def command(trials: Path, out: Path | None, **options: Any) -> int:
    """Choose the next questions for a speaker by expected information about target parameters.

    CHOICES contains the answers so far: a table, or the folder of a fit, whose draws are then
    used. Without CHOICES, the design starts from the prior. Prints the questions and the expected
    width of
    each interval before and after them. With --out, writes trials for `wolves collect`.

    Answers to the same prompt are similar, so a new item is usually more informative than a
    replicate.
    """
    from many_wolves.collection import read_trials
    from many_wolves.workflows.design import design
    from many_wolves.workflows.design_files import write

    sofar, request = _request(options)
    found = design(read_trials(trials), request, sofar)
    files = write(found, request, out) if out is not None else []

    def words() -> None:
        _print(found, request)
        for path in files:
            number = path.stem.rpartition("-")[2]
            click.echo(f"wolves collect {shlex.quote(shown(path))} --replicates {number} ...")

    result = {
        "calls": found.calls,
        "reliable": found.reliable,
        "weights": found.weights,
        "questions": found.questions,
        "trials": [str(path) for path in files],
    }
    show(result, words)
    return 0


def _request(options: dict[str, Any]) -> tuple[Sofar | None, DesignRequest]:
    """The design request: the answers so far, and how the questions are chosen."""
    from many_wolves.workflows.design import DesignRequest, Sofar
    from many_wolves.workflows.design_files import of_fit

    sofar = None
    given = model_values(options)
    settings = {"model": options["model"], "variant": options["variant"], "options": given}
    path: Path | None = options["choices"]
    if path is not None and (path / "fit.json").is_file():
        sofar, settings = of_fit(path, options["model"], options["variant"], given)
    elif path is not None or options["data"] is not None:
        sofar = Sofar(observations_of(options))
    request = DesignRequest(
        about=tuple(names_of(options["about"])),
        calls=options["calls"],
        width=options["width"],
        most=options["most"],
        seed=options["seed"],
        **settings,
    )
    return sofar, request


def _print(found: Design, request: DesignRequest) -> None:
    _table(found.weights, lambda x: f"{x:.3f}")
    if not found.calls:
        click.echo("No call is needed: all intervals are narrow enough.")
        return
    click.echo("")
    _table(found.questions, str)
    click.echo(f"{number_of(found.calls, 'call')}, {number_of(len(found.trials), 'prompt')}")
    if request.width is not None and (found.weights["expected_width"] > request.width).any():
        click.echo(f"These calls and trials do not reach the width {request.width:g}.")
    if not found.reliable:
        click.echo(
            "The widths come from short chains that do not agree. Give the folder of a fit "
            "instead of its table."
        )


def _table(frame: Any, number: Any) -> None:
    click.echo(frame.to_string(index=False, float_format=number))
