"""``wolves compile``: what a researcher edits -> trials, and openings of games."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from many_wolves import families
from many_wolves.commands.collecting import say
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.compiled import write_compiled
from many_wolves.families.politeness.compiler import TASKS, Selection, compile_trials

COMPILED = Path("task-data/compiled")
GAMES = "dilemmas"
_OF_GAMES = ("sample", "groups", "partners")
_OF_SCENES = ("items", "goals", "framings", "scale", "utterances", "limit", "orders")


def names(value: str) -> tuple[str, ...]:
    """Names from a list with commas; empty for all."""
    return tuple(name.strip() for name in value.split(",") if name.strip())


@click.command("compile")
@click.option(
    "--task",
    default="all",
    help="choice, literal, or all of politeness; dictator, dilemma, ultimatum, principal, or "
    "dilemmas for all games.",
    show_default=True,
)
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
@click.option("--sample", type=click.IntRange(1), help="Games: so many cells of each, by the seed.")
@click.option("--groups", default="", help="Games: groups of participants, with commas between.")
@click.option("--partners", default="", help="Games: partners, with commas between.")
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="Decides which order meets which scene; which cells are played, and all chance in games.",
)
@click.option(
    "--sources",
    type=click.Path(path_type=Path),
    help="Folder with items.yaml, scales.yaml and utterances.yaml, or games.yaml, "
    "participants.en.yaml and wording.en.yaml; the shipped one when left out.",
)
@click.option(
    "--templates",
    type=click.Path(path_type=Path),
    help="Template file; the one in the folder of sources when left out.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Trials, as JSON lines; their manifest is written beside them. "
    "task-data/compiled/politeness.jsonl, or TASK.jsonl there, when left out.",
)
@click.pass_context
def command(
    ctx: click.Context,
    *,
    task: str,
    items: str,
    goals: str,
    framings: str,
    scale: str,
    utterances: str,
    limit: int | None,
    orders: int,
    sample: int | None,
    groups: str,
    partners: str,
    seed: int,
    sources: Path | None,
    templates: Path | None,
    out: Path | None,
) -> None:
    """Make trials from items and templates, or games from their parameters.

    The order of options is counterbalanced by a Latin square over all trials that
    are compiled together; equal settings give equal bytes. When the sources hold a
    fault, nothing is written.
    """
    if task == GAMES or {family_of(name) for name in names(task)} == {GAMES}:
        _refuse(ctx, _OF_SCENES, f"--task {task}")
        _games(
            () if task == GAMES else names(task),
            out or COMPILED / f"{task}.jsonl",
            groups=names(groups),
            partners=names(partners),
            sample=sample,
            seed=seed,
            sources=sources,
            templates=templates,
        )
        return
    _refuse(ctx, _OF_GAMES, f"--task {task}")
    out = out or COMPILED / "politeness.jsonl"
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


def family_of(task: str) -> str:
    """The family that a task named on the command line belongs to; empty for none."""
    return families.of_task(task).name if task in families.tasks() else ""


def _refuse(ctx: click.Context, options: tuple[str, ...], why: str) -> None:
    """Refuse options that do not belong to what is compiled, rather than leave them out.

    Raises
    ------
    WolvesError
        If one was given.
    """
    for option in options:
        source = ctx.get_parameter_source(option)
        if source is click.core.ParameterSource.COMMANDLINE:
            raise WolvesError(f"--{option} does not belong to {why}", mend="leave it out")


def _games(games: tuple[str, ...], out: Path, **selected: Any) -> None:
    """Write openings of games, and say what they are."""
    from many_wolves.families.dilemmas.compiler import Selection as Games
    from many_wolves.families.dilemmas.compiler import compile_games

    manifest = compile_games(Games(games=games, **selected), out)
    click.echo(f"{manifest['trials']} games in {out}")
    for name in dict.fromkeys(cell["task"] for cell in manifest["cells"]):
        counts = [cell["trials"] for cell in manifest["cells"] if cell["task"] == name]
        click.echo(f"  {name}: {sum(counts)}")
    for name, values in manifest["asked_with"].items():
        told = ", ".join(f"{value:g}" for value in values)
        say(f"`wolves collect` asks with {name} {told} where it is not told otherwise.")
    click.echo(f"manifest in {out.with_name(out.stem + '.manifest.json')}")
