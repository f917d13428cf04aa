"""Batch mode of inspect-ai: its messages in our log, and a result for every request."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any

from many_wolves.progress import log
from many_wolves.secrets import Redactor
from many_wolves.speakers.api.http import ReplyError

type _Resolve = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]

_RESOLVE = "_resolve_inflight_batch"
_LOST = "the batch ended without a result for this request"

_redactors: list[Redactor] = []
"""Those of every model that was opened in batch mode, since the messages have one receiver."""
_last = [""]


def prepare_batches(redact: Redactor) -> None:
    """Log what inspect-ai says of its batches, and report requests that a batch does not answer.

    inspect-ai prints on the standard output, which holds a command's result, and a server can
    repeat the key. It waits without end for a request whose result is missing.

    Parameters
    ----------
    redact
        Removes keys from a message.
    """
    from inspect_ai.model._providers.util.batch import Batcher
    from inspect_ai.model._providers.util.batch_log import set_batch_log_callback

    if not _redactors:
        # inspect-ai does not document this method, so a later version may do without it.
        resolve = getattr(Batcher, _RESOLVE, None)
        if resolve is not None:
            setattr(Batcher, _RESOLVE, _for_every_request(resolve))
        set_batch_log_callback(_tell)
    _redactors.append(redact)


def _tell(words: str) -> None:
    """Log a message. The state of the batches comes every few seconds, and is logged if new."""
    for redact in _redactors:
        words = redact(words)
    state = words.partition(", oldest batch age")[0]
    if state != _last[0]:
        log.info("%s", words)
    _last[0] = state


def _for_every_request(resolve: _Resolve) -> _Resolve:
    """The method that passes on the results of a batch, with an error for each missing one.

    Results of unknown requests are left out, because they would end the work on all batches.
    """

    @wraps(resolve)
    async def resolved(batcher: Any, batch: Any, results: Mapping[str, Any]) -> None:
        whole = {name: results.get(name, ReplyError("retry", _LOST)) for name in batch.requests}
        await resolve(batcher, batch, whole)

    return resolved
