"""A server on loopback that speaks the wire formats of API models and can fail in many ways.

``POST /v1/messages`` (Anthropic, whole or streamed), ``/v1/chat/completions`` and
``/v1/responses`` (OpenAI and compatible), ``/v1beta/models/NAME:generateContent``
(Google), and Anthropic's message batches. It knows one key and a few models, and
answers every question with ``It was good.`` after ``delay_s``, unless its plan of
faults says otherwise.

As a program it prints its port and serves until it is killed::

    python fault_server.py DELAY_SECONDS
"""

import asyncio
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from wire_formats import ANSWER, REASONING, events, messages, reply_to

__all__ = ["ANSWER", "KEY", "REASONING", "Fault", "FaultServer", "Plan"]

KEY = "sk-planted-7f3a9c51d2e84b06"
REASONS = {307: "Temporary Redirect", 429: "Too Many Requests", 500: "Internal Server Error"}


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call.

    kind: ``status``, ``drop`` (no reply), ``cut`` (connection lost in the body),
    ``cut_json`` (a whole reply with half of its JSON), ``stall``, ``refusal``,
    ``empty``, ``max_tokens``, ``edit`` (the reply is changed by ``edit``), ``raw`` (the
    body is ``body``, of type ``type``).
    """

    kind: str
    status: int = 0
    retry_after: float | str | None = None
    stall_s: float = 0.0
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    edit: Callable[[dict], dict] = lambda reply: reply
    body: bytes = b""
    type: str = "application/json"


Plan = Callable[[int, str], Fault | None]
"""Number of the call from zero, and the prompt -> what goes wrong with it."""


class FaultServer:
    """Serves in a thread; a context manager.

    ``calls`` holds every question that was let in, ``strangers`` the requests that were
    refused for their key or their model. ``results_at`` is where the results of a batch
    are said to be, when not here; ``edit_results`` changes them, and ``edit_data`` their bytes.
    ``refused_batches`` is the number of batches that are refused first; ``answer`` gives the
    answer to a request's body.
    """

    def __init__(
        self, plan: Plan = lambda n, prompt: None, delay_s: float = 0.0, key: str = KEY
    ) -> None:
        self.plan = plan
        self.delay_s = delay_s
        self.key = key
        self.answer: Callable[[dict], str] = lambda body: ANSWER
        self.results_at = ""
        self.edit_results: Callable[[list[dict]], list[dict]] = lambda lines: lines
        self.edit_data: Callable[[bytes], bytes] = lambda data: data
        self.refused_batches = 0
        self.calls: list[dict] = []
        self.strangers: list[dict] = []
        self.prompts: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.now = self.most = 0
        self.batches: dict[str, list[dict]] = {}
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = 0

    def __enter__(self) -> "FaultServer":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._hang_up())
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        start = asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=512)
        self._server = self._loop.run_until_complete(start)
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _hang_up(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader, writer) -> None:
        try:
            while await self._request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _request(self, reader, writer) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or "{}")
        refused = _refuse(self.key, headers, path, body)
        if refused:
            self.strangers.append({"path": path, "headers": headers, "body": body})
            return await _send(writer, *refused)
        if "/batches" in path:
            return await self._batch(writer, method, path, body, headers)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await self._call(reader, writer, path, body, headers)
        finally:
            self.now -= 1

    async def _call(self, reader, writer, path, body, headers) -> bool:
        prompt = _prompt(body)
        number = len(self.calls)
        self.calls.append({"path": path, "body": body, "headers": headers})
        self.prompts[prompt] += 1
        fault = self.plan(number, prompt) or Fault("")
        if fault.kind:
            self.faults[fault.kind] += 1
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if fault.kind == "stall":
            try:
                # A client that gives up hangs up: it is then no longer served.
                await asyncio.wait_for(reader.read(1), fault.stall_s)
                return False
            except TimeoutError:
                pass
        if fault.kind == "drop":
            return False
        extra = dict(fault.headers)
        if fault.retry_after is not None:
            extra["retry-after"] = str(fault.retry_after)
        if fault.kind == "raw":
            return await _write(writer, fault.status or 200, fault.body, extra, fault.type)
        if fault.kind == "status":
            words = fault.message or f"status {fault.status}"
            error = {"error": {"type": "api_error", "message": words}}
            return await _send(writer, fault.status, {"type": "error", **error}, extra)
        return await self._reply(writer, path, body, fault)

    async def _reply(self, writer, path, body, fault) -> bool:
        reply = fault.edit(reply_to(path, body, fault.kind, self.answer(body)))
        if path.endswith("/messages") and body.get("stream"):
            data = events(reply)
            cut = fault.kind in ("cut", "cut_json")
            _head(writer, 200, None, {}, "text/event-stream")
            writer.write(data[: len(data) // 2] if cut else data)
            await writer.drain()
            return False
        data = json.dumps(reply).encode()
        if fault.kind == "cut":
            _head(writer, 200, len(data), {})
            writer.write(data[: len(data) // 2])
            await writer.drain()
            return False
        return await _write(
            writer, 200, data[: len(data) // 2] if fault.kind == "cut_json" else data
        )

    async def _batch(self, writer, method, path, body, headers) -> bool:
        if method == "POST" and self.refused_batches:
            self.refused_batches -= 1
            return await _send(writer, 400, {"error": {"message": "this batch is refused"}})
        if method == "POST":
            name = f"msgbatch_{len(self.batches)}"
            self.batches[name] = body["requests"]
            return await _send(writer, 200, self._batch_record(name, headers, "in_progress"))
        name = path.split("/batches/")[1].split("/")[0].split("?")[0]
        if not path.endswith("/results"):
            return await _send(writer, 200, self._batch_record(name, headers, "ended"))
        lines = [
            {
                "custom_id": one["custom_id"],
                "result": {"type": "succeeded", "message": self._batched(one["params"])},
            }
            for one in self.batches[name]
        ]
        data = "".join(json.dumps(line) + "\n" for line in self.edit_results(lines)).encode()
        return await _write(writer, 200, self.edit_data(data))

    def _batched(self, params) -> dict:
        fault = self.plan(0, _prompt(params)) or Fault("")
        return fault.edit(messages(params, fault.kind, self.answer(params)))

    def _batch_record(self, name, headers, status) -> dict:
        n = len(self.batches[name])
        done = status == "ended"
        time = "2026-01-01T00:00:00Z"
        return {
            "id": name,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": {
                "processing": 0 if done else n,
                "succeeded": n if done else 0,
                "errored": 0,
                "canceled": 0,
                "expired": 0,
            },
            "created_at": time,
            "expires_at": time,
            "ended_at": time if done else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": (self.results_at or f"http://{headers['host']}")
            + f"/v1/messages/batches/{name}/results"
            if done
            else None,
        }


def _refuse(known, headers, path, body):
    """A wrong key or an unknown model; like some providers, it repeats the key it was given."""
    key = headers.get("x-api-key") or headers.get("x-goog-api-key")
    key = key or headers.get("authorization", "").removeprefix("Bearer ")
    if key != known:
        words = {"type": "authentication_error", "message": f"Incorrect API key provided: {key}"}
        return 401, {"type": "error", "error": words}
    if "unknown" in str(body.get("model", "")) or "unknown" in path:
        words = {"type": "not_found_error", "message": "model: unknown", "code": "model_not_found"}
        return 404, {"type": "error", "error": words}
    return None


def _prompt(body) -> str:
    found = body.get("messages") or body.get("input") or body.get("contents")
    return json.dumps(found, sort_keys=True)


def _head(writer, status, length, extra, kind="application/json") -> None:
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'OK')}", f"content-type: {kind}"]
    lines += [f"{name}: {value}" for name, value in extra.items()]
    lines += ["connection: close" if length is None else f"content-length: {length}", "", ""]
    writer.write("\r\n".join(lines).encode())


async def _send(writer, status, body, extra=None) -> bool:
    return await _write(writer, status, json.dumps(body).encode(), extra)


async def _write(writer, status, data, extra=None, kind="application/json") -> bool:
    _head(writer, status, len(data), extra or {}, kind)
    writer.write(data)
    await writer.drain()
    return True


if __name__ == "__main__":
    with FaultServer(delay_s=float(sys.argv[1])) as running:
        print(running.port, flush=True)
        threading.Event().wait()
