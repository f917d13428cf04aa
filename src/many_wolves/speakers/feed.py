"""The queue of requests to a speaker: filled by the runner, drained by the speaker's thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from many_wolves.speakers.protocol import Request


class Feed:
    """A queue of requests for one speaker; all methods may be called from any thread.

    A speaker that answers in batches calls ``take``. One with several connections awaits ``next``
    whenever one is free. An empty result means that nothing more will come.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Request] = deque()
        self._sleepers: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[Request | None]]]
        self._sleepers = deque()
        self._closed = False
        self._owed = 0

    @classmethod
    def of(cls, requests: Feed | Iterable[Request]) -> Feed:
        """The feed itself, or a closed one with these requests."""
        if isinstance(requests, Feed):
            return requests
        feed = cls()
        feed.put(requests)
        feed.close()
        return feed

    def put(self, requests: Iterable[Request]) -> None:
        """Add requests, all at once."""
        with self._changed:
            self._waiting.extend(requests)
            self._serve_sleepers()
            self._changed.notify_all()

    def close(self, *, drop: bool = False) -> None:
        """Signal that nothing more will come; ``drop`` removes requests that were not begun."""
        with self._changed:
            self._closed = True
            if drop:
                self._waiting.clear()
            self._serve_sleepers()
            self._changed.notify_all()

    def owe(self, answers: int = 1) -> None:
        """Record that the speaker gave answers that the runner has not handled yet."""
        with self._changed:
            self._owed += answers

    def settle(self, answers: int) -> None:
        """Record that the runner has handled answers and added the next requests."""
        with self._changed:
            self._owed -= answers
            if not self._owed:
                self._changed.notify_all()

    def take(self) -> list[Request]:
        """All waiting requests as one batch; empty if nothing more will come.

        Waits until there is a request, and until the runner has handled all earlier answers. The
        requests that follow from them belong to the batch.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._waiting and not self._owed))
            return self._all()

    def take_now(self) -> list[Request]:
        """All requests that are waiting now; never blocks."""
        with self._changed:
            return self._all()

    def pop(self) -> Request | None:
        """One request that is waiting now, or None; never blocks."""
        with self._changed:
            return self._waiting.popleft() if self._waiting else None

    def give_back(self, request: Request) -> None:
        """Return a request that was taken but not begun."""
        self._return(request)

    def batches(self, halt: threading.Event) -> Iterator[list[Request]]:
        """Yield the batches of ``take`` until nothing more will come or ``halt`` is set."""
        while not halt.is_set() and (batch := self.take()):
            yield batch

    async def next(self) -> Request | None:
        """One request, as soon as there is one; None if nothing more will come."""
        import asyncio

        loop = asyncio.get_running_loop()
        sleeper: asyncio.Future[Request | None] = loop.create_future()
        with self._changed:
            self._sleepers.append((loop, sleeper))
            self._serve_sleepers()
        try:
            return await sleeper
        except asyncio.CancelledError:
            self._give_back(sleeper)
            raise

    def _all(self) -> list[Request]:
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def _serve_sleepers(self) -> None:
        while self._sleepers and (self._waiting or self._closed):
            loop, sleeper = self._sleepers.popleft()
            if sleeper.cancelled():
                continue
            request = self._waiting.popleft() if self._waiting else None
            try:
                loop.call_soon_threadsafe(_wake, sleeper, request, self)
            except RuntimeError:  # The event loop was closed while a coroutine was waiting.
                if request is not None:
                    self._waiting.appendleft(request)

    def _give_back(self, sleeper: asyncio.Future[Request | None]) -> None:
        """Return a request that was assigned to a cancelled coroutine."""
        with self._changed:
            self._sleepers = deque(pair for pair in self._sleepers if pair[1] is not sleeper)
        if sleeper.done() and not sleeper.cancelled():
            self._return(sleeper.result())

    def _return(self, request: Request | None) -> None:
        if request is None:
            return
        with self._changed:
            self._waiting.appendleft(request)
            self._serve_sleepers()
            self._changed.notify_all()


def _wake(sleeper: asyncio.Future[Request | None], request: Request | None, feed: Feed) -> None:
    if sleeper.cancelled():
        feed._return(request)
    else:
        sleeper.set_result(request)
