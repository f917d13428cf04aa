"""API speakers that ask the server of faults on loopback, for the tests of them."""

import threading

import pytest

from fault_server import KEY
from many_wolves.collection import collect
from many_wolves.speakers import Request
from many_wolves.speakers.api.retry import RetryPolicy
from many_wolves.speakers.speaker_request import SpeakerRequest, describe, open_speaker
from small_trials import read_exact

CHAT = "openai-compatible/tester"
QUICK = RetryPolicy(connections=8, retries=6, wait_s=0.02, timeout_s=5.0)


def give_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's key to every provider, as the environment of a user has it."""
    for name in ("ANTHROPIC", "OPENAI", "GOOGLE", "OPENAI_COMPATIBLE"):
        monkeypatch.setenv(f"{name}_API_KEY", KEY)


def wanted(server, model=CHAT, **options) -> SpeakerRequest:
    path = "" if model.startswith(("anthropic", "google")) else "/v1"
    options.setdefault("patience", QUICK)
    return SpeakerRequest("api", model, base_url=server.url + path, **options)


def opened(who: SpeakerRequest):
    return open_speaker(who, describe(who), lambda parameters: None)


def ask(who: SpeakerRequest, listed):
    return list(opened(who).ask([Request(t) for t in listed], threading.Event()))


def journal_of(path, who, listed):
    spec = describe(who)
    return collect(
        listed,
        replicates=1,
        spec=spec,
        open_speaker=lambda: open_speaker(who, spec, lambda parameters: None),
        reader=read_exact,
        journal=path,
        say=lambda text: None,
    )
