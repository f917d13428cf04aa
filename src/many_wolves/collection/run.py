"""Ask what is missing, and write each answer down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from many_wolves.collection.interrupt import halting
from many_wolves.collection.journal import Journal
from many_wolves.collection.plan import make_plan
from many_wolves.collection.progress import Progress
from many_wolves.collection.writer import Writer
from many_wolves.contracts import Reading
from many_wolves.records import Question, Response, SpeakerSpec, Trial
from many_wolves.speakers import Speaker

Reader = Callable[[Question, str], Reading]
"""A family's reader: the question, and the text that answers it."""


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
    """

    journal: Path
    asked: Mapping[str, int]
    known: Mapping[str, int]
    halted: bool = False
    why: str = ""


def collect(
    trials: Sequence[Trial],
    *,
    replicates: int,
    spec: SpeakerSpec,
    open_speaker: Callable[[], Speaker],
    reader: Reader,
    journal: Path,
    say: Callable[[str], None],
) -> Collected:
    """Ask one speaker every trial that its journal lacks.

    Parameters
    ----------
    trials, replicates
        What is asked: every trial, ``replicates`` times.
    spec
        Who answers.
    open_speaker
        Makes the speaker (loads weights, opens connections); called only when
        something is to be asked.
    reader
        Reads the choice from a text in sample mode.
    journal
        Its file.
    say
        Takes notices in words.

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
        with opened(open_speaker) as speaker, halting(say) as halt:
            book.forget(plan.again)
            progress = Progress(len(plan.ask))
            try:
                with Writer(book) as writer:
                    for response in speaker.ask(plan.ask, halt):
                        read = read_choice(response, reader)
                        writer.put(read)
                        progress.add(read.status)
            finally:
                progress.finish()
        halted = progress.counts.total() < len(plan.ask)
        return Collected(journal, progress.counts, plan.known, halted, speaker.stopped)


def read_choice(response: Response, reader: Reader) -> Response:
    """The response with the choice that its text names, where it is a text to read."""
    if response.speaker.mode != "sample" or response.status != "answered":
        return response
    value, status = reader(response, response.text)
    return replace(response, value=value, status=status)


@contextmanager
def opened(open_speaker: Callable[[], Speaker]) -> Iterator[Speaker]:
    """A speaker that is closed at the end."""
    speaker = open_speaker()
    try:
        yield speaker
    finally:
        speaker.close()
