"""``wolves compile``: make trials and openings of games from sources that a researcher edits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from many_wolves import families
from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.commands.fields import field_options, given
from many_wolves.commands.options import names_of
from many_wolves.contracts import Design
from many_wolves.flags import flag
from many_wolves.records import Trial

COMPILED = Path("task-data/compiled")
ALL = "all"
"""All tasks of the default family."""
_LEFT_OUT = ("tasks",)
"""Fields of designs that ``--task`` sets."""


def _designs() -> dict[str, type[Design]]:
    """The designs of all tasks by name: that of the family where its tasks share one design."""
    found = families.designs()
    shared: dict[str, type[Design]] = {}
    for (family, task), design in found.items():
        alike = {d for (other, _), d in found.items() if other == family} == {design}
        shared[family if alike else task] = design
    return shared


_DESIGNS = _designs()
_FIELDS = tuple(
    dict.fromkeys(f for d in _DESIGNS.values() for f in d.model_fields if f not in _LEFT_OUT)
)


@wolves_command("compile", as_json=True)
@click.option(
    "--task",
    default=ALL,
    show_default=True,
    metavar="NAME",
    help="A task, a part of one (for politeness, choice or literal), several separated by commas, "
    "or a task family for all its tasks. Tasks: " + ", ".join(families.tasks()) + ".",
)
@field_options(_DESIGNS, leave_out=_LEFT_OUT, owner="of")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Trials, as JSON lines; their manifest is written to the same folder. "
    "Default: task-data/compiled/politeness.jsonl, or TASK.jsonl there.",
)
@click.option(
    "--show",
    "preview",
    metavar="N",
    type=click.IntRange(1),
    help="Print N prompts of each kind as the model receives them; write nothing.",
)
def command(*, task: str, out: Path | None, preview: int | None, **values: Any) -> None:
    """Make trials from items and templates, or games from their parameters.

    The order of options is counterbalanced by a Latin square over all trials that
    are compiled together. Equal settings give equal bytes. If the sources contain an
    error, nothing is written.
    """
    from many_wolves.progress import log
    from many_wolves.workflows.compile import manifest_of, prompts, request, write_trials

    names = (families.DEFAULT,) if task == ALL else names_of(task)
    wanted = request(names, given(values, _FIELDS), flag)
    if preview is not None:
        found = list(prompts(wanted, preview))
        show({"prompts": [trial.to_json() for trial in found]}, lambda: _print_prompts(found))
        return
    own = families.DEFAULT if wanted.family == families.DEFAULT else task
    target = out or COMPILED / f"{own}.jsonl"
    manifest = write_trials(wanted, target)
    for name, told in dict(manifest.get("asked_with", {})).items():
        log.info(
            "`wolves collect` uses %s %s by default for these trials.",
            name,
            ", ".join(f"{value:g}" for value in told),
        )
    show(
        {"file": target, "manifest": manifest_of(target), "trials": manifest["trials"]},
        lambda: _print(manifest, target, manifest_of(target)),
    )


def _print_prompts(trials: Sequence[Trial]) -> None:
    """Print each message below a line with its role."""
    for number, trial in enumerate(trials, start=1):
        cell = " ".join(f"{name}={value}" for name, value in trial.cell.items())
        click.echo(f"--- {number}: {trial.task} {cell}"[:200])
        for message in trial.messages:
            click.echo(f"[{message.role}]\n{message.content}\n")


def _print(manifest: Mapping[str, Any], out: Path, beside: Path) -> None:
    click.echo(f"{manifest['trials']} trials in {out}")
    for name in dict.fromkeys(cell["task"] for cell in manifest["cells"]):
        cells = [cell["trials"] for cell in manifest["cells"] if cell["task"] == name]
        each = f"{min(cells)}" if min(cells) == max(cells) else f"{min(cells)} to {max(cells)}"
        click.echo(f"  {name}: {sum(cells)} in {len(cells)} cells, {each} per cell")
    if beside.exists():
        click.echo(f"manifest in {beside}")
