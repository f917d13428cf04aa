"""Collects missing answers, and writes each to the journal."""

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
from many_wolves.collection.runner import Runner
from many_wolves.collection.speaker_thread import Seat
from many_wolves.contracts import Reading
from many_wolves.records import Question, Response, SpeakerSpec, Trial
from many_wolves.speakers import Speaker
from many_wolves.store.journal_lines import SESSIONS
from many_wolves.worlds import SPEAKER, Episode, EpisodicWorld, World, one_turn

Reader = Callable[[Question, str], Reading]
"""A family's reader: a function of the question and the answer's text."""

AT_ONCE = 1000
"""Default number of episodes that are played at once."""
_VIGNETTES_AT_ONCE = 10_000
"""Number of prompts that a local speaker sorts together, so that neighbours share a prefix."""


@dataclass(frozen=True)
class Collected:
    """The result of a collection.

    Parameters
    ----------
    journal
        Path of the journal.
    asked
        Answers of this run, by status.
    known
        Earlier answers, by status.
    halted
        Whether it stopped before everything was asked.
    why
        Why it stopped, unless the user interrupted it.
    given_up
        Sessions that their server lost in every attempt of this run.
    broken
        Sessions that stopped early, because an answer or the experiment failed.
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
        The trials, and the number of times that each is asked, possibly by trial id.
    spec
        Who answers.
    open_speaker
        Makes the speaker (loads weights, opens connections); called only when
        something is to be asked.
    reader
        Reads a value from a sampled text.
    journal
        Path of the journal.
    say
        Takes notices in words.
    show
        Takes the progress in words (default: stderr).

    Raises
    ------
    WolvesError
        If the journal cannot be written or is in use, or the speaker cannot answer at all.
        Earlier answers are in the journal.
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
    """Play every episode from its last answer to its end.

    All open turns are asked. Turns that open while a local speaker answers form its next batch,
    and new episodes replace those that have ended.

    Parameters
    ----------
    episodes
        The episodes, read lazily.
    seats
        Speakers by the names of ``Episode.seats``.
    world
        Source of the questions; closed at the end.
    reader
        Reads a value from a sampled text. For a scored choice, an option is drawn from the
        probabilities instead.
    say
        Takes notices in words.
    at_once
        Number of episodes played at once; ended ones do not stay in memory.
    total
        Number of episodes, for the progress.
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
    """The response with the value read from its text, if there is a text to read."""
    if response.scores or response.status != "answered":
        return response
    value, status = reader(response, response.text)
    return replace(response, value=value, status=status)


def settled(response: Response, reader: Reader) -> Response:
    """The response with its value, read from its text or drawn from its scores.

    The draw depends only on the speaker's seed, the trial and the replicate.
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
    """Run and show progress until the end or an interrupt."""
    try:
        with halting(say, runner.halt):
            runner.run(progress)
    finally:
        progress.finish()


def _ended(over: int, total: int | None) -> str:
    """The number of ended episodes, in words."""
    return f"{over}{'' if total is None else f'/{total}'} episodes ended"
