"""The runner: one loop over sessions, and one thread per speaker.

A turn goes from its session to its speaker through the speaker's feed. Its answer goes through the
reader to the disk, and then back to the session. A session acts only on answers that are on the
disk. A slow answer delays only its own session.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from many_wolves.collection.episode_state import Earlier, EpisodeState
from many_wolves.collection.journal import Journal
from many_wolves.collection.progress import Progress
from many_wolves.collection.speaker_thread import (
    Answered,
    Ended,
    Event,
    Events,
    Halted,
    Looked,
    Speaking,
    Unwritten,
)
from many_wolves.records import Response
from many_wolves.speakers import Request, Speaker
from many_wolves.store.session_journal import SessionJournal
from many_wolves.worlds import LOST, UNANSWERED, Episode, World

MOST_ATTEMPTS = 3
"""Maximum number of sessions of one episode per run; if all are lost, a later run tries again."""


class Runner:
    """Plays episodes from their last answers to their ends.

    Parameters
    ----------
    episodes
        What is asked; read as they are begun.
    world
        Source of their questions.
    names
        Seat -> name of its speaker.
    books
        Journals, by name of the speaker.
    known
        Function of an episode: its existing answers, by key.
    open_speaker
        Opens the speaker of a name and prepares its journal; called only if something is to be
        asked.
    settle
        Reads a value from an answer.
    at_once
        Episodes under way at once; nothing is remembered of those that have ended.
    sessions
        Folder of the session journals, if the world is remote.
    """

    def __init__(
        self,
        episodes: Iterable[Episode],
        world: World,
        names: Mapping[str, str],
        books: Mapping[str, Journal],
        known: Callable[[Episode], Mapping[str, Response]],
        open_speaker: Callable[[str], Speaker],
        settle: Callable[[Response], Response],
        at_once: int,
        sessions: Path | None = None,
    ) -> None:
        self._episodes: Iterator[Episode] = iter(episodes)
        self._world = world
        self._names = names
        self._books = books
        self._known = known
        self._open_speaker = open_speaker
        self._settle = settle
        self._at_once = at_once
        self._sessions = sessions
        self._live: dict[int, EpisodeState] = {}
        self._timers: dict[int, float] = {}
        self._asked: dict[str, EpisodeState] = {}
        self._requests: dict[str, list[Request]] = {}
        self._copies: dict[str, list[Response]] = {}
        self._speaking: dict[str, Speaking] = {}
        self._running: set[str] = set()
        self._events: Events = queue.SimpleQueue()
        self._halt = threading.Event()
        self._fault: BaseException | None = None
        self._unwritten = False
        self._begun = 0
        self._lost: dict[str, int] = {}
        self.met = 0
        self.over = 0
        self.broken = 0
        self.given_up = 0
        self.why = ""

    @property
    def live(self) -> bool:
        """Whether episodes are running; after the run, whether it was stopped early."""
        return bool(self._live)

    def begin(self) -> None:
        """Begin or resume as many episodes as ``at_once`` allows."""
        while len(self._live) < self._at_once:
            episode = next(self._episodes, None)
            if episode is None:
                return
            self._begin(episode)

    def halt(self) -> None:
        """Request the end of the run; a signal handler may call it."""
        self._events.put(Halted())

    def run(self, progress: Progress) -> None:
        """Run until every episode has ended, or the run is halted.

        Raises
        ------
        WolvesError
            If a speaker cannot answer at all, or a journal cannot be written. Earlier answers are
            in
            the journals.
        KeyboardInterrupt
            At the second interrupt.
        """
        try:
            self._hand_out(Counter())
            while self._live and not self._halt.is_set():
                self._turn(progress)
            self._finish(progress)
        finally:
            self._halt.set()
            for name, speaking in self._speaking.items():
                speaking.close(ended=name not in self._running)
            while not self._events.empty():
                self._note(self._events.get(), progress)
            for state in self._live.values():
                state.close()
            for state in (*self._live.values(), *self._asked.values()):
                state.release()
        if self._fault is not None:
            raise self._fault

    def _begin(self, episode: Episode, earlier: Earlier | None = None) -> None:
        """Begin an episode, or the next attempt at a lost one."""
        journal = self._session_journal(episode)
        known = self._known(episode)
        while journal is not None and journal.ended == LOST:
            journal.close()
            earlier = Earlier(episode, known)
            episode = replace(episode, attempt=episode.attempt + 1)
            journal, known = self._session_journal(episode), self._known(episode)
        if journal is not None and journal.ended:
            journal.close()
            self.over += 1
            return
        self._begun += 1
        wake = partial(self._events.put, Looked(self._begun))
        state = EpisodeState(self._begun, episode, self._world, known, wake, journal, earlier)
        self._live[state.number] = state
        self.met += state.met
        self._look(state)

    def _session_journal(self, episode: Episode) -> SessionJournal | None:
        """The open journal of a session; None if the world is not remote."""
        if self._sessions is None:
            return None
        return SessionJournal(self._sessions, episode).__enter__()

    def _look(self, state: EpisodeState) -> None:
        """Register the turns that have opened, or the end of the episode."""
        before = state.met
        opened = state.look()
        self.met += state.met - before
        for turn in opened:
            name = self._names[turn.seat]
            self._asked[turn.key] = state
            if turn.copy is None:
                self._requests.setdefault(name, []).append(turn.request)
            else:
                self._copies.setdefault(name, []).append(turn.copy)
        self._timers.pop(state.number, None)
        if state.ended:
            del self._live[state.number]
            state.close()
            self._end(state)
        elif state.look_again_s is not None:
            self._timers[state.number] = time.monotonic() + state.look_again_s

    def _end(self, state: EpisodeState) -> None:
        """Count an ended episode, or restart one whose session was lost."""
        if state.ended not in (UNANSWERED, LOST):
            self.over += 1
        self.broken += state.ended == UNANSWERED
        if state.ended != LOST:
            return
        episode = state.episode
        name = f"{episode.opening.id} {episode.replicate}"
        self._lost[name] = self._lost.get(name, 0) + 1
        if self._lost[name] < MOST_ATTEMPTS:
            self._begin(replace(episode, attempt=episode.attempt + 1), state.lost)
        else:
            self.given_up += 1

    def _turn(self, progress: Progress) -> None:
        """Wait until something happens, and handle it."""
        answered: Counter[str] = Counter()
        touched: dict[int, EpisodeState] = {}
        for event in self._next():
            self._note(event, progress)
            match event:
                case Answered(name, responses):
                    answered[name] += len(responses)
                    for response in responses:
                        state = self._asked.pop(response.key, None)
                        if state is not None:
                            state.take(response)
                            touched[state.number] = state
                case Looked(number):
                    if number in self._live:
                        touched[number] = self._live[number]
                case Halted():
                    self._stop()
        for state in touched.values():
            if state.number in self._live:
                self._look(state)
        if not self._halt.is_set():
            self.begin()
            self._hand_out(answered)

    def _next(self) -> list[Event]:
        """The next events, as soon as there are any; an expired timer counts as a look."""
        now = time.monotonic()
        wait = min(self._timers.values()) - now if self._timers else None
        events: list[Event] = []
        try:
            events.append(self._events.get(timeout=None if wait is None else max(wait, 0.0)))
            # Events that arrived meanwhile are handled together, which fills the next batch.
            for _ in range(self._events.qsize()):
                events.append(self._events.get())
        except queue.Empty:
            pass
        now = time.monotonic()
        return events + [Looked(number) for number, due in self._timers.items() if due <= now]

    def _note(self, event: Event, progress: Progress) -> None:
        """Count answers, and keep the reason that ends the run."""
        match event:
            case Answered(_, responses):
                for response in responses:
                    progress.add(response.status)
            case Unwritten(fault):
                self._fault = self._fault or fault
                self._unwritten = True
                self._stop()
            case Ended(name, ended_by):
                self._running.discard(name)
                self._fault = self._fault or ended_by
                if ended_by is not None:
                    self._stop()
                elif self._live and not self._halt.is_set():
                    self._stop(self._speaking[name].stopped or f"{name} has stopped answering")

    def _hand_out(self, answered: Counter[str]) -> None:
        """Pass on new requests, and tell speakers that their answers are handled."""
        if (self._requests or self._copies) and not self._speaking:
            self._open()
        for name, copies in self._copies.items():
            for copy in copies:
                self._speaking[name].write(copy)
        for name, requests in self._requests.items():
            self._speaking[name].feed.put(requests)
        self._requests, self._copies = {}, {}
        for name, answers in answered.items():
            self._speaking[name].feed.settle(answers)

    def _open(self) -> None:
        """Open every speaker, then let all of them begin."""
        for name, book in self._books.items():
            speaker = self._open_speaker(name)
            self._speaking[name] = Speaking(
                name, speaker, book, self._settle, self._halt, self._events
            )
        for name, speaking in self._speaking.items():
            speaking.start()
            self._running.add(name)

    def _stop(self, why: str = "") -> None:
        """Ask nothing more; requests in progress are finished."""
        self.why = self.why or why
        self._halt.set()
        for speaking in self._speaking.values():
            speaking.feed.close(drop=True)

    def _finish(self, progress: Progress) -> None:
        """Wait for requests in progress: answers to ended sessions are recorded, too."""
        for speaking in self._speaking.values():
            speaking.feed.close()
        # There is no need to wait for answers that can no longer be written.
        while self._running and not self._unwritten:
            event = self._events.get()
            self._note(event, progress)
            if isinstance(event, Answered):
                for response in event.responses:
                    state = self._asked.pop(response.key, None)
                    if state is not None and state.ended:
                        state.take(response)
