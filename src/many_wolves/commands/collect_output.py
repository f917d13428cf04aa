"""Messages of ``wolves collect``, and its records other than answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from many_wolves.collection import Collected, explain, make_plan, other_settings, peek
from many_wolves.collection.running import MOST_ATTEMPTS
from many_wolves.errors import WolvesError
from many_wolves.files import read_json_object, write_atomic
from many_wolves.records import SCHEMA, SpeakerSpec, Trial
from many_wolves.speakers.checkpoints import position
from many_wolves.speakers.cost import estimate, find_price
from many_wolves.speakers.effort import BUDGETS
from many_wolves.speakers.speaker_request import SpeakerRequest

OK, FAILED, INTERRUPTED = 0, 1, 130
"""Exit statuses; the larger one counts where there are several speakers."""


class LoadError(WolvesError):
    """A speaker that cannot be described or loaded; the others may."""


def loading[T](load: Callable[[], T]) -> T:
    """What ``load`` gives; its error becomes a ``LoadError``.

    Raises
    ------
    LoadError
        If the speaker cannot be had.
    """
    try:
        return load()
    except WolvesError as error:
        raise LoadError(
            error.problem, where=error.where or None, line=error.line, fix=error.fix
        ) from error


def say(text: str) -> None:
    """A notice to the user, apart from what the command prints."""
    click.echo(text, err=True)


def read_parameters(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises
    ------
    WolvesError
        If there is none.
    """
    return read_json_object(
        path, 'write an object such as {"alpha": 4.5, "cost": 2.6, "weights": {...}}'
    )


def family_of(named: list[str]) -> str:
    """The one family that trials name.

    Raises
    ------
    WolvesError
        If there are several.
    """
    found = sorted(set(named))
    if len(found) > 1:
        raise WolvesError(
            f"expected trials of one task family, found {', '.join(found)}",
            fix="collect each family in a separate run",
        )
    return found[0]


def check_folder(several: list[SpeakerRequest], out: Path) -> None:
    """Reject one journal for several speakers.

    Raises
    ------
    WolvesError
        If the output is one journal and there are several speakers.
    """
    if len(several) > 1 and out.suffix == ".jsonl":
        raise WolvesError(
            f"expected a folder for {len(several)} speakers, found one journal",
            where=out,
            fix="give a folder with --out: each speaker has a separate journal",
        )


def tell(
    trials: list[Trial],
    replicates: int,
    spec: SpeakerSpec,
    journal: Path,
    wanted: SpeakerRequest,
    *,
    explained: bool,
) -> None:
    """Print the number of questions to one speaker, and their cost."""
    entries = peek(journal)
    if explained:
        for line in explain(trials, replicates, spec, entries):
            click.echo(line)
        for line in other_settings(journal, spec):
            click.echo(line)
    plan = make_plan(trials, replicates, spec, entries)
    click.echo(f"speaker  {spec.name}")
    at = position(spec.revision)
    if at.step is not None or at.tokens is not None:
        click.echo(f"training step {at.step}, tokens {at.tokens}")
    click.echo(f"journal  {journal}")
    for status, n in sorted(plan.known.items()):
        click.echo(f"{n:12d} {status}")
    thought = (
        spec.thinking_tokens if spec.thinking_tokens is not None else BUDGETS.get(spec.effort, 0)
    )
    asked = estimate([r.trial for r in plan.ask], mode=spec.mode, thought=thought)
    click.echo(f"{asked.calls:12d} calls to make")
    click.echo(f"{asked.input:12.0f} input tokens, about")
    most = "at most about" if thought else "about"
    click.echo(f"{asked.output:12.0f} output tokens, {most}")
    price = find_price(spec, wanted.prices)
    if price is None:
        click.echo(
            "     unknown US dollars: this model is missing in the table of prices (--prices FILE)"
        )
        return
    money = price.of(asked.input, asked.output, batch=wanted.batch)
    remark = f" ({price.remark})" if price.remark else ""
    click.echo(f"{money:12.2f} US dollars, about{remark}")


def conclude(done: Collected, spec: SpeakerSpec) -> int:
    """Print where the answers are, and how it ended; the exit status."""
    if not done.asked and not done.halted:
        say(f"{spec.name}: nothing to ask, all {sum(done.known.values())} answers exist.")
    failed = done.asked.get("failed", 0)
    click.echo(done.journal)
    if done.halted:
        say(f"{done.why or 'Stopped before the end'}. Run the same command again to resume.")
        return FAILED if done.why else INTERRUPTED
    if failed:
        say(f"{failed} answers failed; run the same command again to retry them.")
        return FAILED
    if done.given_up:
        say(
            f"{_sessions(done.given_up)} lost {MOST_ATTEMPTS} times by the server. "
            "Run the same command again for further attempts; answers are kept."
        )
    if done.broken:
        say(
            f"{_sessions(done.broken)} not played to the end, for the reasons above. "
            "Run the same command again to resume."
        )
    return FAILED if done.given_up or done.broken else OK


def _sessions(number: int) -> str:
    return f"{number} sessions were" if number > 1 else "1 session was"


def record_fault(fault: LoadError, wanted: SpeakerRequest, out: Path, family: str) -> None:
    """Write down that a checkpoint could not be loaded, and print it."""
    path = _fault_file(wanted, out, family)
    record = {
        "schema": SCHEMA,
        "provider": wanted.provider,
        "model": wanted.model,
        "revision": wanted.revision,
        **asdict(position(wanted.revision)),
        "error": str(fault),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_atomic(path, json.dumps(record, indent=2) + "\n")
    say(f"{wanted.revision}: {fault}\n  Recorded in {path}; the others continue.")


def forget_fault(wanted: SpeakerRequest, out: Path, family: str) -> None:
    """Remove the record of an earlier fault: the checkpoint was asked."""
    _fault_file(wanted, out, family).unlink(missing_ok=True)


def _fault_file(wanted: SpeakerRequest, out: Path, family: str) -> Path:
    slug = SpeakerSpec(wanted.provider, wanted.model, wanted.revision, mode=wanted.mode).slug
    return out / family / f"{slug.rpartition('-')[0]}.load-error.json"
