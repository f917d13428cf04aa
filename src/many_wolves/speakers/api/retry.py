"""Classifies a failed call to an API: retry, give up this trial, or stop altogether."""

from __future__ import annotations

import errno
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from many_wolves.progress import duration
from many_wolves.records import SpeakerSpec
from many_wolves.speakers.api.http import Kind, ReplyError, first_words, phrase
from many_wolves.speakers.api.settings import COMPATIBLE, OMISSIBLE

LONGEST_WAIT_S = 3600.0
"""Longest wait that a server may request: beyond it, waiting and hanging look the same."""

NEW_LIMIT = "max_completion_tokens"
"""The name of the token limit in OpenAI's chat format if ``max_tokens`` is rejected."""

_MOST_WAIT_S = 60.0
_NO_CREDIT = ("insufficient_quota", "credit balance is too low")
_QUOTA = "exceeded your current quota"
"""OpenAI says this about an empty account, but Google about any limit, with the time to wait."""
_TRY_AGAIN = re.compile(r"(?:try again|retry)\s+in\s+(\d+(?:\.\d+)?)\s*(ms|s|m|h)\b", re.IGNORECASE)
_SECONDS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_BAD_KEY = ("api_key_invalid", "api key not valid")
_SETTINGS = (
    *("effort", "reasoning", "reasoning_effort", "thinking", "budget_tokens", "temperature"),
    *("top_p", "seed", "max_tokens", "max_completion_tokens", "max_output_tokens", "model"),
)
_NOT_TAKEN = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|"
    r"not found|not exist|invalid|deprecated|must be|should be|out of range|extra (?:inputs|fields)"
)
_ABOUT_PROMPT = re.compile(
    r"context|too long|too many tokens|prompt|flagged|moderation|policy|safety"
)
_ALSO_RETRIED = (409, 425)
_UNREACHED = {"ConnectError", "ConnectTimeout", "gaierror", "ConnectionRefusedError"}
_TRANSPORT = ("httpx", "httpcore", "anyio", "h11")
_WRAPPERS = {"APIConnectionError", "APITimeoutError"}


@dataclass(frozen=True)
class RetryPolicy:
    """Settings of retries.

    Parameters
    ----------
    connections
        Maximum number of simultaneous requests.
    retries
        Number of retries after a failure.
    wait_s
        First wait, doubled after each retry; a server's Retry-After has priority.
    timeout_s
        Time limit of one request; None in batch mode, in which answers take hours.
    tick_s
        Polling interval of a batch in seconds; None for inspect-ai's default of 15.
    """

    connections: int = 32
    retries: int = 10
    wait_s: float = 1.0
    timeout_s: float | None = 600.0
    tick_s: float | None = None


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """The consequence of an error.

    Parameters
    ----------
    kind
        ``retry``; ``fail`` this trial; ``stop``, because every trial would fail.
    words
        Message of the server or the network.
    fix
        For ``stop``: what the user can do.
    retry_after_s
        Wait that the server requests, in seconds; None if it requests none.
    """

    kind: Kind
    words: str
    fix: str = ""
    retry_after_s: float | None = None


class Provider(Protocol):
    """The methods of inspect-ai's ``ModelAPI`` that classify errors."""

    def should_retry(self, ex: Exception) -> Any:
        """Whether a retry can help; a ``RetryDecision`` also states when."""
        ...

    def is_auth_failure(self, ex: Exception) -> bool:
        """Whether the key was rejected."""
        ...


def classify_error(
    error: Exception, provider: Provider, *, reached: bool, answered: bool, key_name: str
) -> ErrorClass:
    """Classify an error of a call.

    Parameters
    ----------
    reached
        Whether the server has ever replied: if not, the host is considered dead; otherwise the
        failure is temporary.
    answered
        Whether it has answered a question, so that the settings are known to work.
    key_name
        Environment variable of the key.
    """
    for cause in _chain(error):
        if isinstance(cause, ReplyError):
            return ErrorClass(cause.kind, cause.words, cause.fix)
    status = status_of(error)
    if status is None:
        return _without_reply(error, provider, reached)
    words = f"HTTP {status} ({phrase(status)}): {message_of(error)}"
    decision = provider.should_retry(error)
    wait = _retry_after(error, decision)
    fix = _fix_for_all(error, status, words.lower(), provider, answered, key_name, wait)
    if fix:
        return ErrorClass("stop", words, fix)
    if not decision and status not in _ALSO_RETRIED:
        return ErrorClass("fail", words)
    if wait is not None and wait > LONGEST_WAIT_S:
        return ErrorClass("fail", f"{words}; {_too_long(wait)}", retry_after_s=wait)
    return ErrorClass("retry", words, retry_after_s=wait)


def renames_limit(spec: SpeakerSpec, status: int | None, words: str) -> bool:
    """Whether a server requires the newer name of the token limit."""
    asked = spec.provider == COMPATIBLE and spec.max_tokens > 0
    return asked and status in (400, 422) and NEW_LIMIT in words


def backoff_s(attempt: int, base_s: float, retry_after_s: float | None) -> float:
    """Seconds to wait after ``attempt`` failures (from one): doubling, with jitter.

    A wait that the server requests is never shortened.
    """
    jitter = random.uniform(0.5, 1.0)
    doubled: float = base_s * 2 ** (attempt - 1)
    if retry_after_s is not None:
        return retry_after_s + base_s * jitter * 0.1
    return min(_MOST_WAIT_S, doubled) * jitter


def _too_long(wait: float) -> str:
    return (
        f"the server asks to wait {duration(wait)} before the next try; "
        f"the longest wait accepted is {duration(LONGEST_WAIT_S)}"
    )


def _fix_for_all(
    error: Exception,
    status: int,
    lower: str,
    provider: Provider,
    answered: bool,
    key_name: str,
    wait: float | None,
) -> str:
    """The fix of an error that would affect every request; empty for other errors."""
    moderated = status == 403 and _ABOUT_PROMPT.search(lower)
    refused = status in (401, 403) or provider.is_auth_failure(error)
    if (refused and not moderated) or any(words in lower for words in _BAD_KEY):
        return f"set {key_name} to a key that may use this model"
    if status == 404:
        return "check --model_name (and --base_url)"
    empty = any(words in f"{lower} {_code(error)}" for words in _NO_CREDIT)
    if status == 402 or empty or (_QUOTA in lower and wait is None):
        return "add credit to the account, then run the same command again"
    if status in (400, 422) and not answered and _about_every_request(lower):
        field = next((name for name in OMISSIBLE if re.search(rf"\b{name}\b", lower)), "")
        way = f" (--omit {field} leaves it out)" if field else ""
        return f"change the setting named in the message{way}"
    return ""


def _about_every_request(lower: str) -> bool:
    """Whether a rejection is about a setting, not about the prompt or its length."""
    named = any(re.search(rf"\b{name}\b", lower) for name in _SETTINGS)
    return named and bool(_NOT_TAKEN.search(lower)) and not _ABOUT_PROMPT.search(lower)


def _without_reply(error: Exception, provider: Provider, reached: bool) -> ErrorClass:
    """Classify an error without a status: from the network, this machine, or reading a reply."""
    causes = list(_chain(error))
    # The vendors' libraries only say that the connection failed.
    named = next((e for e in causes if type(e).__name__ not in _WRAPPERS), error)
    words = f"{type(named).__name__}: {message_of(named)}"
    if any(isinstance(e, OSError) and e.errno in (errno.EMFILE, errno.ENFILE) for e in causes):
        return ErrorClass(
            "stop",
            "this process has reached the system's limit of open files and connections",
            "use fewer --connections, or raise the limit (`ulimit -n 4096`)",
        )
    unreached = any(type(e).__name__ in _UNREACHED for e in causes)
    if unreached and not reached:
        return ErrorClass(
            "stop", f"the host cannot be reached: {words}", "check the network and --base_url"
        )
    transport = any(type(e).__module__.startswith(_TRANSPORT) for e in causes)
    if unreached or transport or any(isinstance(e, OSError | TimeoutError) for e in causes):
        return ErrorClass("retry", words)
    if provider.should_retry(error):
        return ErrorClass("retry", words)
    return ErrorClass("fail", f"the reply cannot be read: {words}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, the errors behind it, and the members of groups."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def status_of(error: BaseException) -> int | None:
    """The HTTP status of an error; None if no server replied."""
    for one in _chain(error):
        for name in ("status_code", "code"):
            value = getattr(one, name, None)
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return None


def message_of(error: BaseException) -> str:
    """The server's message on one line; for an HTML page its first words."""
    message = getattr(error, "message", None)
    text = message if isinstance(message, str) and message else str(error)
    body = _body(error)
    inner = body.get("error", body) if isinstance(body, dict) else None
    if isinstance(inner, dict):
        text = _told(inner) or text
        # A router repeats the message of the provider behind it.
        behind = inner.get("metadata")
        raw = behind.get("raw") if isinstance(behind, dict) else None
        if isinstance(raw, str) and raw not in text:
            text = f"{text} ({first_words(raw)})"
    elif body is None or isinstance(body, str):
        text = _page(error) or body or text
    return first_words(text) or type(error).__name__


def _body(error: BaseException) -> Any:
    """The body of an error; Google's is a list of one error in its OpenAI format."""
    body = getattr(error, "body", None)
    return body[0] if isinstance(body, list) and body else body


def _told(body: Mapping[str, Any]) -> str:
    """The message in the body of an error; FastAPI lists the fields that it rejects."""
    for name in ("message", "detail", "msg", "error", "errors"):
        found = body.get(name)
        if isinstance(found, list):
            found = "; ".join(filter(None, map(_of_field, found)))
        if isinstance(found, str) and found.strip():
            return found
    return ""


def _of_field(fault: Any) -> str:
    """One entry of a list of faults: ``body.seed: Extra inputs are not permitted``."""
    if not isinstance(fault, dict):
        return fault if isinstance(fault, str) else ""
    place = fault.get("loc")
    field = ".".join(map(str, place)) if isinstance(place, list) else ""
    return ": ".join(filter(None, (field, str(fault.get("msg") or fault.get("message") or ""))))


def _page(error: BaseException) -> str:
    """The body of a reply that is not JSON; empty if there is none."""
    try:
        text = str(getattr(getattr(error, "response", None), "text", ""))
    except RuntimeError:  # The body of a stream is not kept.
        return ""
    return "" if text.lstrip()[:1] in ("{", "[") else text


def _code(error: BaseException) -> str:
    """The code and the type that a server gives its error."""
    body = _body(error)
    inner = body.get("error", body) if isinstance(body, dict) else None
    inner = inner if isinstance(inner, dict) else {}
    return " ".join(str(inner.get(name, "")) for name in ("code", "type"))


def _retry_after(error: BaseException, decision: Any) -> float | None:
    """Wait that the server requests, in seconds; None if it gives nothing readable."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        seconds = _wait_in(headers, name, unit)
        if seconds is not None:
            return seconds
    wait = getattr(decision, "retry_after", None)
    if wait is not None:
        return float(wait)
    told = _TRY_AGAIN.search(message_of(error))
    return float(told[1]) * _SECONDS[told[2].lower()] if told else None


def _wait_in(headers: Any, name: str, unit: float) -> float | None:
    """The wait in a header, in seconds, as a number or an HTTP date (RFC 9110, 10.2.3)."""
    try:
        seconds = float(headers.get(name, "")) * unit
    except ValueError:
        until = _date_in(headers, name)
        if until is None:
            return None
        # A server counts from its own clock, which may differ from ours.
        now = _date_in(headers, "date") or datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    return seconds if seconds >= 0 else None  # NaN is neither.


def _date_in(headers: Any, name: str) -> datetime | None:
    """The date of a header; None if it has none that can be read."""
    try:
        date = parsedate_to_datetime(headers.get(name, ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
