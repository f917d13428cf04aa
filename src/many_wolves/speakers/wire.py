"""Plain requests to API models, sent without the cost of a client library.

inspect-ai settles what a request says: its address, headers and body, settings and
effort included. For each shape of prompt (its sequence of roles) it is let make one
request, to a server of our own on loopback, with marks where the words would be. Every
further request of this shape is that one with its words filled in, sent by aiohttp.

Replies that are streamed, and formats not read here, stay with inspect-ai's clients.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from many_wolves.records import Message, Role
from many_wolves.speakers.effort import Rehearsed
from many_wolves.speakers.outputs import Said

Rehearsal = Callable[[Sequence[Message], int | None], Rehearsed]
"""Makes inspect-ai send these messages, with a seed or without, to loopback."""

_SEED = 730_912_561
_MARK = "many-wolves part {}"


class StatusError(Exception):
    """A reply with a status of failure; read by ``faults.judge``."""

    def __init__(self, status: int, headers: Any, text: str) -> None:
        super().__init__(text[:2000])
        self.status_code = status
        self.headers = headers
        self.response = self
        try:
            self.body: Any = json.loads(text)
        except ValueError:
            self.body = None


class Shape:
    """One request as inspect-ai makes it, with places for its words and its seed."""

    def __init__(self, sent: Rehearsed, parts: int, *, seeded: bool) -> None:
        body = json.dumps(sent.body)
        marks = [json.dumps(_MARK.format(i)) for i in range(parts)]
        self.path = sent.path
        self.headers = sent.headers
        self.whole = all(body.count(mark) == 1 for mark in marks)
        self.whole &= body.count(str(_SEED)) == int(seeded)
        self._pieces: list[tuple[str, str]] = []
        cuts = sorted(
            (body.index(mark), mark) for mark in [*marks, *[str(_SEED)] * seeded] if mark in body
        )
        start = 0
        for place, mark in cuts:
            self._pieces.append((body[start:place], mark))
            start = place + len(mark)
        self._rest = body[start:]

    def fill(self, messages: Sequence[Message], seed: int | None) -> bytes:
        """The body of a request."""
        words = {json.dumps(_MARK.format(i)): m.content for i, m in enumerate(messages)}
        said = (
            before + (json.dumps(words[mark]) if mark in words else str(seed))
            for before, mark in self._pieces
        )
        return ("".join(said) + self._rest).encode()


class Wire:
    """Sends plain requests.

    Parameters
    ----------
    rehearse
        Makes one request of a shape.
    reader
        Reads the replies: one of ``replies.READERS``.
    url
        Address of the server, without what a request adds to it.
    rehearsed_prefix
        What stands before that addition in a rehearsed path.
    limit
        Most tokens of an answer, for the note on one that was cut off.
    seeded
        Whether requests carry a seed.
    """

    def __init__(
        self,
        rehearse: Rehearsal,
        reader: Callable[[Any, int], Said],
        url: str,
        rehearsed_prefix: str,
        limit: int,
        *,
        seeded: bool,
    ) -> None:
        self._rehearse = rehearse
        self._reader = reader
        self._url = url.rstrip("/")
        self._prefix = rehearsed_prefix
        self._limit = limit
        self._seeded = seeded
        self._shapes: dict[tuple[Role, ...], Shape] = {}
        self._session: Any = None
        self._proxy = _proxy(url)

    def learn(self, prompts: Sequence[Sequence[Message]]) -> None:
        """Rehearse one request of each shape among the prompts."""
        for roles in dict.fromkeys(_roles(prompt) for prompt in prompts):
            if roles not in self._shapes:
                marked = [Message(role, _MARK.format(i)) for i, role in enumerate(roles)]
                sent = self._rehearse(marked, _SEED if self._seeded else None)
                self._shapes[roles] = Shape(sent, len(roles), seeded=self._seeded)

    def knows(self, prompt: Sequence[Message]) -> bool:
        """Whether a request of this shape was rehearsed."""
        return _roles(prompt) in self._shapes

    def takes(self, prompt: Sequence[Message]) -> bool:
        """Whether this prompt can be sent so: blank words are a matter for inspect-ai."""
        shape = self._shapes.get(_roles(prompt))
        return shape is not None and shape.whole and all(m.content.strip() for m in prompt)

    async def ask(self, prompt: Sequence[Message], seed: int) -> Said:
        """Send one request and read its reply.

        Raises
        ------
        StatusError
            If the status is one of failure.
        Exception
            Whatever the network raises; ``ConnectionError`` for a reply that cannot be
            read.
        """
        shape = self._shapes[_roles(prompt)]
        session = self._opened()
        url = self._url + shape.path.removeprefix(self._prefix)
        body = shape.fill(prompt, seed)
        async with session.post(
            url, data=body, headers=shape.headers, allow_redirects=False, proxy=self._proxy
        ) as reply:
            data = await reply.read()
            if reply.status != 200:
                raise StatusError(reply.status, reply.headers, data.decode(errors="replace"))
        found = json.loads(data)
        try:
            return self._reader(found, self._limit)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ConnectionError(f"the reply has not the form expected: {error!r}") from error

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> Any:
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session


def _roles(prompt: Sequence[Message]) -> tuple[Role, ...]:
    return tuple(message.role for message in prompt)


def _proxy(url: str) -> str | None:
    """The environment's proxy for an address, looked up once: aiohttp would at each request."""
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
