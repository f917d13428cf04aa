"""Messages of ``wolves collect``, and its exit statuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from many_wolves.collection import Collected, explain, make_plan, other_settings, peek
from many_wolves.collection.running import MOST_ATTEMPTS
from many_wolves.commands.dry_run import tell as tell_games
from many_wolves.counting import number_of
from many_wolves.speakers.checkpoints import position
from many_wolves.speakers.cost import estimate, find_price
from many_wolves.speakers.effort import BUDGETS
from many_wolves.speakers.speaker_request import SpeakerRequest
from many_wolves.store.journal_lines import read_journal
from many_wolves.workflows.collecting import Games, Vignettes
from many_wolves.workflows.loading import LoadError

_MOST_ERRORS = 3
"""Number of different errors of failed answers that are printed."""
OK, FAILED, INTERRUPTED = 0, 1, 130
"""Exit statuses; with several speakers, the largest one is returned."""


def say(text: str) -> None:
    """Print a notice for the user to standard error."""
    click.echo(text, err=True)


def act(dry_run: bool, explained: bool) -> Callable[[Vignettes | Games], int]:
    """The action for each speaker: ask it, or print what would be asked."""

    def do(asked: Vignettes | Games) -> int:
        if dry_run or explained:
            if isinstance(asked, Games):
                tell_games(asked, explained=explained)
            else:
                tell(asked, explained=explained)
            return OK
        return conclude(asked.ask(say), asked)

    return do


def failed(wanted: SpeakerRequest, fault: LoadError, path: Path) -> int:
    """Print that a checkpoint could not be loaded; return the exit status."""
    say(f"{wanted.revision}: {fault}\n  Recorded in {path}; the others continue.")
    return FAILED


def interrupted(status: int) -> bool:
    """Whether the command stops before the next speaker."""
    return status == INTERRUPTED


def tell(vignettes: Vignettes, *, explained: bool) -> None:
    """Print the number of questions for one speaker, and their cost."""
    trials, replicates, spec = vignettes.trials, vignettes.replicates, vignettes.spec
    journal, wanted = vignettes.journal, vignettes.wanted
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


def conclude(done: Collected, asked: Vignettes | Games) -> int:
    """Print where the answers are and how the collection ended; return the exit status."""
    if isinstance(asked, Games):
        _tell_unread(done, asked)
    if not done.asked and not done.halted:
        say(f"{asked.spec.name}: nothing to ask, all {sum(done.known.values())} answers exist.")
    failed = done.asked.get("failed", 0)
    click.echo(done.journal)
    if done.halted:
        say(f"{done.why or 'Stopped early'}. Run the same command again to resume.")
        return FAILED if done.why else INTERRUPTED
    if failed:
        say(f"{number_of(failed, 'answer')} failed; run the same command again to retry.")
        _tell_failures(asked.journals if isinstance(asked, Games) else (done.journal,))
        return FAILED
    if done.given_up:
        say(
            f"{_sessions(done.given_up)} lost {MOST_ATTEMPTS} times by the server. "
            "Run the same command again for further attempts; answers are kept."
        )
    if done.broken:
        say(
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
        say(f"{n} failed: {error}")
    if len(errors) > _MOST_ERRORS:
        say(f"{number_of(len(errors) - _MOST_ERRORS, 'other error')} in the journal")


def _tell_unread(done: Collected, asked: Games) -> None:
    """Print the journals of further speakers, and how many answers could not be read."""
    for journal in asked.journals[1:]:
        click.echo(journal)
    unread = {s: n for s, n in done.asked.items() if s in ("unparsed", "refused", "empty")}
    if unread:
        told = ", ".join(f"{n} {status}" for status, n in sorted(unread.items()))
        say(f"{sum(unread.values())} answers could not be read: {told}.")


def _sessions(number: int) -> str:
    return f"{number} sessions were" if number > 1 else "1 session was"
