"""Ask episodes turn by turn, many at once; goes on in the middle of each."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from many_wolves.collection.course import Course, TakeTurns
from many_wolves.collection.interrupt import halting
from many_wolves.collection.progress import Progress
from many_wolves.collection.run import Collected, Reader, opened, read_choice
from many_wolves.collection.turns import TurnJournal
from many_wolves.collection.writer import Writer
from many_wolves.contracts import Episode
from many_wolves.records import Response, SpeakerSpec
from many_wolves.speakers import Request, Speaker

AT_ONCE = 1000
"""Episodes under way at once, if nothing else is said."""


@dataclass(frozen=True)
class Seat:
    """Who answers the turns of a seat.

    Parameters
    ----------
    spec
        The speaker; the same on several seats where it meets itself.
    journal
        Where its answers go: one file a speaker.
    open_speaker
        Makes the speaker; called only when something is to be asked.
    """

    spec: SpeakerSpec
    journal: Path
    open_speaker: Callable[[], Speaker]


def play(
    episodes: Iterable[Episode],
    *,
    seats: Sequence[Seat],
    take_turns: TakeTurns,
    reader: Reader,
    say: Callable[[str], None],
    at_once: int = AT_ONCE,
    total: int | None = None,
) -> Collected:
    """Lead every episode from its last answer to its end.

    All open turns of ``at_once`` episodes are one batch; when they are answered, the
    next turns are the next batch, and new episodes take the places of those that ended.

    Parameters
    ----------
    episodes
        What is asked; read as they are begun.
    seats
        Who answers, as in ``Episode.speakers``.
    take_turns
        The family's ``turns``.
    reader
        Reads the choice from a text in sample mode. In score mode the choice is drawn
        from the probabilities of the options.
    say
        Takes notices in words.
    at_once
        Episodes under way at once; nothing is remembered of those that have ended.
    total
        Number of episodes, for the progress that is shown.

    Raises
    ------
    WolvesError
        If a journal cannot be written or is in use, or a speaker cannot answer at all.
        Answers that came before are in the journals.
    KeyboardInterrupt
        At the second interrupt.
    """
    names = [seat.spec.slug for seat in seats]
    distinct = dict(zip(names, seats, strict=True))
    with ExitStack() as stack:
        books = {
            name: stack.enter_context(TurnJournal(seat.journal, seat.spec, say))
            for name, seat in distinct.items()
        }
        table = _Table(iter(episodes), take_turns, names, books, at_once)
        table.refill()
        if not table.courses:
            return Collected(seats[0].journal, {}, {"answered": table.met})
        asked = {
            name: stack.enter_context(opened(seat.open_speaker)) for name, seat in distinct.items()
        }
        halt = stack.enter_context(halting(say))
        for book in books.values():
            book.forget(list(book.entries))
        writers = {name: stack.enter_context(Writer(book)) for name, book in books.items()}
        progress = Progress(None, beside=lambda: table.said(total))
        why = ""
        try:
            while table.courses and not halt.is_set() and not why:
                for name, requests in table.wave().items():
                    for response in asked[name].ask(requests, halt):
                        read = settled(response, reader)
                        writers[name].put(read)
                        progress.add(read.status)
                        table.answer(read)
                # No turn may be on the disk without those that it follows, nor may answers
                # that wait for the disk pile up.
                for writer in writers.values():
                    writer.flush()
                why = next((speaker.stopped for speaker in asked.values() if speaker.stopped), "")
                table.go_on(dropping=not halt.is_set() and not why)
        finally:
            progress.finish()
        known = {"answered": table.met}
        return Collected(seats[0].journal, progress.counts, known, bool(table.courses), why)


def settled(response: Response, reader: Reader) -> Response:
    """The response with its choice: read from its text, or drawn from its scores.

    The draw depends on the speaker's seed, the trial and the replicate, on nothing else.
    """
    if response.speaker.mode == "sample" or response.status != "answered":
        return read_choice(response, reader)
    highest = max(score.logprob for score in response.scores)
    weights = [math.exp(score.logprob - highest) for score in response.scores]
    seed = response.speaker.seed + response.replicate
    chance = random.Random(f"{seed}:{response.trial_id}:choice")
    (score,) = chance.choices(response.scores, weights)
    return replace(response, value=score.option)


class _Table:
    """The episodes under way, and which of their turns are open."""

    def __init__(
        self,
        episodes: Iterator[Episode],
        take_turns: TakeTurns,
        names: Sequence[str],
        books: Mapping[str, TurnJournal],
        at_once: int,
    ) -> None:
        self._episodes = episodes
        self._take_turns = take_turns
        self._names = names
        self._books = books
        self._at_once = at_once
        self._asked: dict[str, Course] = {}
        self._over = 0
        self.courses: list[Course] = []
        self.met = 0

    def refill(self) -> None:
        """Begin, or take up, as many episodes as there is room for."""
        while len(self.courses) < self._at_once:
            episode = next(self._episodes, None)
            if episode is None:
                return
            known: dict[str, Response] = {}
            for name in dict.fromkeys(self._names[: len(episode.speakers)]):
                known |= self._books[name].answers(episode.id, episode.replicate)
            course = Course(episode, self._take_turns, known)
            self.met += course.met
            if course.ended:
                self._over += 1
            else:
                self.courses.append(course)

    def wave(self) -> dict[str, list[Request]]:
        """Every open turn, by the name of who answers it."""
        requests: dict[str, list[Request]] = {}
        self._asked = {}
        for course in self.courses:
            for key, (seat, request) in course.open.items():
                self._asked[key] = course
                requests.setdefault(self._names[seat], []).append(request)
        return requests

    def answer(self, response: Response) -> None:
        """Take an answer to one of the turns of the last wave."""
        self._asked[response.key].answer(response)

    def go_on(self, *, dropping: bool) -> None:
        """Offer the next turns, and begin new episodes in the places of those that ended.

        ``dropping`` leaves episodes alone that a failed turn holds up.
        """
        lasting = []
        for course in self.courses:
            if course.go_on():
                lasting.append(course)
            elif course.ended:
                self._over += 1
            elif not dropping:
                lasting.append(course)
        self.courses = lasting
        self.refill()

    def said(self, total: int | None) -> str:
        """How many episodes have ended, in words."""
        return f"{self._over}{'' if total is None else f'/{total}'} episodes ended"
