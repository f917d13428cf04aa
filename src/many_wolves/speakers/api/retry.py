"""What a failed call to an API means: try again, give this trial up, or stop altogether."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, Literal

Kind = Literal["retry", "fail", "stop"]

_MOST_WAIT_S = 60.0
_NO_CREDIT = ("exceeded your current quota", "insufficient_quota", "credit balance is too low")
_BAD_KEY = ("api_key_invalid", "api key not valid")
_ABOUT_ALL = ("effort", "reasoning", "thinking", "temperature", "top_p", "max_tokens", "model")
_UNREACHED = {"ConnectError", "ConnectTimeout", "ClientConnectorError", "gaierror"}
_WIRE = ("httpx", "httpcore", "anthropic", "openai", "google", "aiohttp", "anyio", "json")


@dataclass(frozen=True)
class RetryPolicy:
    """How long and how hard a request is tried.

    Parameters
    ----------
    connections
        Requests under way at once.
    retries
        Further tries after a failed one.
    wait_s
        First wait, doubled from try to try; a server's Retry-After comes before it.
    timeout_s
        Longest time of one try; None in batch mode, where answers take hours.
    tick_s
        In batch mode, seconds between two looks at a batch; None: inspect-ai's 15.
    """

    connections: int = 32
    retries: int = 10
    wait_s: float = 1.0
    timeout_s: float | None = 600.0
    tick_s: float | None = None


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """What to do about an error.

    Parameters
    ----------
    kind
        ``retry``; ``fail`` this trial; ``stop`` because every trial would meet it.
    words
        What the server or the network said.
    mend
        For ``stop``: what the user can do.
    retry_after_s
        Seconds that the server asks to wait; None when it says nothing.
    """

    kind: Kind
    words: str
    mend: str = ""
    retry_after_s: float | None = None


def classify_error(error: BaseException, *, reached: bool, key_name: str) -> ErrorClass:
    """What an error means.

    Parameters
    ----------
    reached
        Whether the server has replied to anything yet: a host that never did is
        dead, one that did is having a bad moment.
    key_name
        Environment variable of the key.
    """
    words = _words(error)
    status = _status(error)
    if status is None:
        return _no_reply(error, words, reached)
    mend = _mend_for_all(status, words.lower(), reached, key_name)
    if mend:
        return ErrorClass("stop", words, mend)
    if status in (408, 409, 425, 429) or status >= 500:
        return ErrorClass("retry", words, retry_after_s=_retry_after(error))
    return ErrorClass("fail", words)


def _mend_for_all(status: int, lower: str, reached: bool, key_name: str) -> str:
    """What mends a fault that every request would meet; empty for any other fault."""
    if status in (401, 403) or any(w in lower for w in _BAD_KEY):
        return f"set {key_name} to a key that may use this model"
    if status == 404:
        return "check --model_name (and --base_url)"
    if status == 402 or any(w in lower for w in _NO_CREDIT):
        return "add credit to the account, then run the same command again"
    if status == 400 and not reached and any(w in lower for w in _ABOUT_ALL):
        return "change the setting that the message names"
    return ""


def backoff_s(attempt: int, base_s: float, retry_after_s: float | None) -> float:
    """Seconds to wait after ``attempt`` failures (from one): doubling, with jitter.

    A wait that the server asks for is kept, and never shortened.
    """
    jitter = random.uniform(0.5, 1.0)
    doubled: float = base_s * 2 ** (attempt - 1)
    if retry_after_s is not None:
        return retry_after_s + base_s * jitter * 0.1
    return min(_MOST_WAIT_S, doubled) * jitter


def _no_reply(error: BaseException, words: str, reached: bool) -> ErrorClass:
    chain = list(_chain(error))
    names = {type(e).__name__ for e in chain}
    unreached = bool(names & _UNREACHED) or any(
        isinstance(e, ConnectionRefusedError) for e in chain
    )
    if unreached and not reached:
        return ErrorClass(
            "stop", f"the host cannot be reached: {words}", "check the network and --base_url"
        )
    wire = any(type(e).__module__.startswith(_WIRE) for e in chain)
    if unreached or wire or any(isinstance(e, OSError | TimeoutError) for e in chain):
        return ErrorClass("retry", words)
    return ErrorClass("fail", words)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _status(error: BaseException) -> int | None:
    for one in _chain(error):
        # A broken reply, to aiohttp, has a code of its own: no server sent it.
        if type(one).__module__ == "aiohttp.http_exceptions":
            continue
        for name in ("status_code", "code"):
            value = getattr(one, name, None)
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return None


def _words(error: BaseException) -> str:
    message = getattr(error, "message", None)
    text = message if isinstance(message, str) and message else str(error)
    body = getattr(error, "body", None)
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict) and isinstance(inner.get("message"), str):
            text = inner["message"]
    status = _status(error)
    said = " ".join(text.split()) or type(error).__name__
    return f"HTTP {status}: {said}" if status else f"{type(error).__name__}: {said}"


def _retry_after(error: BaseException) -> float | None:
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        text = headers.get("retry-after")
        if text is None:
            return None
        try:
            return max(0.0, float(text))
        except ValueError:
            return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, TypeError, AttributeError):
        return None
