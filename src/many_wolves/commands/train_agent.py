"""``wolves train-agent``: train a player by reinforcement against simulated players."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from many_wolves import families
from many_wolves.commands.command import command as wolves_command
from many_wolves.commands.command import show
from many_wolves.errors import WolvesError
from many_wolves.experiments import TrainingFamily, TrainingRequest


@wolves_command("train-agent", as_json=True)
@click.argument("role")
@click.option(
    "--against",
    metavar="ROLE=FILE",
    multiple=True,
    help="JSON file of a simulated player for the other seats of a role (default: truthful). "
    "Several files for one role take its seats in turn.",
)
@click.option(
    "--mechanism",
    type=click.Choice(["harberger", "futarchy", "voting"]),
    default="harberger",
    show_default=True,
    help="Mechanism of the sessions.",
)
@click.option(
    "--rules",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YAML file with parameters of the rules that differ from the defaults.",
)
@click.option("--final-tax", type=float, help="Tax rate on the final declaration (default: 0.33).")
@click.option("--ticks", type=click.IntRange(0), help="Turns per seat in the market of a round.")
@click.option(
    "--place",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Number of the seat within the role, counted from 1.",
)
@click.option(
    "--steps",
    type=click.IntRange(1_000),
    default=100_000,
    show_default=True,
    help="Number of decisions of the learner in training.",
)
@click.option(
    "--sessions",
    type=click.IntRange(20),
    default=200,
    show_default=True,
    help="Number of evaluation sessions, none of which is used in training.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the training.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the player (default: agents/ROLE-MECHANISM).",
)
def command(
    *,
    role: str,
    against: tuple[str, ...],
    mechanism: str,
    rules: Path | None,
    final_tax: float | None,
    ticks: int | None,
    place: int,
    steps: int,
    sessions: int,
    seed: int,
    out: Path | None,
) -> None:
    """Train a player for one seat by reinforcement learning, in sessions with simulated players.

    ROLE is owner, developer or speculator. The player is compared with a truthful one in the same
    seat. Without a market (--ticks 0), it is also compared with the best reply. It is called an
    exploiter if it reaches 95 % of the gain of the best reply. The file speaker.json in its
    folder lets it play on any engine: `wolves collect --seat ROLE=FOLDER/speaker.json`. Resumes
    after an interrupt. Needs the extra `exploiters`.
    """
    from many_wolves.progress import bar

    given = {"mechanism": mechanism, "rules": rules, "final_tax": final_tax, "ticks": ticks}
    request = TrainingRequest(
        role=role,
        cast=_cast(against),
        design={name: value for name, value in given.items() if value is not None},
        place=place - 1,
        steps=steps,
        sessions=sessions,
        seed=seed,
    )
    folder = out or Path("agents") / f"{role}-{mechanism}"
    with bar("decisions") as advance:
        done = _family().train_agent(request, folder, advance)
    show(done, lambda: _print(done))


def _print(done: Mapping[str, Any]) -> None:
    for sentence in done["sentences"]:
        click.echo(sentence)
    click.echo(f"let it play with --seat {done['about']['role']}={done['speaker']}")


def _family() -> TrainingFamily:
    for family in families.loadable():
        if isinstance(family, TrainingFamily):
            return family
    raise WolvesError("no task family can train players", fix="install many-wolves again")


def _cast(against: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Parameters of simulated players by role, from ``ROLE=FILE``."""
    from many_wolves.workflows.seats import speaker_of_file

    found: dict[str, list[Mapping[str, Any]]] = {}
    for words in against:
        role, _, file = words.partition("=")
        if not role or not file:
            raise WolvesError(
                f"expected ROLE=FILE.json, found {words!r}", fix="--against owner=low_baller.json"
            )
        speaker = speaker_of_file(Path(file))
        if speaker.provider != "simulated":
            raise WolvesError(
                f"expected a simulated player, found the speaker {speaker.provider!r}",
                where=file,
                fix="training plays thousands of sessions: use a strategy, or `modelled` with the "
                "parameters of a fit of the model",
            )
        found.setdefault(role, []).append(speaker.parameters)
    return found
