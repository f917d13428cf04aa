"""A server that replies to every chat request after a pause, as cheaply as Python can.

    python benchmarks/reply_server.py SECONDS

Prints its port, serves until it is killed. It looks at no header but the length, so
that what is measured is the client's speed. It waits by ``select``, whose time-outs
are exact to a microsecond: those of ``epoll`` are rounded up to the next millisecond.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import sys

REPLY = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "tester",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "It was good."},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107},
    }
).encode()
WHOLE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(REPLY)
) + REPLY


class Replies(asyncio.Protocol):
    """One connection."""

    def __init__(self, pause_s: float) -> None:
        self.pause_s = pause_s
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.later = asyncio.get_running_loop().call_later

    def data_received(self, data: bytes) -> None:
        self.got += data
        head, end, body = self.got.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0] or 0)
        if end and len(body) >= length:
            self.got = b""
            self.later(self.pause_s, self.transport.write, WHOLE)


async def serve(pause_s: float) -> None:
    """Serve until the process ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Replies(pause_s), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
    ) as runner:
        runner.run(serve(float(sys.argv[1])))
