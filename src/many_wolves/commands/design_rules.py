"""``wolves design-rules``: rules of an experiment that serve several objectives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from many_wolves import families
from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.errors import WolvesError
from many_wolves.experiments import RuleSearchFamily

if TYPE_CHECKING:
    import pandas as pd

_WORDS = {"trials": "trials", "again": "rules with fresh seeds"}


@wolves_command("design-rules", as_json=True)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder of the results (default: rules/FILE)."
)
@click.option(
    "--max-cost",
    type=click.FloatRange(0),
    help="Maximum cost of the language models in FILE, in US dollars, over all rules.",
)
def command(*, file: Path, out: Path | None, max_cost: float | None) -> None:
    """Search for rules that serve several objectives, with simulated players.

    FILE lists the parameters with their ranges, the objectives and the players. The table shows
    the Pareto front and the published rules. The 95 % intervals are over sessions. All rules
    in it are played again with fresh seeds, because the best of many candidates are partly lucky.
    Language models in FILE then play the best rules. Resumes after an interrupt. Needs the
    extra `rules`.
    """
    folder = out or Path("rules") / file.stem
    family = _family()
    with _shown() as advance:
        found = family.design_rules(file, folder, advance)
    models = None
    if found["models"]:
        from many_wolves.workflows.rule_play import play_models

        models = play_models(family, found, folder, max_cost)
    result = {"folder": folder, "pareto": found["pareto"], "models": models}
    show(result, lambda: _print(found, models, folder))


@contextmanager
def _shown() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar for each part of the work, one after the other."""
    from many_wolves.progress import bar

    with ExitStack() as stack:
        shown: dict[str, Callable[[int, int], None]] = {}

        def advance(part: str, done: int, of: int) -> None:
            if part not in shown:
                stack.close()
                shown[part] = stack.enter_context(bar(_WORDS[part]))
            shown[part](done, of)

        yield advance


def _print(found: Mapping[str, Any], models: pd.DataFrame | None, folder: Path) -> None:
    table, objectives = found["pareto"], found["objectives"]
    click.echo("With the seeds of the search:")
    click.echo(_table(table, found["search"], objectives, ""))
    click.echo("\nWith fresh seeds:")
    click.echo(_table(table, found["search"], objectives, "fresh_"))
    click.echo("\nDifference from the published rules, in the same sessions:")
    click.echo(_table(table, (), objectives, "gain_"))
    if models is not None:
        click.echo("\nPlayed by language models:")
        known = [name for name in objectives if name in models]
        click.echo(_table(models, (), known, ""))
    click.echo(f"\nWritten to {folder}")


def _table(table: pd.DataFrame, search: Any, objectives: Any, before: str) -> str:
    shown = table[["rules", "mechanism", *search]].copy()
    for name in search:
        shown[name] = shown[name].map("{:.4g}".format)
    for name in objectives:
        columns = [f"{before}{name}{end}" for end in ("", "_low", "_high")]
        shown[name] = [
            f"{_short(mean)} [{_short(low)}, {_short(high)}]"
            for mean, low, high in table[columns].itertuples(index=False)
        ]
    text: str = shown.to_string(index=False)
    return text


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"


def _family() -> RuleSearchFamily:
    for family in families.loadable():
        if isinstance(family, RuleSearchFamily):
            return family
    raise WolvesError("no task family can search for rules", fix="install many-wolves again")
