"""A server that plays games: it names an option, haggles, or gives advice, and now and then stalls.

    python benchmarks/game_server.py SECONDS [SHARE STALL_SECONDS]

Prints its port, serves until it is killed. Every reply takes ``SECONDS``; the share ``SHARE``
of them, drawn with a fixed seed in the order of the requests, takes ``STALL_SECONDS`` more.
A reply is drawn from the text of its request, so that the same request gets the same reply. If the
last message lists options, the reply is one of them. A haggler accepts with probability .1, names
no price with .8, and else offers the last price that was named. A critic gets three lines.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from typing import Any

ADVICE = "1. Do not give way too early. 2. Give a reason. 3. Stay friendly."
ACCEPTS, TALKS = 0.1, 0.9
_PRICE = re.compile(r"\$\d[\d,.]*\d|\$\d")


def words_of(messages: list[dict[str, Any]]) -> str:
    """What is replied to a chat."""
    last = messages[-1]["content"]
    if last.startswith("You coach"):
        return ADVICE
    draws = random.Random(json.dumps(messages))
    options = [line[2:] for line in last.splitlines() if line.startswith("- ")]
    if options:
        return draws.choice(options)
    chance = draws.random()
    if chance < ACCEPTS:
        return "That is fine with me.\nDeal"
    prices = _PRICE.findall(last)
    if chance < TALKS or not prices:
        return "Could you do a little better?\nNo offer"
    return f"I could do {prices[-1]}.\nOffer: {prices[-1]}"


def reply_to(body: dict[str, Any]) -> bytes:
    """A reply in OpenAI's chat format."""
    message = {"role": "assistant", "content": words_of(body["messages"])}
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


async def serve(pause_s: float, share: float = 0.0, stall_s: float = 0.0) -> None:
    """Serve until the process ends."""
    stalls = random.Random(1)

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
                body = json.loads(await reader.readexactly(length))
                await asyncio.sleep(pause_s + stall_s * (stalls.random() < share))
                writer.write(reply_to(body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*map(float, sys.argv[1:4])))
