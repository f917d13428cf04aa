"""How fast API models are asked: 64 connections, 50 ms a reply, against the ideal.

The last line of output is the figures as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from many_wolves.families.politeness.compiler import trials_of
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.records import Trial
from many_wolves.speakers import Request

ROOT = Path(__file__).parent.parent
CONNECTIONS, REPLY_S = 64, 0.05


def api(n: int) -> dict[str, Any]:
    """Answers a second, and the share of the ideal: ours, a bare client, inspect-ai's client.

    Each asks the same server, which runs in a process of its own; the bare client is the
    cheapest that asyncio allows, and so the most that this server and machine can give.
    """
    trial = trials_of(PolitenessDesign(tasks=("choice",), limit=1))[0]
    with replying() as port:
        rates = {
            "ours": _api_rate(port, trial, n, plain=True),
            "inspect_ai_client": _api_rate(port, trial, n // 8, plain=False),
            "bare_client": _bare_rate(port, trial, n),
        }
    ideal = CONNECTIONS / REPLY_S
    ours = rates["ours"]
    return {
        "answers_per_s": ours["per_s"],
        "ideal_per_s": ideal,
        "share_of_ideal": ours["per_s"] / ideal,
        "share_of_bare_client": ours["per_s"] / rates["bare_client"]["per_s"],
        "cpu_ms_per_answer": ours["cpu_ms"],
        "by_client": {
            name: rate | {"share_of_ideal": rate["per_s"] / ideal} for name, rate in rates.items()
        },
        "load_average": os.getloadavg()[0],
    }


@contextmanager
def replying() -> Iterator[int]:
    """The port of a server of its own process."""
    server = [sys.executable, str(ROOT / "benchmarks" / "reply_server.py"), str(REPLY_S)]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def _api_rate(port: int, trial: Trial, n: int, *, plain: bool) -> dict[str, float]:
    """Through our speaker; ``plain`` False leaves every request to inspect-ai's client."""
    from many_wolves.speakers.api import ApiSpeaker
    from many_wolves.speakers.api_model import open_model
    from many_wolves.speakers.budget import FREE, Budget
    from many_wolves.speakers.patience import Patience
    from many_wolves.speakers.wanted import Wanted, describe

    spec = describe(Wanted("openai-compatible", "tester", base_url=f"http://127.0.0.1:{port}/v1"))

    def ask(requests: list[Request]) -> tuple[float, float]:
        opened = open_model(spec, "sk-planted-7f3a9c51d2e84b06", batch=False)
        opened = opened if plain else replace(opened, wire=None)
        patience = Patience(connections=CONNECTIONS)
        speaker = ApiSpeaker(spec, opened, patience, Budget(FREE, None))
        begun, cpu = time.perf_counter(), time.process_time()
        statuses = {r.status for r in speaker.ask(requests, threading.Event())}
        assert statuses == {"answered"}
        return time.perf_counter() - begun, time.process_time() - cpu

    ask([Request(trial, r) for r in range(CONNECTIONS)])
    seconds, cpu = ask([Request(trial, r) for r in range(n)])
    return {"per_s": n / seconds, "cpu_ms": 1000 * cpu / n}


def _bare_rate(port: int, trial: Trial, n: int) -> dict[str, float]:
    """Bytes made beforehand, replies not read: the ceiling of server and machine."""
    said = [{"role": m.role, "content": m.content} for m in trial.messages]
    body = json.dumps({"model": "tester", "messages": said}).encode()
    asked = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body) + body

    async def one(left: Iterator[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            writer.write(asked)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
        writer.close()

    async def all_of_them() -> None:
        left = iter(range(n))
        await asyncio.gather(*(one(left) for _ in range(CONNECTIONS)))

    begun, cpu = time.perf_counter(), time.process_time()
    asyncio.run(all_of_them())
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return {"per_s": n / seconds, "cpu_ms": 1000 * cpu / n}


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=8000, help="answers")
    print(json.dumps(api(parser.parse_args().n)))


if __name__ == "__main__":
    main()
