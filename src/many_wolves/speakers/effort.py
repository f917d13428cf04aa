"""Reasoning effort: what is asked for, and what a provider makes of it.

Each provider has its own words for effort, and inspect-ai translates; some levels
it lowers, some it leaves out. Which is known before anything is paid for: the
first request is rehearsed on a server of our own on loopback, and what it asks
for is read from the wire.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, get_args

from many_wolves.errors import WolvesError
from many_wolves.records import Effort

LEVELS: tuple[str, ...] = get_args(Effort)
BUDGETS: Mapping[str, int] = {
    "none": 0,
    "minimal": 2048,
    "low": 4096,
    "medium": 10000,
    "high": 16000,
}
"""Tokens of thought for a level, where a provider or a local model counts tokens."""


def in_effect(request: Mapping[str, Any]) -> str:
    """The effort that a request asks for, as it goes over the wire.

    Returns
    -------
    str
        A level, ``N tokens``, or empty when the request leaves it to the provider.
    """
    thinking = request.get("thinking") or {}
    if thinking.get("type") in ("disabled", "between_tools"):
        return "none"
    if thinking.get("type") == "enabled":
        return f"{thinking['budget_tokens']} tokens"
    level = (request.get("output_config") or {}).get("effort")
    level = level or request.get("reasoning_effort")
    level = level or (request.get("reasoning") or {}).get("effort")
    if level:
        return str(level)
    generation = request.get("generationConfig") or {}
    google = generation.get("thinkingConfig") or {}
    level = google.get("thinkingLevel") or google.get("thinking_level")
    if level:
        return str(level).lower()
    budget = google.get("thinkingBudget", google.get("thinking_budget"))
    if budget is not None:
        return "none" if budget == 0 else f"{budget} tokens"
    return ""


def settle(
    asked: str,
    thinking_tokens: int | None,
    found: str,
    *,
    thinks: bool,
    always: bool,
    who: str,
) -> str:
    """The effort in effect, or an error before the first call.

    Parameters
    ----------
    asked, thinking_tokens
        What the user asked for; empty and None for the provider's default.
    found
        What ``in_effect`` read from the rehearsed request.
    thinks, always
        Whether the model reasons when nothing is said, and whatever is said.
    who
        Name of the speaker, for the message.

    Raises
    ------
    WolvesError
        If the provider does not take what was asked.
    """
    if not asked and thinking_tokens is None:
        return found or "provider's default"
    if asked == "none":
        if not always and (found == "none" or (not found and not thinks)):
            return "none"
        raise _unsupported(who, "reasoning cannot be turned off for it", "leave --effort out")
    if thinking_tokens is not None:
        if found == f"{thinking_tokens} tokens":
            return found
        raise _unsupported(who, "it takes no budget of tokens", "use --effort low|medium|high")
    if not found:
        raise _unsupported(who, f"it takes no reasoning effort ({asked!r} asked)", "--effort none")
    return found


class Rehearsed(NamedTuple):
    """A request as it would go over the wire; an empty one when nothing was sent."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


def rehearse(call: Callable[[str], Awaitable[Any]], run: Callable[[Any], Any]) -> Rehearsed:
    """The request that ``call`` would send.

    Parameters
    ----------
    call
        Sends one request to the server at the address it is given.
    run
        Runs a coroutine to its end.

    Raises
    ------
    Exception
        What ``call`` raised when it sent nothing.
    """
    with _listening() as (address, seen):
        try:
            run(call(address))
        except Exception:
            if not seen:
                raise
        return seen[0] if seen else Rehearsed("", {}, {})


@contextmanager
def _listening() -> Iterator[tuple[str, list[Rehearsed]]]:
    """A server on loopback that keeps each request and answers 418."""
    seen: list[Rehearsed] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            asked = json.loads(self.rfile.read(length) or b"{}")
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.append(Rehearsed(self.path, headers, asked))
            body = b'{"type": "error", "error": {"type": "rehearsal", "message": "rehearsal"}}'
            self.send_response(418)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    # It is shut down only when it looks up, every half second unless told otherwise.
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
    thread.start()
    try:
        with _no_proxy("127.0.0.1"):
            yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _no_proxy(host: str) -> Iterator[None]:
    names = ("NO_PROXY", "no_proxy")
    before = {name: os.environ.get(name) for name in names}
    for name, value in before.items():
        os.environ[name] = f"{value},{host}" if value else host
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _unsupported(who: str, words: str, mend: str) -> WolvesError:
    return WolvesError(f"{who}: {words}; nothing was asked", mend=mend)
