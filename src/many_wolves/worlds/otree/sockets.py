"""The live part of a page: messages in both directions, chats, and the signal to move on.

An experiment may tell clients without a browser what its own script would show. An entry
``wolves`` in the variables of a page (``js_vars``), or in a live message, may contain

- ``text``: the current content of the page, instead of its HTML;
- ``view``: the same for programs;
- ``schema``: JSON schema of the live message that the page sends, which is then the only
  possible answer;
- ``default``: the live message that counts as doing nothing, for a seat that gives no answer;
- ``open``: whether the participant may act now (false: it waits for others);
- ``leave``: whether the page's script would submit the page now;
- ``error``: why the last message was rejected;
- ``refs``: references of the applied actions. Each of our live messages then contains a field
  ``ref``, so that a possibly lost one can be looked up.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from typing import Any

import aiohttp

from many_wolves.worlds.desk import Fate
from many_wolves.worlds.otree.client import OTreeClient
from many_wolves.worlds.otree.pages import Chat, Page
from many_wolves.worlds.otree.prompts import on_load_messages

_log = logging.getLogger(__name__)

EFFECT_S = 2.0
"""Seconds to wait for news after an own message that had no reply."""
ACKNOWLEDGED_S = 30.0
"""Seconds per wait for the acknowledgement of a message; such waits are repeated."""
LONGEST_LINE = 4_000
REJECTED = "the page could not process this message"
REJECTED_LATE = "The page could not process your last message, although it seemed accepted."


class Inbox:
    """Sockets of one page, and the messages received since it was opened.

    ``late`` has the references of own messages that had counted as accepted, and failed later.
    """

    def __init__(self, client: OTreeClient, page: Page) -> None:
        self.client = client
        self.page = page
        self.live = bool(page.live_url)
        self.received: list[str] = []
        self.left = asyncio.Event()
        self.opened = asyncio.Event()
        self.text = ""
        self.view: Mapping[str, Any] = {}
        self.refs: list[str] | None = None
        self.schema: Mapping[str, Any] | None = None
        self.default: Mapping[str, Any] | None = None
        self.leave = False
        self.late: list[str] = []
        self._failure = ""
        self._sending = False
        self._last = ""
        self._news = asyncio.Event()
        self._marks = count()
        self._pongs: dict[bytes, asyncio.Event] = {}
        self._stack = AsyncExitStack()
        self._live: aiohttp.ClientWebSocketResponse | None = None
        self._chats: dict[str, tuple[Chat, aiohttp.ClientWebSocketResponse]] = {}
        self.opened.set()
        self._told(page.variables.get("wolves"))

    async def start(self) -> None:
        """Open the page's sockets; if that fails, the page counts as left."""
        try:
            await self._start()
        except (aiohttp.ClientError, ConnectionError, OSError) as error:
            _log.warning(
                "a socket of %s/%s does not open: %s", self.page.app, self.page.name, error
            )
            self.left.set()

    async def restart(self, page: Page) -> None:
        """Open the sockets of a reloaded page."""
        await self.close()
        self.page = page
        self._told(page.variables.get("wolves"))
        await self.start()

    async def close(self) -> None:
        """Close the sockets."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        self._live = None
        self._chats = {}
        self.left = asyncio.Event()

    async def _start(self) -> None:
        if self.page.live_url:
            self._live = await self._open(self.page.live_url, self._live_message)
            await self._tell(self._live, *on_load_messages(self.page))
        for chat in self.page.chats:
            self._chats[chat.channel] = (chat, await self._open(chat.path, self._chat_lines))
        if self.page.advance_url and (self.page.seconds_left is not None or self.live):
            await self._open(self.page.advance_url, self._page_left)

    async def do(self, value: Mapping[str, Any], ref: str, patience: float) -> tuple[Fate, str]:
        """Send a live message, write to a chat, or wait for news.

        Returns
        -------
        tuple
            ``accepted``; ``refused`` if the page fails on it; ``unknown`` if the connection broke
            before an effect was seen.
        """
        try:
            if self.schema is not None:
                return await self._send(value, ref)
            match value.get("do"):
                case "send":
                    return await self._send(value.get("message"), ref)
                case "write":
                    return await self._write(str(value.get("text") or ""))
                case "wait":
                    await self.news(patience)
                    return "accepted", ""
                case other:
                    return "refused", f"do: {other!r} is not possible here"
        except (aiohttp.ClientError, ConnectionError, OSError) as error:
            return "unknown", f"the connection broke: {type(error).__name__}"

    async def news(self, patience: float) -> None:
        """Wait for a message, for the page to be left, or for some seconds."""
        self._news.clear()
        waits = {asyncio.ensure_future(event.wait()) for event in (self._news, self.left)}
        await asyncio.wait(waits, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    def take(self) -> list[str]:
        """The messages received since the last question."""
        lines, self.received = self.received, []
        return lines

    async def _send(self, message: Any, ref: str) -> tuple[Fate, str]:
        if self._live is None or self._live.closed:
            return "unknown", "the live connection is closed"
        if message is None:
            return "refused", "message: please give the message that the page sends"
        if self.refs is not None and isinstance(message, Mapping):
            message = {**message, "ref": ref}
        self._failure, self._sending, self._last = "", True, ref
        try:
            if self.refs is None:
                await self._tell(self._live, message)
            else:
                await self._live.send_json(message)
                await self._applied(ref)
        finally:
            self._sending = False
        return ("refused", self._failure) if self._failure else self._seen(self._live)

    async def _applied(self, ref: str) -> None:
        """Wait until the server has applied or rejected a message, or is gone."""
        while not (self._failure or ref in (self.refs or ()) or self.left.is_set()):
            await self.news(ACKNOWLEDGED_S)

    async def _write(self, text: str) -> tuple[Fate, str]:
        if not text.strip():
            return "refused", "text: please write something, or wait"
        if not self._chats:
            return "refused", "this page has no chat"
        chat, socket = next(iter(self._chats.values()))
        await self._tell(socket, {"body": text, "nickname_signed": chat.nickname_signed})
        return self._seen(socket)

    def _seen(self, socket: aiohttp.ClientWebSocketResponse) -> tuple[Fate, str]:
        return ("unknown", "the connection broke") if socket.closed else ("accepted", "")

    async def _tell(self, socket: aiohttp.ClientWebSocketResponse, *messages: Any) -> None:
        """Send messages and wait until the server has processed them, and its replies are here.

        oTree processes live messages and requests one after another. So the answer to a request
        follows the effects of each message that had arrived before. Only a live method that is an
        asynchronous generator may reply later.
        """
        if not messages:
            return
        self._news.clear()
        for message in messages:
            await socket.send_json(message)
        await self._arrived(socket)
        await self.client.wait_for_turn()
        await self._arrived(socket)
        if not (self._failure or self._news.is_set() or self.left.is_set()):
            await self.news(EFFECT_S)

    async def _arrived(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Wait until all that was sent on a socket has arrived, in both directions."""
        mark = str(next(self._marks)).encode()
        pong = self._pongs[mark] = asyncio.Event()
        await socket.ping(mark)
        waits = {asyncio.ensure_future(event.wait()) for event in (pong, self.left)}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _open(self, path: str, take: Any) -> aiohttp.ClientWebSocketResponse:
        socket = await self._stack.enter_async_context(self.client.socket(path, autoping=False))
        task = asyncio.create_task(self._listen(socket, take, self.left))
        self._stack.callback(task.cancel)
        return socket

    async def _listen(
        self, socket: aiohttp.ClientWebSocketResponse, take: Any, left: asyncio.Event
    ) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.PING:
                await socket.pong(message.data)
            if message.type is aiohttp.WSMsgType.PONG and bytes(message.data) in self._pongs:
                self._pongs.pop(bytes(message.data)).set()
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            with suppress(json.JSONDecodeError):
                take(json.loads(message.data))
                self._news.set()
        # The server closed the socket, so the page is loaded again.
        left.set()

    def _live_message(self, told: Any) -> None:
        if isinstance(told, dict) and told.get("otree_success") is False:
            if self._sending:
                self._failure = REJECTED
            elif self._last:
                # A failure before any own message concerns one that the script sent.
                self.late.append(self._last)
                self.received.append(REJECTED_LATE)
            return
        payload = told.get("live_method_payload") if isinstance(told, dict) else told
        if isinstance(payload, dict) and "wolves" in payload:
            self._told(payload["wolves"])
            payload = {name: value for name, value in payload.items() if name != "wolves"}
            if self.text:
                return
        if payload:
            self.received.append(_line(payload))

    def _chat_lines(self, told: Any) -> None:
        for line in told if isinstance(told, list) else ():
            self.received.append(_line(f"{line.get('nickname', '')}: {line.get('body', '')}"))

    def _page_left(self, told: Any) -> None:
        if isinstance(told, dict) and told.get("auto_advanced"):
            self.left.set()

    def _told(self, wolves: Any) -> None:
        """The entries of the experiment for clients without a browser."""
        if not isinstance(wolves, dict):
            return
        self.text = wolves.get("text", self.text)
        self.view = wolves.get("view", self.view)
        if "refs" in wolves:
            self.refs = [str(ref) for ref in wolves["refs"]]
        self.schema = wolves.get("schema", self.schema)
        self.default = wolves.get("default", self.default)
        self.leave = bool(wolves.get("leave", False))
        self._failure = str(wolves.get("error") or "")
        if wolves.get("open", True) or self.leave:
            self.opened.set()
        else:
            self.opened.clear()


@asynccontextmanager
async def open_inbox(client: OTreeClient, page: Page) -> AsyncIterator[Inbox]:
    """The sockets of a page, which are closed at the end."""
    inbox = Inbox(client, page)
    try:
        await inbox.start()
        yield inbox
    finally:
        await inbox.close()


def _line(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]} ..."
