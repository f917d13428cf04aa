"""API models: many requests at once, retried, counted, within a budget."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.records import Response, SpeakerSpec
from many_wolves.speakers.api_model import COMPATIBLE, Opened, messages
from many_wolves.speakers.budget import Budget
from many_wolves.speakers.faults import Verdict, backoff_s, judge
from many_wolves.speakers.feed import Feed
from many_wolves.speakers.outputs import Said, said
from many_wolves.speakers.patience import Patience
from many_wolves.speakers.protocol import Request, respond
from many_wolves.speakers.secrets import redact
from many_wolves.speakers.wire import StatusError

_PACKAGES = {"anthropic": "anthropic", "google": "google-genai"}
_HOPELESS = 10
_BAD_REQUEST = 400
_TICK_S = 0.2
_HAND_OVER_S = 0.01

_Answers = queue.SimpleQueue[list[Response] | BaseException | None]


@dataclass
class _Tries:
    """What became of the tries of one request."""

    retries: int = 0
    waited_s: float = 0.0


class ApiSpeaker:
    """A model behind an API.

    Parameters
    ----------
    spec
        Who answers.
    opened
        The client, with the effort in effect.
    patience
        Parallel requests, retries, waits.
    budget
        Stops before it is passed.

    Notes
    -----
    A wrong key, an unknown model, an empty account or a dead host ends everything
    with one error. Other faults are retried, and fail their own trial in the end.
    """

    def __init__(
        self, spec: SpeakerSpec, opened: Opened, patience: Patience, budget: Budget
    ) -> None:
        self._spec = spec
        self._opened = opened
        self._patience = patience
        self._budget = budget
        self._packages = ("inspect-ai", _PACKAGES.get(spec.provider, "openai"))
        self._asked = False
        self._reached = False
        self._answered = False
        self._refused_in_a_row = 0
        self._learning = asyncio.Lock()

    @property
    def spec(self) -> SpeakerSpec:
        """Who answers, with every setting that can change an answer."""
        return self._spec

    @property
    def stopped(self) -> str:
        """Whether the limit of cost was reached, in words."""
        return self._budget.words

    def ask(self, requests: Feed | Sequence[Request], halt: threading.Event) -> Iterator[Response]:
        """Answer in the order in which the API does."""
        if self._asked and self._opened.again is not None:
            self._opened = replace(self._opened, model=self._opened.again())
        self._asked = True
        self._learning = asyncio.Lock()
        feed = Feed.of(requests)
        answers: _Answers = queue.SimpleQueue()
        loop = asyncio.new_event_loop()
        work = loop.create_task(self._work(feed, halt, answers))

        def run() -> None:
            try:
                loop.run_until_complete(work)
            except BaseException as error:  # handed to the caller's thread
                answers.put(error)
            finally:
                loop.run_until_complete(loop.shutdown_asyncgens())
                answers.put(None)

        thread = threading.Thread(target=run, name="api", daemon=True)
        thread.start()
        try:
            while (found := answers.get()) is not None:
                if isinstance(found, BaseException):
                    raise found
                yield from found
        finally:
            loop.call_soon_threadsafe(work.cancel)
            thread.join()
            loop.close()

    def close(self) -> None:
        """Connections are closed when the last request has ended."""

    async def _work(
        self,
        feed: Feed,
        halt: threading.Event,
        answers: _Answers,
    ) -> None:
        ready: list[Response] = []

        # Handing over each answer by itself would cost a change of threads for each.
        def hand_over() -> None:
            if ready:
                answers.put(ready.copy())
                ready.clear()

        async def one(request: Request) -> bool:
            if halt.is_set() or not self._budget.reserve(request.trial, self._spec):
                return False
            response = await self._ask(request, halt)
            if response is None:
                return False
            paid = response.status != "failed"
            self._budget.settle(request.trial, self._spec, response.usage if paid else None)
            if not ready:
                asyncio.get_running_loop().call_later(_HAND_OVER_S, hand_over)
            ready.append(response)
            return True

        async def worker() -> None:
            while not halt.is_set() and (request := await feed.next()) is not None:
                if not await one(request):
                    return

        workers: list[asyncio.Task[Any]] = []
        try:
            if self._opened.config.batch:
                # A batch is one connection, and takes in whatever is asked at once.
                while batch := await asyncio.to_thread(feed.take):
                    workers = [asyncio.create_task(one(request)) for request in batch]
                    await asyncio.gather(*workers)
            else:
                workers = [asyncio.create_task(worker()) for _ in range(self._patience.connections)]
                await asyncio.gather(*workers)
        finally:
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            hand_over()
            if self._opened.wire is not None:
                await self._opened.wire.close()
            await self._opened.model.api.aclose()

    async def _ask(self, request: Request, halt: threading.Event) -> Response | None:
        """The response, or None when halted between two tries."""
        tries = _Tries()
        while True:
            begun = time.monotonic()
            try:
                async with asyncio.timeout(self._patience.timeout_s):
                    answer = await self._generate(request)
            except Exception as error:  # every client raises its own kinds
                verdict = judge(error, reached=self._reached, key_name=self._opened.key_name)
                verdict = replace(verdict, words=redact(verdict.words, self._opened.keys))
            else:
                self._reached = self._answered = True
                self._refused_in_a_row = 0
                return self._response(request, answer, time.monotonic() - begun, tries)
            self._stop_if_hopeless(verdict)
            if verdict.kind == "fail" or tries.retries >= self._patience.retries:
                return self._failed(request, verdict, tries)
            wait = backoff_s(tries.retries + 1, self._patience.wait_s, verdict.retry_after_s)
            if not await _slept(wait, halt):
                return None
            tries.retries += 1
            tries.waited_s += wait

    async def _generate(self, request: Request) -> Said:
        """One try: over the wire where the request is plain, else through inspect-ai."""
        prompt, wire = request.trial.messages, self._opened.wire
        seed = self._spec.seed + request.replicate
        if wire is not None and not wire.knows(prompt):
            async with self._learning:
                await asyncio.to_thread(wire.learn, [prompt])
        if wire is not None and wire.takes(prompt):
            try:
                return await wire.ask(prompt, seed)
            except StatusError as error:
                if error.status_code != _BAD_REQUEST:
                    raise
                # inspect-ai knows which of these are refusals of the model.
        config = self._opened.config
        if self._spec.provider == COMPATIBLE:
            config = config.model_copy(update={"seed": seed})
        result = await self._opened.model.api.generate(messages(prompt), [], "none", config)
        output = result[0] if isinstance(result, tuple) else result
        if isinstance(output, Exception):
            raise output
        if not output.choices:
            raise ConnectionError("the reply holds no choice")
        if self._spec.provider == "anthropic" and output.stop_reason == "unknown":
            # A stream that breaks off looks like one that ended, but gives no reason.
            raise ConnectionError("the reply broke off")
        return said(output, self._spec.max_tokens)

    def _stop_if_hopeless(self, verdict: Verdict) -> None:
        if verdict.words.startswith("HTTP"):
            self._reached = True
        if verdict.kind == "fail" and not self._answered:
            self._refused_in_a_row += 1
        if verdict.kind == "stop":
            raise WolvesError(f"{self._spec.name}: {verdict.words}", mend=verdict.mend)
        if self._refused_in_a_row >= _HOPELESS:
            raise WolvesError(
                f"{self._spec.name}: the first {_HOPELESS} requests were all refused: "
                f"{verdict.words}",
                mend="check the settings that the message names",
            )

    def _response(self, request: Request, answer: Said, seconds: float, tries: _Tries) -> Response:
        return respond(
            request,
            self._spec,
            *self._packages,
            status=answer.status,
            text=redact(answer.text, self._opened.keys),
            reasoning=redact(answer.reasoning, self._opened.keys),
            effort_used=self._opened.effort_used,
            usage=answer.usage,
            latency_s=seconds,
            retries=tries.retries,
            waited_s=tries.waited_s,
            error=answer.note,
        )

    def _failed(self, request: Request, verdict: Verdict, tries: _Tries) -> Response:
        return respond(
            request,
            self._spec,
            *self._packages,
            status="failed",
            effort_used=self._opened.effort_used,
            retries=tries.retries,
            waited_s=tries.waited_s,
            error=verdict.words,
        )


async def _slept(seconds: float, halt: threading.Event) -> bool:
    """Wait; False as soon as ``halt`` is set."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        if halt.is_set():
            return False
        await asyncio.sleep(min(left, _TICK_S))
    return not halt.is_set()
