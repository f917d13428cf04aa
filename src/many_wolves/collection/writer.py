"""Writes answers in a thread: each waits for the disk no longer than one sync."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Self

from many_wolves.collection.journal import Journal
from many_wolves.records import Response


class Writer:
    """A thread that appends answers to a journal, one group per sync.

    All answers that arrive during one sync are written with the next. So a slow disk does not
    delay the answers, and many answers do not overload the disk.
    Leaving the context waits until everything is on the disk.

    Parameters
    ----------
    journal
        The journal, open for writing.
    written
        Called in the writer's thread with each group of answers that is on the disk.
    failed
        Called with the error that ended the writing; nothing is written after it.
    """

    def __init__(
        self,
        journal: Journal,
        written: Callable[[Sequence[Response]], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._journal = journal
        self._written = written
        self._failed = failed
        self._queue: queue.SimpleQueue[Response | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._queue.put(None)
        self._thread.join()

    def put(self, response: Response) -> None:
        """Queue one answer."""
        self._queue.put(response)

    def _run(self) -> None:
        ended, sound = False, True
        while not ended:
            group = [self._queue.get()]
            while not self._queue.empty():
                group.append(self._queue.get())
            ended = None in group
            answers = [response for response in group if response is not None]
            if not (answers and sound):
                continue
            try:
                self._journal.append(answers)
            except Exception as error:  # Raised again in the caller's thread.
                sound = False
                self._failed(error)
            else:
                self._written(answers)
