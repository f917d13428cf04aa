"""The network client of the lab's server: REST with retries, and one socket per player."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from many_wolves.errors import WolvesError
from many_wolves.worlds.ibex.protocol import Event, join, read, saved_landowner

_log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 15.0
REQUEST_S = 60.0
SAVING_ATTEMPTS = 5
"""Failures of the status after which the server is probably not saving."""
REWARDS_S = 20.0
"""Seconds, approximately, during which data without rewards are requested again."""


class GameGoneError(Exception):
    """The server does not know the game, as after a restart: it keeps games in memory."""


@dataclass(frozen=True)
class Address:
    """The server and the login; user and password come from the environment.

    Parameters
    ----------
    url
        URL of the REST interface, such as ``http://127.0.0.1:3080``.
    socket
        URL of the websocket; by default the same host at port 3088.
    user, password
        Login of an administrator, to create games. Recovery strings are derived from the
        password, so that none needs to be stored.
    """

    url: str
    socket: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, url: str, socket: str = "") -> Self:
        """An address with ``IBEX_USERNAME``, ``IBEX_PASSWORD`` and ``IBEX_SOCKET``.

        Raises
        ------
        WolvesError
            If the address contains a password, or the environment has none.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or "@" in url or not parts.hostname:
            raise WolvesError(
                f"--server: expected a URL such as http://127.0.0.1:3080, found {url!r}",
                fix="leave out user names and passwords; they come from the environment",
            )
        user = os.environ.get("IBEX_USERNAME", "")
        password = os.environ.get("IBEX_PASSWORD", "")
        if not user or not password:
            raise WolvesError(
                "the IBEX server needs a login to create games",
                fix="set IBEX_USERNAME and IBEX_PASSWORD in the environment",
            )
        scheme = "wss" if parts.scheme == "https" else "ws"
        named = socket or os.environ.get("IBEX_SOCKET") or f"{scheme}://{parts.hostname}:3088"
        return cls(url.rstrip("/"), named, user, password)

    def recovery(self, game: int, seat: int) -> str:
        """The string with which a seat rejoins; derived, never stored."""
        text = f"{game}/{seat}".encode()
        return hmac.new(self.password.encode(), text, hashlib.sha256).hexdigest()


class IbexClient:
    """REST requests; while the server is down, every method waits for it."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._http: aiohttp.ClientSession | None = None
        self._down = False

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=REQUEST_S)
        self._http = aiohttp.ClientSession(timeout=timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()

    @property
    def http(self) -> aiohttp.ClientSession:
        """The connection pool.

        Raises
        ------
        RuntimeError
            Outside ``async with``.
        """
        if self._http is None:
            raise RuntimeError("the client must be used within `async with`")
        return self._http

    async def create(self, parameters: Mapping[str, Any]) -> int:
        """Create and start a game; return its number.

        Raises
        ------
        WolvesError
            If the login or the parameters are rejected.
        """
        body = {
            "username": self.address.user,
            "password": self.address.password,
            "gameParameters": dict(parameters),
        }
        status, told = await self._request("POST", "games/create-for-llm", json=body)
        if status == 401:
            raise WolvesError(
                "the IBEX server rejected the login",
                fix="set IBEX_USERNAME and IBEX_PASSWORD to those of an administrator",
            )
        if status >= 400:
            raise WolvesError(f"the IBEX server rejected the game: {told.get('message', status)}")
        return int(told["data"]["id"])

    async def status(self, game: int, recovery: str) -> dict[str, Any] | None:
        """The server's state of a seat; None while it has not joined, or the server is saving.

        Between two phases, the server has no phase, and its status fails. In later rounds of
        futarchy, it also fails for landowners until all have declared; the seat is then read
        from the saved game.

        Raises
        ------
        GameGoneError
            If the server does not know the game.
        """
        query = {"id": str(game), "recovery": recovery}
        for attempt in range(50):
            status, told = await self._request("GET", "games/status", params=query)
            if status == 400:
                raise GameGoneError(f"the server does not know game {game}")
            if status == 200:
                data: dict[str, Any] | None = told["data"].get("gameData")
                return data
            if attempt == SAVING_ATTEMPTS:
                status, told = await self._request("GET", "games/data", params={"game_id": game})
                if status == 200 and (saved := saved_landowner(told.get("data") or {}, recovery)):
                    return saved
            await asyncio.sleep(FIRST_PAUSE_S)
        return None

    async def data(self, game: int) -> dict[str, Any]:
        """The finished game in the lab's data format, as the server publishes it.

        The server announces the end of a game before it saves the rewards. Until then, its data
        lack them, and are requested again.

        Raises
        ------
        GameGoneError
            If the server has no data of the game, or none with rewards.
        """
        pause, query = FIRST_PAUSE_S, {"game_id": str(game)}
        waited = 0.0
        while True:
            status, told = await self._request("GET", "games/data", params=query)
            data: dict[str, Any] = told.get("data") or {}
            if status < 500:
                if status >= 400 or not data.get("results"):
                    raise GameGoneError(f"the server has no data of game {game}")
                if data.get("rewards"):
                    return data
                if waited > REWARDS_S:
                    raise GameGoneError(f"the server has not saved the rewards of game {game}")
                waited += pause
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _request(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        pause = FIRST_PAUSE_S
        url = f"{self.address.url}/api/v1/{path}"
        while True:
            try:
                async with self.http.request(method, url, **options) as reply:
                    text = await reply.text()
                    self._down = False
                    try:
                        return reply.status, json.loads(text)
                    except json.JSONDecodeError:
                        return max(reply.status, 500), {"message": text[:200]}
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if not self._down:
                    kind = type(error).__name__
                    _log.warning("the IBEX server does not answer (%s); waiting for it", kind)
                self._down = True
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)


class Connection:
    """The socket of one seat: read continuously (the server closes idle ones), reconnected if lost.

    Parameters
    ----------
    client, game, seat
        The server, the game and the seat of the socket.
    on_event
        Receives every event, in order.
    """

    def __init__(
        self, client: IbexClient, game: int, seat: int, on_event: Callable[[Event], None]
    ) -> None:
        self.client, self.game = client, game
        self.recovery = client.address.recovery(game, seat)
        self._on_event = on_event
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None
        self._open = asyncio.Event()
        self.rejoined = asyncio.Event()
        self.gone = asyncio.Event()

    async def start(self) -> None:
        """Connect and join."""
        self._task = asyncio.create_task(self._keep())
        await self._open.wait()

    async def close(self) -> None:
        """Close the socket."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def send(self, message: Mapping[str, Any]) -> bool:
        """Send a message; False if the socket was lost before it was sent."""
        await self._open.wait()
        if self._socket is None:
            return False
        try:
            await self._socket.send_json({"gameId": self.game, **message})
        except (aiohttp.ClientError, ConnectionError, OSError):
            return False
        return True

    async def status(self) -> dict[str, Any] | None:
        """The server's state of this seat."""
        return await self.client.status(self.game, self.recovery)

    async def _keep(self) -> None:
        """Keep the socket open as long as the game exists."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                async with self.client.http.ws_connect(self.client.address.socket) as socket:
                    self._socket = socket
                    await socket.send_json({"gameId": self.game, **join(self.recovery)})
                    self._open.set()
                    self.rejoined.set()
                    pause = FIRST_PAUSE_S
                    async for message in socket:
                        if message.type is aiohttp.WSMsgType.TEXT:
                            with suppress(ValueError, KeyError):
                                self._on_event(read(message.data))
            except (aiohttp.ClientError, ConnectionError, OSError) as error:
                _log.debug("a socket of game %d was lost: %s", self.game, type(error).__name__)
            self._open.clear()
            self._socket = None
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
            try:
                await self.status()
            except GameGoneError:
                self.gone.set()
                self._open.set()
                return
