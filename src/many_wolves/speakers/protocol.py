"""The protocol of speakers, and their requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

from many_wolves.files import code_version, whole_text
from many_wolves.records import Response, SpeakerSpec, Trial, blank_response, response_key
from many_wolves.speakers.feed import Feed


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a speaker: a trial and a replicate number, which counts from zero."""

    trial: Trial
    replicate: int = 0

    def key(self, speaker: SpeakerSpec) -> str:
        """Key of the answer of ``speaker`` to this request."""
        return response_key(self.trial.id, speaker, self.replicate)


class Speaker(Protocol):
    """A speaker answers trials.

    An error of one request (the prompt is too long, or the server failed in every try) gives a
    response with the status ``failed``. Its ``error`` has the reason. An error that concerns
    every request (wrong key, unknown model, dead host) raises ``WolvesError`` at once.
    """

    @property
    def spec(self) -> SpeakerSpec:
        """The speaker, with every setting that can change an answer."""
        ...

    @property
    def stopped(self) -> str:
        """Why the speaker stopped, in words; empty if it did not."""
        ...

    def ask(self, requests: Feed | Sequence[Request], halt: threading.Event) -> Iterator[Response]:
        """Answer every request, in any order, each as soon as possible.

        The runner calls it once, in a thread of its speaker, with a ``Feed`` that
        keeps filling. A speaker that answers in batches drains it batch by batch. One with
        connections takes a request whenever one is free. A sequence of requests acts as a full,
        closed feed. When ``halt`` is set, no new request is begun, and running ones are
        finished. Mode ``score`` scores the options of a choice, and samples every other answer
        type. ``value`` may be None for sampled answers: the caller reads ``text``.
        """
        ...

    def close(self) -> None:
        """Free memory and connections; the speaker is not asked again."""
        ...


def respond(request: Request, spec: SpeakerSpec, *packages: str, **known: Any) -> Response:
    """The response to ``request`` with the given fields, and with time and versions.

    Unpaired surrogates, from a model that was cut off within an emoji, are replaced, because no
    file can contain them.

    Parameters
    ----------
    packages
        Names of installed packages whose version may matter to the answer.
    known
        Fields of ``Response``.
    """
    for name in ("text", "reasoning", "error"):
        if name in known:
            known[name] = whole_text(known[name])
    known["created"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    known["versions"] = _versions(packages)
    return blank_response(request.trial, spec, request.replicate, **known)


@cache
def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found = {"many-wolves": code_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed as a package"
    return found
