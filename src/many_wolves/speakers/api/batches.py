"""Batch mode of inspect-ai: its messages in our log, and a result for every request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any

from many_wolves.counting import number_of
from many_wolves.progress import log
from many_wolves.secrets import Redactor
from many_wolves.speakers.api.http import Kind, ReplyError, first_words, phrase, status_in
from many_wolves.speakers.api.results import name_of

type _Method = Callable[..., Coroutine[Any, Any, Any]]

_TEMPORARY = (408, 409, 425, 429)
"""Statuses below 500 after which the same question is asked again."""

_LOST = "the batch ended without a result for this request"

_redactors: list[Redactor] = []
"""Those of every model that was opened in batch mode, since the messages have one receiver."""
_last = [""]


def prepare_batches(redact: Redactor) -> None:
    """Log what inspect-ai says of its batches, and give every request a result.

    inspect-ai prints on the standard output, which holds a command's result, and a server can
    repeat the key. It waits without end for a request whose result is missing, or that comes
    after a batch that could not be created. One result that it cannot read costs all others.

    Parameters
    ----------
    redact
        Removes keys from a message.
    """
    if not _redactors:
        _change_methods()
    _redactors.append(redact)


def _change_methods() -> None:
    """Wrap the methods of inspect-ai.

    They are not documented, so a later version may do without them.
    """
    from inspect_ai.model._providers.util.batch import Batcher
    from inspect_ai.model._providers.util.batch_log import set_batch_log_callback
    from inspect_ai.model._providers.util.file_batcher import FileBatcher

    set_batch_log_callback(_tell)
    wrap(Batcher, "_resolve_inflight_batch", _for_every_request)
    wrap(Batcher, "_batch_worker", _that_goes_on)
    wrap(FileBatcher, "_parse_result_file", _line_by_line)
    try:
        from inspect_ai.model._providers import _anthropic_batch
    except ImportError:  # The library of this provider is not installed.
        return
    wrap(_anthropic_batch, "_get_individual_result", _readable)


def wrap(owner: Any, name: str, wrapper: Callable[[Any], Any]) -> None:
    """Replace a function of a class or module by its wrapper, if there is one of this name."""
    found = getattr(owner, name, None)
    if found is not None:
        setattr(owner, name, wraps(found)(wrapper(found)))


def _tell(words: str) -> None:
    """Log a message. The state of the batches comes every few seconds, and is logged if new."""
    for redact in _redactors:
        words = redact(words)
    state = words.partition(", oldest batch age")[0]
    if state != _last[0]:
        log.info("%s", words)
    _last[0] = state


def _for_every_request(resolve: _Method) -> _Method:
    """The method that passes on the results of a batch, with an error for each missing one.

    Results of unknown requests are left out, because they would end the work on all batches.
    """

    async def resolved(batcher: Any, batch: Any, results: Mapping[str, Any]) -> None:
        whole = {name: results.get(name, ReplyError("retry", _LOST)) for name in batch.requests}
        await resolve(batcher, batch, whole)

    return resolved


def _that_goes_on(work: _Method) -> _Method:
    """The method that sends and polls batches until there are none, whatever happens to one.

    The requests of a batch that cannot be created have got its error. Without this, the method
    would end, and requests that come later would wait for it.
    """

    async def working(batcher: Any) -> None:
        while True:
            try:
                await work(batcher)
            except asyncio.CancelledError:
                _tell_of_open(getattr(batcher, "_inflight_batches", {}))
                raise
            except Exception:  # Its words are the result of the requests.
                await asyncio.sleep(batcher._tick)
            else:
                return

    return working


def _tell_of_open(batches: Mapping[str, Any]) -> None:
    """Log which batches go on at the provider although nobody waits for them."""
    if batches:
        log.warning(
            "The provider goes on with batches of %s, and bills them; the next run asks these "
            "requests again. Fix: cancel the batches at the provider: %s",
            number_of(sum(len(batch.requests) for batch in batches.values()), "request"),
            ", ".join(batches),
        )


def _line_by_line(parse: _Method) -> _Method:
    """The method that reads a file of results, with an error for each that it cannot read."""

    async def parsed(batcher: Any, uri: str) -> dict[str, Any]:
        text = (await batcher._download_result_file(uri)).decode()
        results = [json.loads(line) for line in text.splitlines() if line.strip()]
        return {name_of(result): _one_of_file(batcher, result) for result in results}

    return parsed


def _one_of_file(batcher: Any, result: dict[str, Any]) -> Any:
    """The reply of one line, or the error that the server gives in its place."""
    fault = _fault_in(result)
    if fault is not None:
        return fault
    try:
        return batcher._parse_jsonl_line(result)[1]
    except Exception as error:  # Of a line that is not as documented.
        return _unreadable(error)


def _fault_in(result: Mapping[str, Any]) -> ReplyError | None:
    """The error in a line of OpenAI or Google; None if there is none.

    inspect-ai expects a number as its code, where OpenAI writes a word, and takes a question that
    OpenAI rejected for one that was answered.
    """
    error: Any = result.get("error")
    response = result.get("response")
    body = response.get("body") if isinstance(response, dict) else None
    status = response.get("status_code") if isinstance(response, dict) else None
    if not error and isinstance(status, int) and status >= 400:
        error = body.get("error") if isinstance(body, dict) else body
        error = error or {"code": status, "message": str(body)}
    if not error:
        return None
    error = error if isinstance(error, dict) else {"message": str(error)}
    status = status if isinstance(status, int) and status >= 400 else status_in(error)
    kind: Kind = "retry" if status >= 500 or status in _TEMPORARY else "fail"
    words = first_words(str(error.get("message") or error.get("code") or "no reason is given"))
    return ReplyError(kind, f"HTTP {status} ({phrase(status)}): {words}")


def _readable(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function that reads one of Anthropic's results, with an error if it cannot."""

    def one(result: Any) -> Any:
        try:
            found = read(result)
        except Exception as error:  # Of a result that is not as documented.
            return _unreadable(error)
        if found is None:
            return _unreadable(ValueError("no message"))
        return _unreadable(found) if isinstance(found, TypeError) else found

    return one


def _unreadable(error: Exception) -> ReplyError:
    return ReplyError("retry", f"a result of the batch cannot be read: {type(error).__name__}")
