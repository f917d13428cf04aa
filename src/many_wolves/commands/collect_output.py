"""Messages of ``wolves collect``, and its exit statuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from many_wolves.collection import Collected, explain, make_plan, other_settings, peek
from many_wolves.collection.runner import MOST_ATTEMPTS
from many_wolves.commands.command import Results
from many_wolves.commands.dry_run import tell as tell_games
from many_wolves.counting import number_of
from many_wolves.progress import log
from many_wolves.speakers.checkpoints import position
from many_wolves.speakers.cost import estimate, find_price, size_of
from many_wolves.speakers.effort import BUDGETS
from many_wolves.speakers.speaker_request import SpeakerRequest
from many_wolves.store.journal_lines import read_journal
from many_wolves.workflows.collect import Games, Vignettes
from many_wolves.workflows.load_faults import LoadError

_MOST_ERRORS = 3
"""Number of different errors of failed answers that are printed."""
OK, FAILED, INTERRUPTED = 0, 1, 130
"""Exit statuses; with several speakers, the largest one is returned."""


def say(text: str) -> None:
    """Show a notice for the user; ``--quiet`` hides it."""
    log.info("%s", text)


def warn(text: str) -> None:
    """Show a warning for the user."""
    log.warning("%s", text)


def act(dry_run: bool, explained: bool, results: Results) -> Callable[[Vignettes | Games], int]:
    """The action for each speaker: ask it, or show what would be asked."""

    def do(asked: Vignettes | Games) -> int:
        if dry_run or explained:
            if isinstance(asked, Games):
                tell_games(asked, results, explained=explained)
            else:
                tell(asked, results, explained=explained)
            return OK
        return conclude(asked.ask(warn), asked, results)

    return do


def failing(results: Results) -> Callable[[SpeakerRequest, LoadError, Path], int]:
    """The action for a checkpoint that could not be loaded."""

    def failed(wanted: SpeakerRequest, fault: LoadError, path: Path) -> int:
        warn(f"{wanted.revision}: {fault}\n  Recorded in {path}; the others continue.")
        results.add({"revision": wanted.revision, "error": str(fault)}, lambda: None)
        return FAILED

    return failed


def interrupted(status: int) -> bool:
    """Whether the command stops before the next speaker."""
    return status == INTERRUPTED


def tell(vignettes: Vignettes, results: Results, *, explained: bool) -> None:
    """Show the number of questions for one speaker, and their cost."""
    trials, replicates, spec = vignettes.trials, vignettes.replicates, vignettes.spec
    journal, wanted = vignettes.journal, vignettes.wanted
    entries = peek(journal)
    lines = []
    if explained:
        lines = [*explain(trials, replicates, spec, entries), *other_settings(journal, spec)]
    plan = make_plan(trials, replicates, spec, entries)
    at = position(spec.revision)
    thought = (
        spec.thinking_tokens if spec.thinking_tokens is not None else BUDGETS.get(spec.effort, 0)
    )
    asked = estimate([size_of(r.trial) for r in plan.ask], mode=spec.mode, thought=thought)
    price = find_price(spec, wanted.prices)
    money = price.of(asked.input, asked.output, batch=wanted.batch) if price else None

    def words() -> None:
        for line in lines:
            click.echo(line)
        click.echo(f"speaker  {spec.name}")
        if at.step is not None or at.tokens is not None:
            click.echo(f"training step {at.step}, tokens {at.tokens}")
        click.echo(f"journal  {journal}")
        for status, n in sorted(plan.known.items()):
            click.echo(f"{n:12d} {status}")
        click.echo(f"{asked.calls:12d} calls to make")
        click.echo(f"{asked.input:12.0f} input tokens, about")
        most = "at most about" if thought else "about"
        click.echo(f"{asked.output:12.0f} output tokens, {most}")
        if price is None or money is None:
            click.echo(
                "     unknown US dollars: this model is missing in the table of prices "
                "(--prices FILE)"
            )
            return
        remark = f" ({price.remark})" if price.remark else ""
        click.echo(f"{money:12.2f} US dollars, about{remark}")

    found: dict[str, Any] = {
        "speaker": spec.name,
        "journals": [journal],
        "known": dict(plan.known),
        "calls": asked.calls,
        "input_tokens": asked.input,
        "output_tokens": asked.output,
        "dollars": money,
    }
    results.add(found | ({"trials": lines} if explained else {}), words)


def conclude(done: Collected, asked: Vignettes | Games, results: Results) -> int:
    """Show where the answers are and how the collection ended; return the exit status."""
    journals = asked.journals if isinstance(asked, Games) else (done.journal,)
    if isinstance(asked, Games):
        _tell_unread(done)
    if not done.asked and not done.halted:
        say(f"{asked.spec.name}: nothing to ask, all {sum(done.known.values())} answers exist.")
    found: dict[str, Any] = {
        "speaker": asked.spec.name,
        "journals": journals,
        "asked": dict(done.asked),
        "known": dict(done.known),
        "halted": done.halted,
        "lost_sessions": done.given_up,
        "open_sessions": done.broken,
    }

    def words() -> None:
        for journal in (*journals[1:], done.journal):
            click.echo(journal)

    results.add(found, words)
    return _status(done, journals)


def _status(done: Collected, journals: Sequence[Path]) -> int:
    """The exit status of a collection, after its faults were printed."""
    failed = done.asked.get("failed", 0)
    if done.halted:
        warn(f"{done.why or 'Stopped early'}. Run the same command again to resume.")
        return FAILED if done.why else INTERRUPTED
    if failed:
        warn(f"{number_of(failed, 'answer')} failed; run the same command again to retry.")
        _tell_failures(journals)
        return FAILED
    if done.given_up:
        warn(
            f"{_sessions(done.given_up)} lost {MOST_ATTEMPTS} times by the server. "
            "Run the same command again for further attempts; answers are kept."
        )
    if done.broken:
        warn(
            f"{_sessions(done.broken)} not completed, for the reasons above. "
            "Run the same command again to resume."
        )
    return FAILED if done.given_up or done.broken else OK


def _tell_failures(journals: Sequence[Path]) -> None:
    """Print the most frequent errors of the answers that failed."""
    found = (response for file in journals for response in read_journal(file).responses)
    newest = {response.key: response for response in found}
    errors = Counter(one.error for one in newest.values() if one.status == "failed")
    for error, n in errors.most_common(_MOST_ERRORS):
        warn(f"{n} failed: {error}")
    if len(errors) > _MOST_ERRORS:
        warn(f"{number_of(len(errors) - _MOST_ERRORS, 'other error')} in the journal")


def _tell_unread(done: Collected) -> None:
    """Print how many answers could not be read."""
    unread = {s: n for s, n in done.asked.items() if s in ("unparsed", "refused", "empty")}
    if unread:
        told = ", ".join(f"{n} {status}" for status, n in sorted(unread.items()))
        warn(f"{sum(unread.values())} answers could not be read: {told}.")


def _sessions(number: int) -> str:
    return f"{number} sessions were" if number > 1 else "1 session was"
