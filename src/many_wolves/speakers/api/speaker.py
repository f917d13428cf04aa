"""API models: many simultaneous requests, with retries and a budget."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.files import whole_text
from many_wolves.progress import duration
from many_wolves.records import Response, SpeakerSpec
from many_wolves.secrets import redacted_logs
from many_wolves.speakers.api.call import Caller, Reply
from many_wolves.speakers.api.model import ApiModel, Connection
from many_wolves.speakers.api.retry import (
    LONGEST_WAIT_S,
    ErrorClass,
    RetryPolicy,
    backoff_s,
)
from many_wolves.speakers.cost import Budget
from many_wolves.speakers.feed import Feed
from many_wolves.speakers.protocol import Request, respond

_log = logging.getLogger(__name__)

_PACKAGES = {"anthropic": "anthropic", "google": "google-genai"}
_HOPELESS = 10
"""Number of consecutive rejections after which the run stops."""

_STAGGER_S = 0.005
"""Seconds between the first requests of two connections, about the time to prepare one. Requests
that start together return together, and then wait for each other at every turn."""

_TICK_S = 0.2
_TOLD_S = 30.0
"""Shortest wait that is announced; a shorter one looks like a slow reply."""

_Answers = queue.SimpleQueue[Response | BaseException | None]
_Answer = Callable[[Request], Coroutine[Any, Any, None]]


@dataclass
class _Tries:
    """The attempts of one request."""

    retries: int = 0
    waited_s: float = 0.0


@dataclass
class _Standing:
    """The state of the server.

    ``answered``: whether it has answered; ``refused``: consecutive rejections; ``announced``: the
    end of the last announced wait.
    """

    answered: bool = False
    refused: int = 0
    announced: float = 0.0


class ApiSpeaker:
    """A model behind an API.

    Parameters
    ----------
    spec
        The speaker.
    model
        The model at its provider.
    policy
        Parallel requests, retries, waits.
    budget
        Spending limit.

    Notes
    -----
    A wrong key, an unknown model, an empty account or a dead host ends the run with one error.
    Other errors are retried, and finally fail only their own trial.
    """

    def __init__(
        self, spec: SpeakerSpec, model: ApiModel, policy: RetryPolicy, budget: Budget
    ) -> None:
        self._spec = spec
        self._model = model
        self._policy = policy
        self._budget = budget
        self._packages = ("inspect-ai", _PACKAGES.get(spec.provider, "openai"))
        self._standing = _Standing()
        self._caller = Caller(spec, model)

    @property
    def spec(self) -> SpeakerSpec:
        """The speaker, with every setting that can change an answer."""
        return self._spec

    @property
    def stopped(self) -> str:
        """Message that the spending limit was reached; otherwise empty."""
        return self._budget.words

    def ask(self, requests: Feed | Sequence[Request], halt: threading.Event) -> Iterator[Response]:
        """Yield answers in the order of arrival."""
        answers: _Answers = queue.SimpleQueue()
        loop = asyncio.new_event_loop()
        work = loop.create_task(self._work(Feed.of(requests), halt, answers))

        def run() -> None:
            try:
                with redacted_logs(self._model.redact):
                    loop.run_until_complete(work)
            except BaseException as error:  # Passed to the caller's thread.
                answers.put(error)
            finally:
                loop.run_until_complete(_ended_tasks(loop))
                loop.run_until_complete(loop.shutdown_asyncgens())
                answers.put(None)

        thread = threading.Thread(target=run, name="api", daemon=True)
        thread.start()
        try:
            while (found := answers.get()) is not None:
                if isinstance(found, BaseException):
                    raise found
                yield found
        finally:
            loop.call_soon_threadsafe(work.cancel)
            thread.join()
            loop.close()

    def close(self) -> None:
        """Report the cost of the answers; connections were closed after the last request."""
        if self._budget.bill:
            _log.info("%s: %s", self._spec.name, self._budget.bill)

    async def _work(self, feed: Feed, halt: threading.Event, answers: _Answers) -> None:
        connection = self._model.connect()

        async def answer(request: Request) -> None:
            response = await self._ask(connection, request, halt)
            if response is None:
                return
            paid = response.status != "failed"
            self._budget.settle(request.trial, self._spec, response.usage if paid else None)
            answers.put(response)

        hand_out = self._in_batches if self._model.config.batch else self._on_connections
        try:
            async with asyncio.TaskGroup() as group:
                await hand_out(feed, halt, group, answer)
        except BaseExceptionGroup as faults:
            raise faults.exceptions[0] from None
        finally:
            await connection.close()

    async def _on_connections(
        self, feed: Feed, halt: threading.Event, group: asyncio.TaskGroup, answer: _Answer
    ) -> None:
        """Begin a request whenever one is waiting and a connection is free."""
        free = asyncio.Semaphore(self._policy.connections)

        async def keep_busy(request: Request) -> None:
            """Answer this request, then waiting ones, without a pause."""
            found: Request | None = request
            while found is not None:
                await answer(found)
                found = None if halt.is_set() else feed.pop()
                if found is not None and not self._budget.reserve(found.trial, self._spec):
                    # The loop that begins requests must learn that no more are begun.
                    feed.give_back(found)
                    return

        begun = 0
        await free.acquire()
        while not halt.is_set() and (request := await feed.next()) is not None:
            if not self._budget.reserve(request.trial, self._spec):
                return
            group.create_task(keep_busy(request)).add_done_callback(lambda task: free.release())
            begun += 1
            if begun < self._policy.connections:
                await asyncio.sleep(_STAGGER_S)
            await free.acquire()

    async def _in_batches(
        self, feed: Feed, halt: threading.Event, group: asyncio.TaskGroup, answer: _Answer
    ) -> None:
        """Begin all waiting requests: a batch contains those that arrive at about the same time."""
        while not halt.is_set() and (requests := await asyncio.to_thread(feed.take)):
            for request in requests:
                if not self._budget.reserve(request.trial, self._spec):
                    return
                group.create_task(answer(request))

    async def _ask(
        self, connection: Connection, request: Request, halt: threading.Event
    ) -> Response | None:
        """The response, or None if halted between two attempts."""
        tries = _Tries()
        while True:
            begun = time.monotonic()
            try:
                async with asyncio.timeout(self._policy.timeout_s):
                    reply = await self._caller.answer(connection, request)
            except Exception as error:  # every client raises its own kinds
                fault = self._classify(error, connection)
            else:
                self._standing = replace(self._standing, answered=True, refused=0)
                return self._response(request, reply, time.monotonic() - begun, tries)
            self._stop_if_hopeless(fault)
            if fault.kind == "fail" or tries.retries >= self._policy.retries:
                return self._failed(request, fault, tries)
            wait = backoff_s(tries.retries + 1, self._policy.wait_s, fault.retry_after_s)
            self._announce(wait, fault)
            if not await _slept(wait, halt):
                return None
            tries.retries += 1
            tries.waited_s += wait

    def _classify(self, error: Exception, connection: Connection) -> ErrorClass:
        fault = connection.classify(error)
        return replace(fault, words=whole_text(self._model.redact(fault.words)))

    def _stop_if_hopeless(self, fault: ErrorClass) -> None:
        """End the run if no request can be answered.

        Raises
        ------
        WolvesError
            With the message of the server, and a fix.
        """
        now = self._standing
        endless = (fault.retry_after_s or 0.0) > LONGEST_WAIT_S
        counts = fault.kind == "fail" and (endless or not now.answered)
        refused = now.refused + counts
        self._standing = replace(now, refused=refused)
        if fault.kind == "stop":
            raise WolvesError(f"{self._spec.name}: {fault.words}", fix=fault.fix)
        if refused >= _HOPELESS:
            raise WolvesError(
                f"{self._spec.name}: {_HOPELESS} requests in a row were refused: {fault.words}",
                fix="run the same command again after that time"
                if endless
                else "check the settings named in the message",
            )

    def _announce(self, wait: float, fault: ErrorClass) -> None:
        """Announce a wait for the server, once for all requests."""
        ends = time.monotonic() + wait
        if fault.retry_after_s is None or wait < _TOLD_S:
            return
        if ends < self._standing.announced + _TOLD_S:
            return
        self._standing = replace(self._standing, announced=ends)
        _log.warning(
            "%s: the server asks to wait %s (%s)", self._spec.name, duration(wait), fault.words
        )

    def _response(self, request: Request, reply: Reply, seconds: float, tries: _Tries) -> Response:
        answer = reply.answer
        return respond(
            request,
            self._spec,
            *self._packages,
            status=answer.status,
            text=self._model.redact(answer.text),
            reasoning=self._model.redact(answer.reasoning),
            effort_used=reply.effort,
            format_used=reply.way,
            usage=answer.usage,
            latency_s=seconds,
            retries=tries.retries,
            waited_s=tries.waited_s,
            error=answer.note,
        )

    def _failed(self, request: Request, fault: ErrorClass, tries: _Tries) -> Response:
        return respond(
            request,
            self._spec,
            *self._packages,
            status="failed",
            effort_used=self._model.effort,
            retries=tries.retries,
            waited_s=tries.waited_s,
            error=fault.words,
        )


async def _ended_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the other tasks of a loop: inspect-ai's work on batches goes on without it."""
    others = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _slept(seconds: float, halt: threading.Event) -> bool:
    """Wait; False as soon as ``halt`` is set."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        if halt.is_set():
            return False
        await asyncio.sleep(min(left, _TICK_S))
    return not halt.is_set()
