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
from dataclasses import dataclass

KEY = "sk-planted-7f3a9c51d2e84b06"
ANSWER = "It was good."
REASONING = "Bob would like to hear that."
REASONS = {429: "Too Many Requests", 500: "Internal Server Error", 529: "Overloaded"}


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call.

    kind: ``status``, ``drop`` (no reply), ``cut`` (connection lost in the body),
    ``cut_json`` (a whole reply with half of its JSON), ``stall``, ``refusal``,
    ``empty``, ``max_tokens``.
    """

    kind: str
    status: int = 0
    retry_after: float | None = None
    stall_s: float = 0.0


Plan = Callable[[int, str], Fault | None]
"""Number of the call from zero, and the prompt -> what goes wrong with it."""


class FaultServer:
    """Serves in a thread; a context manager."""

    def __init__(self, plan: Plan = lambda n, prompt: None, delay_s: float = 0.0) -> None:
        self.plan = plan
        self.delay_s = delay_s
        self.calls: list[dict] = []
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
        server = self._loop.run_until_complete(start)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _hang_up(self) -> None:
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
        refused = _refuse(headers, path, body)
        if refused:
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
        fault = self.plan(number, prompt)
        if fault:
            self.faults[fault.kind] += 1
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        kind = fault.kind if fault else ""
        if kind == "stall":
            try:
                # A client that gives up hangs up: it is then no longer served.
                await asyncio.wait_for(reader.read(1), fault.stall_s)
                return False
            except TimeoutError:
                pass
        if kind == "drop":
            return False
        if kind == "status":
            extra = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
            words = {"error": {"type": "api_error", "message": f"status {fault.status}"}}
            return await _send(writer, fault.status, {"type": "error", **words}, extra)
        reply = _reply(path, body, kind)
        if path.endswith("/messages") and body.get("stream"):
            return await _stream(writer, reply, cut=kind in ("cut", "cut_json"))
        data = json.dumps(reply).encode()
        if kind == "cut":
            _head(writer, 200, len(data), {})
            writer.write(data[: len(data) // 2])
            await writer.drain()
            return False
        if kind == "cut_json":
            data = data[: len(data) // 2]
        _head(writer, 200, len(data), {})
        writer.write(data)
        await writer.drain()
        return True

    async def _batch(self, writer, method, path, body, headers) -> bool:
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
                "result": {"type": "succeeded", "message": _messages(one["params"], "")},
            }
            for one in self.batches[name]
        ]
        data = "".join(json.dumps(line) + "\n" for line in lines).encode()
        _head(writer, 200, len(data), {})
        writer.write(data)
        await writer.drain()
        return True

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
            "results_url": f"http://{headers['host']}/v1/messages/batches/{name}/results"
            if done
            else None,
        }


def _refuse(headers, path, body):
    """A wrong key or an unknown model; like some providers, it repeats the key it was given."""
    key = headers.get("x-api-key") or headers.get("x-goog-api-key")
    key = key or headers.get("authorization", "").removeprefix("Bearer ")
    if key != KEY:
        words = {"type": "authentication_error", "message": f"Incorrect API key provided: {key}"}
        return 401, {"type": "error", "error": words}
    if "unknown" in str(body.get("model", "")) or "unknown" in path:
        words = {"type": "not_found_error", "message": "model: unknown", "code": "model_not_found"}
        return 404, {"type": "error", "error": words}
    return None


def _prompt(body) -> str:
    messages = body.get("messages") or body.get("input") or body.get("contents")
    return json.dumps(messages, sort_keys=True)


def _reply(path, body, kind) -> dict:
    if path.endswith("/messages"):
        return _messages(body, kind)
    if path.endswith("/chat/completions"):
        return _chat(body, kind)
    if path.endswith("/responses"):
        return _responses(body, kind)
    return _google(kind)


def _messages(body, kind) -> dict:
    stop = {"refusal": "refusal", "max_tokens": "max_tokens"}.get(kind, "end_turn")
    text = {"refusal": "I can't help.", "empty": "", "max_tokens": "It"}.get(kind, ANSWER)
    content = [{"type": "text", "text": text}] if text else []
    if body.get("thinking", {}).get("type") in ("adaptive", "enabled"):
        content.insert(0, {"type": "thinking", "thinking": REASONING, "signature": "c2lnbg=="})
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 100,
            "output_tokens": 7,
            "output_tokens_details": {"thinking_tokens": 5 if len(content) > 1 else 0},
        },
    }


def _chat(body, kind) -> dict:
    message = {"role": "assistant", "content": ANSWER, "refusal": None}
    finish = "stop"
    if kind == "refusal":
        message |= {"content": "I can't help."}
        finish = "content_filter"
    if kind == "empty":
        message["content"] = ""
    if kind == "max_tokens":
        message["content"], finish = "It", "length"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107},
    }


def _responses(body, kind) -> dict:
    content = {"type": "output_text", "text": ANSWER, "annotations": []}
    if kind == "refusal":
        content = {"type": "refusal", "refusal": "I can't help."}
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [] if kind == "empty" else [content],
    }
    incomplete = {"reason": "max_output_tokens"} if kind == "max_tokens" else None
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": body["model"],
        "status": "incomplete" if incomplete else "completed",
        "incomplete_details": incomplete,
        "error": None,
        "instructions": None,
        "metadata": {},
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "temperature": None,
        "top_p": None,
        "usage": {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 5},
            "total_tokens": 107,
        },
    }


def _google(kind) -> dict:
    finish = {"refusal": "SAFETY", "max_tokens": "MAX_TOKENS"}.get(kind, "STOP")
    text = {"refusal": "", "empty": "", "max_tokens": "It"}.get(kind, ANSWER)
    parts = [{"text": text}] if text else []
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 7, "totalTokenCount": 107}
    return {
        "candidates": [
            {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
        ],
        "usageMetadata": usage,
        "modelVersion": "tester",
    }


def _head(writer, status, length, extra, kind="application/json") -> None:
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'OK')}", f"content-type: {kind}"]
    lines += [f"{name}: {value}" for name, value in extra.items()]
    lines += ["connection: close" if length is None else f"content-length: {length}", "", ""]
    writer.write("\r\n".join(lines).encode())


async def _send(writer, status, body, extra=None) -> bool:
    data = json.dumps(body).encode()
    _head(writer, status, len(data), extra or {})
    writer.write(data)
    await writer.drain()
    return True


async def _stream(writer, message, cut) -> bool:
    """An Anthropic message as server-sent events."""
    empty = {**message, "content": [], "stop_reason": None}
    events = [{"type": "message_start", "message": empty}]
    for index, block in enumerate(message["content"]):
        name = "thinking" if block["type"] == "thinking" else "text"
        blank = {**block, name: ""}
        if name == "thinking":
            blank["signature"] = ""
        events.append({"type": "content_block_start", "index": index, "content_block": blank})
        deltas = [{"type": f"{name}_delta", name: block[name]}]
        if name == "thinking":
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        for delta in deltas:
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": stop, "usage": message["usage"]})
    events.append({"type": "message_stop"})
    data = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events).encode()
    _head(writer, 200, None, {}, "text/event-stream")
    writer.write(data[: len(data) // 2] if cut else data)
    await writer.drain()
    return False


if __name__ == "__main__":
    with FaultServer(delay_s=float(sys.argv[1])) as running:
        print(running.port, flush=True)
        threading.Event().wait()
