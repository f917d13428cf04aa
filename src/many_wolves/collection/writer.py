"""Write answers while the speaker thinks: each waits for the disk no longer than one sync."""

from __future__ import annotations

import queue
import threading
from types import TracebackType
from typing import Self

from many_wolves.collection.journal import Journal
from many_wolves.records import Response


class Writer:
    """A thread that appends to a journal what it is given, a group a sync.

    All answers that came during one sync are written with the next, so that
    neither a slow disk nor thousands of answers a second hold the other up.
    Leaving the context waits until everything is on the disk.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._queue: queue.SimpleQueue[Response | threading.Event | None] = queue.SimpleQueue()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self.written = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._queue.put(None)
        self._thread.join()
        if kind is None:
            self._check()

    def put(self, response: Response) -> None:
        """Hand over one answer.

        Raises
        ------
        WolvesError
            If an earlier one could not be written.
        """
        self._check()
        self._queue.put(response)

    def flush(self) -> None:
        """Wait until everything that was handed over is on the disk.

        Raises
        ------
        WolvesError
            If it could not be written.
        """
        reached = threading.Event()
        self._queue.put(reached)
        reached.wait()
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        ended = False
        while not ended:
            group = [self._queue.get()]
            while not self._queue.empty():
                group.append(self._queue.get())
            ended = None in group
            try:
                if self._error is None:
                    answers = (r for r in group if isinstance(r, Response))
                    self.written += self._journal.append(answers)
            except Exception as error:  # raised again where the answers come from
                self._error = error
            for reached in group:
                if isinstance(reached, threading.Event):
                    reached.set()
