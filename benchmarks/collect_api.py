"""How fast API models are asked: 64 connections, 500 ms a reply, against the ideal.

The ideal is one answer per connection and reply time, 128 a second. The last line of
output is the figures as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from measure import serving

from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.records import Trial
from many_wolves.speakers import Request

ROOT = Path(__file__).parent.parent
CONNECTIONS, REPLY_S = 64, 0.5
Rate = dict[str, float]


def api(n: int, connections: int = CONNECTIONS, reply_s: float = REPLY_S) -> dict[str, Any]:
    """Answers per second and share of the ideal: of ours, and of the barest client.

    Both ask the same server, which runs in a process of its own; the bare client is the
    cheapest that asyncio allows, and so the most that this server and machine can give.
    """
    trial = trials_of(PolitenessDesign(tasks=("choice",), limit=1))[0]
    with serving("reply_server.py", reply_s) as url:
        ours = _api_rate(url, trial, n, connections)
        bare = _bare_rate(url, trial, n, connections)
    ideal = connections / reply_s
    return {
        "answers_per_s": ours["per_s"],
        "ideal_per_s": ideal,
        "share_of_ideal": ours["per_s"] / ideal,
        "share_of_bare_client": ours["per_s"] / bare["per_s"],
        "bare_client_share_of_ideal": bare["per_s"] / ideal,
        "cpu_ms_per_answer": ours["cpu_ms"],
        "connections": connections,
        "reply_s": reply_s,
        "answers": n,
        "load_average": os.getloadavg()[0],
    }


def _api_rate(url: str, trial: Trial, n: int, connections: int) -> Rate:
    """Through our speaker, as `wolves collect` has it, without the journal."""
    from many_wolves.speakers.api.model import open_model
    from many_wolves.speakers.api.retry import RetryPolicy
    from many_wolves.speakers.api.speaker import ApiSpeaker
    from many_wolves.speakers.cost import FREE, Budget
    from many_wolves.speakers.speaker_request import SpeakerRequest, describe

    spec = describe(SpeakerRequest("openai-compatible", "tester", base_url=url))
    policy = RetryPolicy(connections=connections)

    def ask(requests: list[Request]) -> tuple[float, float]:
        model = open_model(spec, "sk-planted-7f3a9c51d2e84b06", policy, batch=False)
        speaker = ApiSpeaker(spec, model, policy, Budget(FREE, None))
        begun, cpu = time.perf_counter(), time.process_time()
        statuses = {r.status for r in speaker.ask(requests, threading.Event())}
        assert statuses == {"answered"}
        return time.perf_counter() - begun, time.process_time() - cpu

    ask([Request(trial, r) for r in range(connections)])
    seconds, cpu = ask([Request(trial, r) for r in range(n)])
    return {"per_s": n / seconds, "cpu_ms": 1000 * cpu / n}


def _bare_rate(url: str, trial: Trial, n: int, connections: int) -> Rate:
    """Bytes made beforehand, replies not read: the ceiling of server and machine."""
    prompt = [{"role": m.role, "content": m.content} for m in trial.messages]
    body = json.dumps({"model": "tester", "messages": prompt}).encode()
    request = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    async def one(left: Iterator[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        for _ in left:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
        writer.close()

    async def all_of_them() -> None:
        left = iter(range(n))
        await asyncio.gather(*(one(left) for _ in range(connections)))

    begun, cpu = time.perf_counter(), time.process_time()
    asyncio.run(all_of_them())
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return {"per_s": n / seconds, "cpu_ms": 1000 * cpu / n}


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=6400, help="answers: 50 s at the ideal")
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--reply_s", type=float, default=REPLY_S, help="seconds for each reply")
    options = parser.parse_args()
    print(json.dumps(api(options.n, options.connections, options.reply_s)))


if __name__ == "__main__":
    main()
