"""A server as a world: each session is a coroutine in the world's single thread.

The coroutine asks a ``Desk``. A question there is an open turn for the runner, and the runner's
response is the answer at the desk. In addition to the runner's journal, the coroutine records the
pages that each seat read, and unfinished actions.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple, Protocol

from many_wolves.records import Response, Trial
from many_wolves.worlds.desk import Answer, Desk, Fate, Question
from many_wolves.worlds.protocol import (
    COMPLETE,
    LOST,
    UNANSWERED,
    Episode,
    Observation,
    Receipt,
    Turn,
)
from many_wolves.worlds.session_log import SessionLog

_log = logging.getLogger("many_wolves")
_PATIENCE_S = 30.0
"""Seconds for sessions to disconnect from their server."""


class LostError(Exception):
    """The server has lost a session."""


class BrokenError(Exception):
    """A session cannot continue because of an error in the experiment."""


class Server(Protocol):
    """The specifics of one kind of server.

    All methods except ``trial`` and ``unread`` run in one event loop.
    """

    async def open(self) -> None:
        """Start or connect to the server; called once, before the first session.

        Raises
        ------
        WolvesError
            If it cannot be reached.
        """
        ...

    async def close(self) -> None:
        """Free what ``open`` acquired; also called if ``open`` failed."""
        ...

    async def play(self, episode: Episode, desk: Desk, journal: SessionLog) -> None:
        """Play a session from its beginning, or from the end of its journal, to its end.

        Raises
        ------
        LostError
            If the server has lost the session.
        BrokenError
            If the session cannot continue.
        WolvesError
            If no session can be played.
        """
        ...

    def trial(self, episode: Episode, question: Question, turn: int) -> Trial:
        """The trial that asks a question, with its number in the session."""
        ...

    def unread(self, question: Question, response: Response) -> str:
        """Why a response has no valid answer, in a sentence for the seat."""
        ...


class ServerWorld:
    """Sessions on one server.

    Parameters
    ----------
    server
        The server.
    folder
        Folder of the session journals.
    """

    remote = True

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.loop = asyncio.new_event_loop()
        self._opening: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None

    def begin(self, episode: Episode, wake: Callable[[], None]) -> ServerSession:
        """Begin a session, or resume it from the end of its journal."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self.loop.run_forever, name="sessions on a server", daemon=True
            )
            self._thread.start()
        return ServerSession(self, episode, wake)

    async def opened(self) -> None:
        """Wait until the server is available."""
        if self._opening is None:
            self._opening = asyncio.ensure_future(self.server.open())
        await asyncio.shield(self._opening)

    def close(self) -> None:
        """Close all sessions and the server."""
        if self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), self.loop).result()
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self._thread = None
        self.loop.close()

    async def _end(self) -> None:
        if self._opening is not None:
            # A session that is starting must have started before it can be ended.
            await asyncio.wait([self._opening])
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE_S)
        await self.server.close()


class _Waiting(NamedTuple):
    question: Question
    future: asyncio.Future[Answer]


class ServerSession:
    """One session: passes the questions of its seats to the runner, and the answers back.

    Parameters
    ----------
    world
        Its world.
    episode
        The episode.
    wake
        Requests a look by the runner.
    """

    def __init__(self, world: ServerWorld, episode: Episode, wake: Callable[[], None]) -> None:
        self._world = world
        self._episode = episode
        self._seats = tuple(episode.seats)
        self._wake = wake
        self._lock = threading.Lock()
        self._open: dict[int, Turn] = {}
        self._receipts: list[Receipt] = []
        self._ended = ""
        self._fault: BaseException | None = None
        # These two are used only in the event loop.
        self._waiting: dict[int, _Waiting] = {}
        self._early: dict[int, Response] = {}
        self._running: Future[None] = asyncio.run_coroutine_threadsafe(self._run(), world.loop)

    # Called by the runner, from its thread

    def observe(self) -> Observation:
        """The open turns, the receipts since the last look, and how the session ended.

        Raises
        ------
        WolvesError
            If no session can be played on the server.
        """
        with self._lock:
            receipts, self._receipts = tuple(self._receipts), []
            if self._fault is not None:
                raise self._fault
            return Observation(tuple(self._open.values()), self._ended, receipts=receipts)

    def act(self, response: Response, *, perhaps_sent: bool = False) -> None:
        """Pass an answer to the seat that asked, or that will ask later.

        If a killed run may have sent it, the seat itself looks it up, because its journal records
        that it was about to act.
        """
        with self._lock:
            self._open.pop(response.turn, None)
        self._world.loop.call_soon_threadsafe(self._give, response)

    def close(self) -> None:
        """Stop playing; the server keeps the session."""
        self._running.cancel()

    # Called in the event loop

    def ask(self, question: Question) -> asyncio.Future[Answer]:
        """Open a question as a turn."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        number = self._number(question.seat, question.turn)
        early = self._early.pop(number, None)
        if early is not None:
            future.set_result(self._answer(question, early))
            return future
        trial = self._world.server.trial(self._episode, question, number)
        self._waiting[number] = _Waiting(question, future)
        with self._lock:
            self._open[number] = Turn(trial, self._seats[question.seat - 1])
        self._wake()
        return future

    def withdraw(self, question: Question, why: str) -> None:
        """Close a turn that is no longer waiting for an answer."""
        number = self._number(question.seat, question.turn)
        self._waiting.pop(number, None)
        with self._lock:
            self._open.pop(number, None)

    def receipt(self, question: Question, fate: Fate, why: str) -> None:
        """Pass on the outcome of an answer."""
        self._note(Receipt(self._number(question.seat, question.turn), fate, why))
        self._wake()

    async def _run(self) -> None:
        ended, fault = "", None
        try:
            await self._world.opened()
            name = f"{self._episode.id}-{self._episode.replicate}.seats.jsonl"
            with SessionLog(self._world.folder / name) as journal:
                for line in journal.of("receipt"):
                    # The previous run may have ended between this line and the runner's.
                    number = self._number(line["seat"], line["turn"])
                    self._note(Receipt(number, line["status"], line["why"]))
                await self._world.server.play(self._episode, self, journal)
            ended = COMPLETE
        except LostError as error:
            _log.warning("session %s was lost: %s", self._episode.id, error)
            ended = LOST
        except BrokenError as error:
            _log.warning("session %s cannot continue: %s", self._episode.id, error)
            ended = UNANSWERED
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            fault = error
        with self._lock:
            self._ended, self._fault = ended, fault
        self._wake()

    def _give(self, response: Response) -> None:
        waiting = self._waiting.pop(response.turn, None)
        if waiting is None:
            self._early[response.turn] = response
        elif not waiting.future.done():
            waiting.future.set_result(self._answer(waiting.question, response))

    def _answer(self, question: Question, response: Response) -> Answer:
        if response.status == "failed":
            why = response.error or "the speaker gave no answer"
            return Answer(None, why, default=True)
        if isinstance(response.value, Mapping):
            return Answer(dict(response.value))
        return Answer(None, self._world.server.unread(question, response))

    def _note(self, receipt: Receipt) -> None:
        with self._lock:
            self._receipts.append(receipt)

    def _number(self, seat: int, turn: int) -> int:
        """Number of a question in the session, from its number within the seat."""
        return int(turn) * len(self._seats) + int(seat) - 1
