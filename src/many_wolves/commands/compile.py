"""``wolves compile``: items, scales, utterances and templates -> trials."""

from __future__ import annotations

from pathlib import Path

import click

from many_wolves.families.politeness.compiled import write_compiled
from many_wolves.families.politeness.compiler import TASKS, Selection, compile_trials

DEFAULT = Path("task-data/compiled/politeness.jsonl")


def names(value: str) -> tuple[str, ...]:
    """Names from a list with commas; empty for all."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


@click.command("compile")
@click.option("--task", default="all", help="choice, literal, or all.", show_default=True)
@click.option("--items", default="", help="Items, with commas between; all when left out.")
@click.option("--goals", default="", help="Goals, with commas between; all when left out.")
@click.option("--framings", default="", help="Framings, with commas between; all when left out.")
@click.option("--scale", default="hearts", show_default=True, help="Scale in scales.yaml.")
@click.option(
    "--utterances", default="eight", show_default=True, help="Set of utterances in utterances.yaml."
)
@click.option(
    "--limit",
    type=int,
    help="At most N trials of each task, taken evenly from its cells and items.",
)
@click.option(
    "--orders",
    type=int,
    default=1,
    show_default=True,
    help="Orders of options for each scene, all different (at most as many as options).",
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Decides which order meets which scene."
)
@click.option(
    "--sources",
    type=click.Path(path_type=Path),
    help="Folder with items.yaml, scales.yaml and utterances.yaml; the shipped one when left out.",
)
@click.option(
    "--templates",
    type=click.Path(path_type=Path),
    help="Template file; templates.en.yaml in the folder of sources when left out.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=DEFAULT,
    show_default=True,
    help="Trials, as JSON lines; their manifest is written beside them.",
)
def command(
    *,
    task: str,
    items: str,
    goals: str,
    framings: str,
    scale: str,
    utterances: str,
    limit: int | None,
    orders: int,
    seed: int,
    sources: Path | None,
    templates: Path | None,
    out: Path,
) -> None:
    """Make trials from items and templates.

    The order of options is counterbalanced by a Latin square over all trials that
    are compiled together; equal settings give equal bytes. When the sources hold a
    fault, nothing is written.
    """
    compiled = compile_trials(
        Selection(
            tasks=TASKS if task == "all" else names(task),
            items=names(items),
            goals=names(goals),
            framings=names(framings),
            scale=scale,
            utterances=utterances,
            limit=limit,
            orders=orders,
            seed=seed,
            sources=sources,
            templates=templates,
        )
    )
    manifest = write_compiled(compiled, out)
    click.echo(f"{len(compiled.trials)} trials in {out}")
    for name in dict.fromkeys(trial.task for trial in compiled.trials):
        cells = [cell["trials"] for cell in compiled.manifest["cells"] if cell["task"] == name]
        each = f"{min(cells)}" if min(cells) == max(cells) else f"{min(cells)} to {max(cells)}"
        click.echo(f"  {name}: {sum(cells)} in {len(cells)} cells, {each} in each")
    click.echo(f"manifest in {manifest}")
