"""The HTTP client under inspect-ai's providers, which checks requests and replies.

The vendors' clients follow redirects with the prompts, and for some providers with the key. They
accept any body as a reply. They get the client of this module instead. It sends to one origin
only and follows no redirect. It repairs replies that differ from their documentation, and turns
anything else into an error that quotes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Literal

from many_wolves.speakers.api import results
from many_wolves.speakers.api.formats import other_format
from many_wolves.speakers.api.repair import repair

Kind = Literal["retry", "fail", "stop"]

CONNECT_S = 30.0
"""Seconds until a host counts as unreachable; the whole request has a separate limit."""

_QUESTIONS = ("/messages", "/completions", "/responses", ":generateContent")
"""Suffixes of the paths for questions; other paths serve batches."""

_SHOWN = 400
_EVENT_STREAM = re.compile(rb"\s*(?:event|data|id|retry|):")
_BEGUN = re.compile(rb"message_start|\"error\"")
_PAGE = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_BAD_GATEWAY = 502
_UNFINISHED = ("in_progress", "queued", "cancelled")
_CODES = {
    **dict.fromkeys(("invalid_prompt", "invalid_request_error", "context_length_exceeded"), 400),
    **dict.fromkeys(("rate_limit_exceeded", "rate_limit_error", "insufficient_quota"), 429),
    "overloaded_error": 529,
}
"""HTTP statuses of errors inside a reply with status 200, by code or type."""

Origin = tuple[str, str, int | None]


class ReplyError(Exception):
    """A reply that is not an answer, with its consequence.

    Parameters
    ----------
    kind
        ``retry``; ``fail`` this trial; ``stop``, because every request would fail.
    words
        What was received instead of an answer.
    fix
        For ``stop``: what the user can do.
    """

    def __init__(self, kind: Kind, words: str, fix: str = "") -> None:
        super().__init__(words)
        self.kind = kind
        self.words = words
        self.fix = fix


class NotSentError(Exception):
    """A request was prepared but not sent."""


class Guard:
    """Checks of the requests and replies of one client.

    Attributes
    ----------
    holding
        While it is set, no request is sent.
    held
        Body of the last request that was held back; None if there was none.
    replied
        Whether a server was ever reached: if not, the host is considered dead; otherwise the
        failure is temporary.
    answered
        Whether any question got a reply. If so, other pages (such as a proxy's) are treated as
        temporary, and the request is retried.
    """

    def __init__(self) -> None:
        self.holding = False
        self.held: Any = None
        self.replied = False
        self.answered = False
        self._origin: Origin | None = None

    def check(self, request: Any) -> None:
        """Reject a request to another origin than the first; store one that is held back.

        Raises
        ------
        ReplyError
            If the origin differs, or the address contains credentials.
        NotSentError
            If nothing is to be sent.
        """
        url = request.url
        if url.userinfo:
            raise ReplyError(
                "stop",
                "the address of the server contains credentials",
                "remove them from the address and set the key in the environment",
            )
        origin = (url.scheme, url.host, url.port)
        self._origin = self._origin or origin
        if origin != self._origin:
            raise ReplyError(
                "stop",
                f"a reply refers to another server, {_named(origin)}; nothing was sent there",
                "check --base_url",
            )
        if self.holding:
            self.held = json.loads(request.content or b"{}")
            raise NotSentError

    def read(self, response: Any, *, streamed: bool) -> Any:
        """The response with its body read, and repaired if necessary.

        Parameters
        ----------
        streamed
            Whether an event stream was requested.

        Raises
        ------
        ReplyError
            If it is a redirect, a page, or anything else but a reply.
        """
        self.replied = True
        status = response.status_code
        if response.has_redirect_location or 300 <= status < 400:
            raise self._redirect(response)
        if not response.is_success:
            return response
        response = _replaced(response, _decodable(response.content))
        body = response.content
        path = response.request.url.path
        if path.endswith(results.PATHS):
            return _replaced(response, results.readable(_repaired_lines(body)))
        if not path.endswith(_QUESTIONS):
            return _replaced(response, _repaired_body(body))
        if body.lstrip()[:1] in (b"{", b"["):
            return self._whole(response, streamed=streamed)
        if _EVENT_STREAM.match(body) and streamed:
            if path.endswith("/messages") and not _BEGUN.search(body):
                raise ReplyError("retry", "the connection was closed before the reply")
            self.answered = True
            return _replaced(response, _repaired_lines(body))
        raise self._no_reply(response)

    def _whole(self, response: Any, *, streamed: bool) -> Any:
        """A reply in JSON."""
        try:
            reply = json.loads(response.content)
        except ValueError as error:
            what = "more than one value" if "Extra data" in str(error) else "one that is cut off"
            raise ReplyError("retry", f"expected one JSON value, found {what}: {error}") from error
        if not isinstance(reply, dict):
            raise ReplyError(
                "stop" if reply and not self.answered else "retry",
                f"expected an object, found {first_words(response.text)}",
                "check --provider and --base_url: the server speaks another format",
            )
        fault = _error_in(reply)
        if fault is not None:
            return _failed(response, reply, fault)
        if streamed:
            raise ReplyError(
                "retry" if self.answered else "stop",
                f"expected a stream of events, found {first_words(response.text)}",
                "ask the same server through --provider openai-compatible",
            )
        other = other_format(response.request.url.path, reply)
        if other:
            raise ReplyError(
                "stop" if reply and not self.answered else "retry",
                other,
                "check --provider and --base_url: the server speaks another format",
            )
        missing = _missing_in(reply)
        if missing:
            raise ReplyError("retry", missing)
        self.answered = True
        return _replaced(response, _repaired(response.content, reply))

    def _redirect(self, response: Any) -> ReplyError:
        status = response.status_code
        where = response.next_request.url if response.next_request is not None else None
        to = (
            f"to {_named((where.scheme, where.host, where.port))}{where.path}"
            if where is not None
            else "without a target"
        )
        return ReplyError(
            "stop",
            f"HTTP {status} ({phrase(status)}): the server redirects {to}; "
            "redirects are not followed, because they would send the prompts and the key there",
            "give the address of a server that you trust with --base_url",
        )

    def _no_reply(self, response: Any) -> ReplyError:
        kind = response.headers.get("content-type", "").partition(";")[0] or "no content type"
        words = first_words(response.text)
        found = f"{kind}, which begins: {words}" if words else f"nothing ({kind})"
        return ReplyError(
            "retry" if self.answered or not words else "stop",
            f"expected a reply in JSON, found {found}",
            "turn streaming off in the server: no stream was requested"
            if kind == "text/event-stream"
            else "check --base_url: most servers want /v1 at its end",
        )


def guarded_client(library: Any, guard: Guard, timeout_s: float) -> Any:
    """An asynchronous client of ``httpx`` or ``httpx2`` whose requests pass a guard."""
    return _client_class(library)(
        guard,
        timeout=library.Timeout(timeout_s, connect=CONNECT_S),
        limits=library.Limits(max_connections=None, max_keepalive_connections=None),
        verify=_certificates(library),
        follow_redirects=False,
    )


@cache
def _certificates(library: Any) -> Any:
    """The trusted certificates; loading them takes longer than a request."""
    return library.create_ssl_context()


@cache
def _client_class(library: Any) -> Any:
    class GuardedClient(library.AsyncClient):  # type: ignore[misc]
        """An HTTP client that sends only what its guard allows."""

        def __init__(self, guard: Guard, **options: Any) -> None:
            super().__init__(**options)
            self._guard = guard

        @property
        def event_hooks(self) -> dict[str, list[Any]]:
            # inspect-ai times requests with hooks, and adds new ones at each request to Google;
            # they
            # would accumulate if not removed.
            return {"request": [], "response": []}

        async def send(self, request: Any, *, stream: bool = False, **options: Any) -> Any:
            self._guard.check(request)
            options["follow_redirects"] = False
            response = await super().send(request, **options)
            return self._guard.read(response, streamed=stream)

    return GuardedClient


def phrase(status: int) -> str:
    """The standard phrase of an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return {529: "Overloaded"}.get(status, "no standard status")


def first_words(text: str) -> str:
    """The beginning of a text on one line; for an HTML page, without its tags."""
    plain = " ".join((_TAGS.sub(" ", text) if _PAGE.search(text) else text).split())
    return plain if len(plain) <= _SHOWN else plain[:_SHOWN].rstrip() + " ..."


def _error_in(reply: Mapping[str, Any]) -> dict[str, Any] | None:
    """The error that a server sent instead of a reply or of its message."""
    error = reply.get("error")
    choices = reply.get("choices")
    if not error and isinstance(choices, list) and choices and isinstance(choices[0], dict):
        error = choices[0].get("error")
    elif reply.get("status") != "failed" and (
        choices or reply.get("output") or reply.get("content")
    ):
        return None
    if not error:
        return None
    return error if isinstance(error, dict) else {"message": str(error)}


def _missing_in(reply: Mapping[str, Any]) -> str:
    """Why a well-formed reply has no answer; empty if it has one.

    inspect-ai invents a text for a reply of Google without candidates.
    """
    if reply.get("object") == "response" and reply.get("status") in _UNFINISHED:
        return f"the reply is {reply['status']}, not finished"
    blocked = reply.get("promptFeedback")
    empty = "choices" in reply and not reply["choices"]
    if empty or ("usageMetadata" in reply and not reply.get("candidates") and not blocked):
        return "the reply has no choice"
    return ""


def _failed(response: Any, reply: dict[str, Any], error: dict[str, Any]) -> Any:
    """The response with the status that belongs to the error inside it."""
    return _with_body(response, json.dumps(reply | {"error": error}).encode(), status_in(error))


def status_in(error: Mapping[str, Any]) -> int:
    """The HTTP status that belongs to an error by its code or type; 502 if none is known."""
    code = str(error.get("code") or error.get("type") or "")
    status = int(code) if re.fullmatch("[0-9]{3}", code) else _CODES.get(code, _BAD_GATEWAY)
    return status if 400 <= status < 600 else _BAD_GATEWAY


def _replaced(response: Any, body: bytes) -> Any:
    return response if body == response.content else _with_body(response, body)


def _decodable(body: bytes) -> bytes:
    """The body without a BOM, and with U+FFFD for bytes that are not UTF-8.

    One odd token can cause such bytes.
    """
    if json.detect_encoding(body) not in ("utf-8", "utf-8-sig"):
        return body
    return body.decode("utf-8-sig", errors="replace").encode()


def _repaired_body(body: bytes) -> bytes:
    """Repair a body that is not a reply to a question."""
    try:
        found = json.loads(body)
    except ValueError:
        return _repaired_lines(body)
    return _repaired(body, found)


def _repaired(body: bytes, found: Any) -> bytes:
    """The JSON of a repaired value; ``body`` itself if nothing was repaired."""
    before, after = json.dumps(found), json.dumps(repair(found))
    return body if before == after else after.encode()


def _repaired_lines(body: bytes) -> bytes:
    """A body of JSON lines, or of server-sent events, with each object repaired."""
    return b"\n".join(_repaired_line(line) for line in body.split(b"\n"))


def _repaired_line(line: bytes) -> bytes:
    start, data = (b"data: ", line[5:]) if line.startswith(b"data:") else (b"", line)
    if data.lstrip()[:1] != b"{":
        return line
    try:
        found = json.loads(data)
    except ValueError:
        return line
    fixed = _repaired(data, found)
    return line if fixed is data else start + fixed


def _with_body(response: Any, body: bytes, status: int | None = None) -> Any:
    """The response with another body, and with another status."""
    encoded = ("content-encoding", "content-length", "transfer-encoding")
    return type(response)(
        status_code=status or response.status_code,
        headers=[(k, v) for k, v in response.headers.multi_items() if k.lower() not in encoded],
        content=body,
        request=response.request,
        extensions=response.extensions,
    )


def _named(origin: Origin) -> str:
    scheme, host, port = origin
    return f"{scheme}://{host}" + (f":{port}" if port else "")
