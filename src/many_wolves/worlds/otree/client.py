"""The network client: REST, pages and sockets of an oTree server, with retries."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from many_wolves.errors import WolvesError
from many_wolves.worlds.otree.pages import Page, read_page
from many_wolves.worlds.otree.server import Address

_log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 15.0
REQUEST_S = 120.0
BROKEN_AFTER = 4
"""Server errors (status 500 and above) on one page before it counts as broken."""


class SessionGoneError(Exception):
    """The server does not know the session or the participant."""


class BrokenPageError(Exception):
    """The experiment fails repeatedly on the server at one page."""


@dataclass(frozen=True)
class ParticipantInfo:
    """A participant of a session: its number and its code, with which it joins."""

    number: int
    code: str
    label: str


@dataclass(frozen=True)
class SessionInfo:
    """A session on the server.

    Parameters
    ----------
    code, config
        Its code and the name of its configuration.
    created
        Time of creation: a different time under the same code means a different session.
    participants
        Participants in order.
    """

    code: str
    config: str
    created: str
    participants: tuple[ParticipantInfo, ...]


class OTreeClient:
    """A connection to an oTree server, for use in one event loop.

    While the server is down, every method waits for it with growing pauses.

    Parameters
    ----------
    address
        The server.
    connections
        Maximum number of connections; the server handles one request at a time.
    """

    def __init__(self, address: Address, connections: int = 64) -> None:
        self.address = address
        self._connections = connections
        self._http: aiohttp.ClientSession | None = None
        self._down = False

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            # Participants are identified by codes in addresses; cookies would mix them up.
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=REQUEST_S),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()

    # REST

    async def configs(self) -> list[dict[str, Any]]:
        """Session configurations of the project."""
        found: list[dict[str, Any]] = await self._rest("GET", "/api/session_configs")
        return found

    async def create_session(
        self,
        config: str,
        participants: int,
        changes: Mapping[str, Any] | None = None,
        room: str = "",
        label: str = "",
    ) -> str:
        """Create a session and return its code.

        Raises
        ------
        WolvesError
            If the server rejects it: an unknown configuration, or a number that does not fit
            groups.
        """
        body: dict[str, Any] = {"session_config_name": config, "num_participants": participants}
        if changes:
            body["modified_session_config_fields"] = dict(changes)
        if room:
            body["room_name"] = room
        if label:
            body["label"] = label
        made = await self._rest("POST", "/api/sessions", body)
        code: str = made["code"]
        return code

    async def sessions(self) -> list[dict[str, Any]]:
        """All sessions of the server: code, label, configuration, number of participants."""
        found: list[dict[str, Any]] = await self._rest("GET", "/api/sessions")
        return found

    async def session(self, code: str) -> SessionInfo:
        """A session with its participants.

        Raises
        ------
        SessionGoneError
            If the server has no session with this code.
        """
        told = await self._rest("POST", f"/api/get_session/{code}", {})
        participants = tuple(
            ParticipantInfo(p["id_in_session"], p["code"], p.get("label") or "")
            for p in sorted(told["participants"], key=lambda p: p["id_in_session"])
        )
        return SessionInfo(code, told["config_name"], str(told["created_at"]), participants)

    async def export(self, path: str, **query: str) -> bytes:
        """A data export, such as ``/api/export_wide`` or ``/api/export_app``."""
        reply = await self._request("GET", path, params=query, headers=self._key())
        if reply.status != 200:
            raise _refusal(reply)
        return reply.body

    # From page to page

    async def join(self, code: str) -> Page:
        """The current page of a participant; nothing else is needed to rejoin.

        Raises
        ------
        SessionGoneError, BrokenPageError
            If the participant is unknown, or the page fails on the server.
        """
        return await self._page("GET", f"/InitializeParticipant/{code}")

    async def enter_room(self, room: str, label: str) -> Page:
        """The page behind a room: a wait page before its session exists, otherwise the first page.

        Raises
        ------
        SessionGoneError
            If there is no such room, it does not know the label, or its session is full.
        """
        passed = {"participant_label": label, "welcome_page_ok": "1"}
        return await self._page("GET", f"/room/{room}", params=passed)

    async def load(self, path: str) -> Page:
        """The page at an address, or the participant's current page instead."""
        return await self._page("GET", path)

    async def submit(self, page: Page, data: Sequence[tuple[str, str]]) -> Page:
        """Post a form and return the next page, or the same one with its errors.

        A post to a page that was already left has no effect, so this may be repeated.
        """
        return await self._page("POST", page.path, data=list(data))

    @asynccontextmanager
    async def socket(
        self, path: str, *, autoping: bool = True
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A websocket at an address of the server; without ``autoping``, it delivers pings too."""
        async with self._session().ws_connect(
            self.address.url + path, heartbeat=20, autoping=autoping, max_msg_size=2**24
        ) as socket:
            yield socket

    async def wait_for_turn(self) -> None:
        """A request that changes nothing; its answer follows the effects of earlier messages."""
        await self._request("GET", "/favicon.ico", allow_redirects=False)

    async def _page(self, method: str, path: str, **options: Any) -> Page:
        for attempt in range(BROKEN_AFTER):
            reply = await self._request(method, path, **options)
            if reply.status == 404:
                raise SessionGoneError(reply.text[:200])
            if reply.status < 500:
                return read_page(reply.url, reply.text, reply.headers)
            _log.warning("oTree answers %d at %s", reply.status, path)
            await asyncio.sleep(FIRST_PAUSE_S * 4**attempt)
        raise BrokenPageError(f"oTree answers {reply.status} at {path}, {BROKEN_AFTER} times")

    async def _rest(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        reply = await self._request(method, path, json=body, headers=self._key())
        if reply.status == 404:
            raise SessionGoneError(reply.text[:200])
        if reply.status >= 400 or "otree-rest-key" in reply.text[:200].lower():
            raise _refusal(reply)
        return json.loads(reply.text)

    def _key(self) -> dict[str, str]:
        return {"otree-rest-key": self.address.key} if self.address.key else {}

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise RuntimeError("the client must be used within `async with`")
        return self._http

    async def _request(self, method: str, path: str, **options: Any) -> _Reply:
        """One request, repeated after a pause while the server is down."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                async with self._session().request(
                    method, self.address.url + path, **options
                ) as reply:
                    body = await reply.read()
                    self._found_again()
                    headers = {name.lower(): value for name, value in reply.headers.items()}
                    return _Reply(reply.status, str(reply.url), headers, body)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self._lost(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)

    def _lost(self, error: BaseException) -> None:
        if not self._down:
            _log.warning("oTree does not answer (%s); waiting for it", type(error).__name__)
        self._down = True

    def _found_again(self) -> None:
        if self._down:
            _log.warning("oTree answers again")
        self._down = False


@dataclass(frozen=True)
class _Reply:
    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")


def _refusal(reply: _Reply) -> WolvesError:
    """The server's message, without any part of the request."""
    if reply.status in (401, 403) or "rest-key" in reply.text.lower():
        return WolvesError(
            "the oTree server rejects the REST key, or needs one",
            fix="set OTREE_REST_KEY in the environment to the server's key",
        )
    return WolvesError(f"the oTree server answered {reply.status}: {reply.text[:300].strip()}")
