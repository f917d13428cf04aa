"""A speaker in its thread, which drains its feed and journals its answers."""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from many_wolves.collection.journal import Journal
from many_wolves.collection.writer import Writer
from many_wolves.records import Response, SpeakerSpec
from many_wolves.speakers import Feed, Speaker

_PATIENCE_S = 2.0
"""Seconds for a thread to notice an interrupt."""


@dataclass(frozen=True)
class Seat:
    """The speaker that answers the turns of a seat.

    Parameters
    ----------
    spec
        The speaker; the same in several seats if it plays against itself.
    journal
        Journal of its answers: one file per speaker.
    open_speaker
        Opens the speaker; called only if something is to be asked.
    """

    spec: SpeakerSpec
    journal: Path
    open_speaker: Callable[[], Speaker]


class Answered(NamedTuple):
    """Answers of a speaker that are on the disk."""

    speaker: str
    responses: Sequence[Response]


class Ended(NamedTuple):
    """The thread of a speaker has ended, with or without an error."""

    speaker: str
    fault: BaseException | None


class Unwritten(NamedTuple):
    """A journal cannot be written."""

    fault: Exception


class Looked(NamedTuple):
    """An episode, by its number, requests a look."""

    episode: int


class Halted(NamedTuple):
    """The user wants to stop."""


Event = Answered | Ended | Unwritten | Looked | Halted
Events = queue.SimpleQueue[Event]


class Speaking:
    """A speaker with its thread and the writer of its journal.

    Parameters
    ----------
    name
        Its name in events.
    speaker
        Who answers.
    book
        Its journal, open for writing.
    settle
        Reads a value from an answer; called in the speaker's thread.
    halt
        Stops the speaker when set.
    events
        Receives events.
    """

    def __init__(
        self,
        name: str,
        speaker: Speaker,
        book: Journal,
        settle: Callable[[Response], Response],
        halt: threading.Event,
        events: Events,
    ) -> None:
        self.feed = Feed()
        self.running = False
        self._name = name
        self._speaker = speaker
        self._settle = settle
        self._halt = halt
        self._events = events
        self._writer = Writer(book, self._written, self._broken)
        self._thread = threading.Thread(target=self._run, name=f"speaker {name}", daemon=True)

    @property
    def stopped(self) -> str:
        """Why the speaker stopped; empty if it did not."""
        return self._speaker.stopped

    def start(self) -> None:
        """Begin to answer the requests in the feed."""
        self.running = True
        self._writer.__enter__()
        self._thread.start()

    def write(self, response: Response) -> None:
        """Journal an answer that is known without asking."""
        self.feed.owe()
        self._writer.put(response)

    def close(self, *, ended: bool) -> None:
        """Wait for the disk, then free the speaker.

        A thread that is still running after an interrupt is stopped abruptly.
        """
        self.feed.close(drop=True)
        if self.running:
            if not ended:
                _interrupt(self._thread)
            self._thread.join(None if ended else _PATIENCE_S)
            self._writer.__exit__(None, None, None)
        # A speaker that is still working would lose its weights.
        if not self._thread.is_alive():
            self._speaker.close()

    def _run(self) -> None:
        fault: BaseException | None = None
        try:
            for response in self._speaker.ask(self.feed, self._halt):
                self.write(self._settle(response))
        except BaseException as error:  # Raised again in the thread of the run.
            fault = error
        self._events.put(Ended(self._name, fault))

    def _written(self, responses: Sequence[Response]) -> None:
        self._events.put(Answered(self._name, responses))

    def _broken(self, error: Exception) -> None:
        self._events.put(Unwritten(error))


class Interrupted(BaseException):
    """Raised in a thread to stop it abruptly."""


def _interrupt(thread: threading.Thread) -> None:
    """Raise ``Interrupted`` in a thread as soon as it executes Python code again."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Interrupted)
    )
