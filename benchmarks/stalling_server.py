"""A server that plays games: it names an option of the last question, and now and then stalls.

    python benchmarks/stalling_server.py SECONDS SHARE STALL_SECONDS

Prints its port, serves until it is killed. Every reply takes ``SECONDS``; the share ``SHARE``
of them, drawn with a fixed seed in the order of the requests, takes ``STALL_SECONDS`` more.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import Any


def reply_to(body: dict[str, Any], chance: random.Random) -> bytes:
    """A reply in OpenAI's chat format that names one of the options asked for."""
    lines = body["messages"][-1]["content"].splitlines()
    options = [line[2:] for line in lines if line.startswith("- ")]
    message = {"role": "assistant", "content": chance.choice(options)}
    reply = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "tester",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107},
    }
    data = json.dumps(reply).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(data) + data


async def serve(pause_s: float, share: float, stall_s: float) -> None:
    """Serve until the process ends."""
    chance = random.Random(1)

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
                body = json.loads(await reader.readexactly(length))
                await asyncio.sleep(pause_s + stall_s * (chance.random() < share))
                writer.write(reply_to(body, chance))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*map(float, sys.argv[1:4])))
