"""Ask what is missing, and write each answer down."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from many_wolves.collection.episode_index import TurnJournal
from many_wolves.collection.interrupt import halting
from many_wolves.collection.journal import Journal
from many_wolves.collection.plan import make_plan
from many_wolves.collection.progress import Progress
from many_wolves.collection.running import Runner
from many_wolves.collection.speaking import Seat
from many_wolves.contracts import Reading
from many_wolves.records import Question, Response, SpeakerSpec, Trial
from many_wolves.speakers import Speaker
from many_wolves.store.journal_lines import SESSIONS
from many_wolves.worlds import SPEAKER, Episode, EpisodicWorld, World, one_turn

Reader = Callable[[Question, str], Reading]
"""A family's reader: the question, and the text that answers it."""

AT_ONCE = 1000
"""Episodes under way at once, if nothing else is said."""
_VIGNETTES_AT_ONCE = 10_000
"""A local speaker sorts so many prompts together, so that neighbours share their beginnings."""


@dataclass(frozen=True)
class Collected:
    """What a collection came to.

    Parameters
    ----------
    journal
        Where the answers are.
    asked
        Answers by status, of this run.
    known
        Requests by what was known of them before.
    halted
        Whether it ended before everything was asked.
    why
        What ended it, where it was not the user.
    given_up
        Sessions that their server forgot in every attempt of this run.
    broken
        Sessions that stopped before their end: an answer failed, or the experiment did.
    """

    journal: Path
    asked: Mapping[str, int]
    known: Mapping[str, int]
    halted: bool = False
    why: str = ""
    given_up: int = 0
    broken: int = 0


def collect(
    trials: Sequence[Trial],
    *,
    replicates: int | Mapping[str, int],
    spec: SpeakerSpec,
    open_speaker: Callable[[], Speaker],
    reader: Reader,
    journal: Path,
    say: Callable[[str], None],
    show: Callable[[str], None] | None = None,
) -> Collected:
    """Ask one speaker every trial that its journal lacks.

    Parameters
    ----------
    trials, replicates
        What is asked: every trial, ``replicates`` times; or as often as given by its id.
    spec
        Who answers.
    open_speaker
        Makes the speaker (loads weights, opens connections); called only when
        something is to be asked.
    reader
        Reads a value from what was sampled.
    journal
        Its file.
    say
        Takes notices in words.
    show
        Takes the progress in words (default: stderr).

    Raises
    ------
    WolvesError
        If the journal cannot be written or is in use, or the speaker cannot answer at
        all. Answers that came before are in the journal.
    KeyboardInterrupt
        At the second interrupt.
    """
    with Journal(journal, spec, say) as book:
        plan = make_plan(trials, replicates, spec, book.entries)
        if not plan.ask:
            return Collected(journal, {}, plan.known)

        def opened(name: str) -> Speaker:
            speaker = open_speaker()
            book.forget(plan.again)
            return speaker

        runner = Runner(
            (Episode(request.trial, request.replicate, {SPEAKER: spec}) for request in plan.ask),
            EpisodicWorld(one_turn),
            {SPEAKER: spec.slug},
            {spec.slug: book},
            known=lambda episode: {},
            open_speaker=opened,
            settle=lambda response: read_value(response, reader),
            at_once=_VIGNETTES_AT_ONCE,
        )
        runner.begin()
        progress = Progress(len(plan.ask), show=show)
        _run(runner, progress, say)
        halted = progress.counts.total() < len(plan.ask)
        return Collected(journal, progress.counts, plan.known, halted, runner.why)


def play(
    episodes: Iterable[Episode],
    *,
    seats: Mapping[str, Seat],
    world: World,
    reader: Reader,
    say: Callable[[str], None],
    at_once: int = AT_ONCE,
    total: int | None = None,
    show: Callable[[str], None] | None = None,
) -> Collected:
    """Lead every episode from its last answer to its end.

    All turns that are open are asked. What opens while a local speaker answers is its next
    batch, and new episodes take the places of those that ended.

    Parameters
    ----------
    episodes
        What is asked; read as they are begun.
    seats
        Who answers, by the names of ``Episode.seats``.
    world
        Where the questions come from; closed at the end.
    reader
        Reads a value from what was sampled. Of a choice that was scored, an option is drawn
        from the probabilities.
    say
        Takes notices in words.
    at_once
        Episodes under way at once; nothing is remembered of those that have ended.
    total
        Number of episodes, for the progress that is shown.
    show
        Takes the progress in words (default: stderr).

    Raises
    ------
    WolvesError
        If a journal cannot be written or is in use, or a speaker cannot answer at all.
        Answers that came before are in the journals.
    KeyboardInterrupt
        At the second interrupt.
    """
    names = {seat: who.spec.slug for seat, who in seats.items()}
    distinct = {who.spec.slug: who for who in seats.values()}
    first = next(iter(seats.values())).journal
    with ExitStack() as stack:
        stack.callback(world.close)
        books = {
            name: stack.enter_context(TurnJournal(who.journal, who.spec, say))
            for name, who in distinct.items()
        }

        def opened(name: str) -> Speaker:
            speaker = distinct[name].open_speaker()
            books[name].forget(list(books[name].entries))
            return speaker

        def known(episode: Episode) -> Mapping[str, Response]:
            found: dict[str, Response] = {}
            for name in dict.fromkeys(names[seat] for seat in episode.seats):
                found |= books[name].answers(episode.id, episode.replicate)
            return found

        runner = Runner(
            episodes,
            world,
            names,
            books,
            known,
            opened,
            lambda response: settled(response, reader),
            at_once,
            first.parent / SESSIONS if world.remote else None,
        )
        runner.begin()
        progress = Progress(None, beside=lambda: _ended(runner.over, total), show=show)
        if runner.live:
            _run(runner, progress, say)
        known_before = {"answered": runner.met}
        return Collected(
            first,
            progress.counts,
            known_before,
            runner.live,
            runner.why,
            runner.given_up,
            runner.broken,
        )


def read_value(response: Response, reader: Reader) -> Response:
    """The response with the value that its text gives, where it is a text to read."""
    if response.scores or response.status != "answered":
        return response
    value, status = reader(response, response.text)
    return replace(response, value=value, status=status)


def settled(response: Response, reader: Reader) -> Response:
    """The response with its value: read from its text, or drawn from its scores.

    The draw depends on the speaker's seed, the trial and the replicate, on nothing else.
    """
    if not response.scores or response.status != "answered":
        return read_value(response, reader)
    highest = max(score.logprob for score in response.scores)
    weights = [math.exp(score.logprob - highest) for score in response.scores]
    seed = response.speaker.seed + response.replicate
    chance = random.Random(f"{seed}:{response.trial_id}:choice")
    (score,) = chance.choices(response.scores, weights)
    return replace(response, value=score.option)


def _run(runner: Runner, progress: Progress, say: Callable[[str], None]) -> None:
    """Run with progress shown, until the end or an interrupt."""
    try:
        with halting(say, runner.halt):
            runner.run(progress)
    finally:
        progress.finish()


def _ended(over: int, total: int | None) -> str:
    """How many episodes have ended, in words."""
    return f"{over}{'' if total is None else f'/{total}'} episodes ended"
