"""Faults of an API over real HTTP: each ends in an answer or in its true status."""

import multiprocessing
import os
import random
import signal
import threading
from contextlib import redirect_stderr
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from api_speakers import CHAT, QUICK, ask, give_keys, journal_of, wanted
from fault_server import KEY, REASONING, Fault, FaultServer
from many_wolves.cli import run
from many_wolves.commands.collect import command
from many_wolves.errors import WolvesError
from many_wolves.speakers.api.retry import _retry_after, backoff_s
from many_wolves.store.journal_lines import read_journal
from small_trials import a_trial, keys, trials, write_trials


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    give_keys(monkeypatch)


def mixed_faults(seed, kinds, share):
    """Faults for a share of all prompts, each on the first calls of its prompt only."""
    chance = random.Random(seed)
    seen: dict[str, list[Fault]] = {}
    lock = threading.Lock()

    def plan(number, prompt):
        with lock:
            if prompt not in seen:
                bad = chance.random() < share
                seen[prompt] = [chance.choice(kinds) for _ in range(chance.randint(1, 3))] * bad
            return seen[prompt].pop() if seen[prompt] else None

    return plan


PASSING = [
    Fault("status", 429, retry_after=0.05),
    Fault("status", 429),
    Fault("status", 500),
    Fault("status", 529),
    Fault("drop"),
    Fault("cut"),
    Fault("cut_json"),
    Fault("stall", stall_s=30.0),
]


@pytest.mark.parametrize("model", ["anthropic/claude-haiku-4-5", CHAT, "openai/gpt-5-mini"])
def test_faults_that_pass_end_in_answers_and_their_waits_are_recorded(tmp_path, model):
    listed = trials(60)
    with FaultServer(mixed_faults(5, PASSING, 0.5), delay_s=0.005) as server:
        who = wanted(server, model, patience=replace(QUICK, timeout_s=3.0))
        done = journal_of(tmp_path / "j.jsonl", who, listed)
        assert done.asked == {"answered": 60}
        assert set(server.faults) == {fault.kind for fault in PASSING}
        assert server.most <= QUICK.connections
        found = read_journal(tmp_path / "j.jsonl").responses
        assert sum(r.retries for r in found) == sum(server.faults.values())
        assert all((r.waited_s > 0) == (r.retries > 0) for r in found)
    assert len(set(keys(tmp_path / "j.jsonl"))) == 60


def test_streamed_reasoning_survives_a_cut_connection():
    cut = [Fault("cut"), Fault("status", 529)]
    with FaultServer(mixed_faults(2, cut, 1.0)) as server:
        found = ask(wanted(server, "anthropic/claude-opus-4-6", effort="low"), trials(8))
    assert {r.status for r in found} == {"answered"}
    assert {r.reasoning for r in found} == {REASONING}
    assert sum(r.retries for r in found) > 0


def test_a_fault_that_does_not_pass_fails_its_trial_alone(tmp_path):
    path = tmp_path / "j.jsonl"
    broken = [True]

    def plan(number, prompt):
        return Fault("status", 500) if broken and "cake 3?" in prompt else None

    with FaultServer(plan) as server:
        who = wanted(server, patience=replace(QUICK, retries=2))
        assert journal_of(path, who, trials(6)).asked == {"answered": 5, "failed": 1}
        (failed,) = [r for r in read_journal(path).responses if r.status == "failed"]
        assert "500" in failed.error
        assert failed.retries == 2
        broken.clear()
        assert journal_of(path, who, trials(6)).asked == {"answered": 1}
    assert len(set(keys(path))) == len(keys(path)) == 6


def test_the_wait_that_a_server_asks_for_is_kept():
    assert backoff_s(1, 0.01, 7.0) >= 7.0
    assert backoff_s(9, 1.0, None) <= 60.0
    waits = iter([Fault("status", 429, retry_after=0.7)])
    with FaultServer(lambda n, prompt: next(waits, None)) as server:
        (found,) = ask(wanted(server), [a_trial(1)])
    assert found.retries == 1
    assert found.waited_s >= 0.7


NOW = "Sun, 06 Nov 1994 08:49:37 GMT"


def _refused(headers: dict[str, str | None]) -> Exception:
    """An error as a client raises it, with the headers of the reply."""
    error: Any = Exception("429")
    error.response = SimpleNamespace(headers=headers)
    refused: Exception = error
    return refused


@pytest.mark.parametrize(
    ("after", "wait"),
    [
        ("40", 40.0),
        ("Sun, 06 Nov 1994 08:50:17 GMT", 40.0),
        ("Sunday, 06-Nov-94 08:50:17 GMT", 40.0),
        ("Sun Nov  6 08:50:17 1994", 40.0),
        ("Sun, 06 Nov 1994 09:50:17 +0100", 40.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0.0),
        ("Sun, 06 Nov 1904 08:00:00 GMT", 0.0),
        ("Mon, 06 Nov 1995 08:49:37 GMT", 31_536_000.0),
        ("Sun, 99 Nov 1994 08:50:17 GMT", None),
        ("Sun, 06 Nov 999999999999 08:50:17 GMT", None),
        ("later", None),
        ("-5", None),
        ("nan", None),
        ("", None),
    ],
)
def test_a_wait_is_seconds_or_a_date(after, wait):
    assert _retry_after(_refused({"retry-after": after, "date": NOW}), None) == wait


def test_a_date_is_compared_to_our_clock_if_the_server_does_not_tell_its_own():
    for days, low, high in ((1, 86_000, 86_400), (-1, 0, 0)):
        until = datetime.now(UTC) + timedelta(days=days)
        error = _refused({"retry-after": format_datetime(until)})
        assert low <= _retry_after(error, None) <= high


def test_a_date_in_years_ends_the_run_as_a_long_wait_does(tmp_path):
    fault = Fault("status", 429, retry_after="Fri, 31 Dec 9999 23:59:59 GMT")
    years = pytest.raises(WolvesError, match=r"asks to wait .*years")
    with FaultServer(lambda n, prompt: fault) as server, years:
        journal_of(tmp_path / "j.jsonl", wanted(server), trials(30))


@pytest.mark.parametrize(
    ("model", "key", "words"),
    [
        (CHAT, "sk-wrong-key-123456789", "401"),
        ("anthropic/claude-haiku-4-5", "sk-wrong-key-123456789", "401"),
        ("google/gemini-2.5-flash", "sk-wrong-key-123456789", "401"),
        ("openai-compatible/unknown", KEY, "404"),
        ("anthropic/claude-unknown", KEY, "404"),
    ],
)
def test_a_fault_of_all_ends_at_once_and_leaves_nothing(tmp_path, model, key, words):
    path = tmp_path / "j.jsonl"
    with FaultServer() as server:
        with pytest.raises(WolvesError, match=words) as caught:
            journal_of(path, wanted(server, model, api_key=key), trials(30))
        assert server.calls == []
    assert key not in str(caught.value)
    assert caught.value.fix
    assert list(tmp_path.iterdir()) == []


def test_a_dead_host_is_named_at_once(tmp_path):
    with FaultServer() as server:
        who = wanted(server)
    with pytest.raises(WolvesError, match="cannot be reached"):
        journal_of(tmp_path / "j.jsonl", who, trials(30))
    assert list(tmp_path.iterdir()) == []


def test_a_request_that_is_always_refused_ends_the_run(tmp_path):
    with (
        FaultServer(lambda n, prompt: Fault("status", 422)) as server,
        pytest.raises(WolvesError, match="10 requests in a row were refused"),
    ):
        journal_of(tmp_path / "j.jsonl", wanted(server), trials(30))


FORK = multiprocessing.get_context("fork")


def journal_quietly(path, who, listed):
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        journal_of(path, who, listed)


def test_a_planted_key_is_in_no_output(tmp_path, capfd, monkeypatch):
    listed = write_trials(tmp_path / "t.jsonl", trials(12))
    faults = [*PASSING[:6], Fault("refusal")]
    with FaultServer(mixed_faults(1, faults, 0.7)) as server:
        common = [listed, "--model_type", "api", "--out", tmp_path / "out", "--retry_wait", "0.02"]
        common += ["--base_url", server.url + "/v1", "--model_name"]

        def status(*words):
            return run(command, [str(word) for word in (*common, *words)])

        assert status(CHAT, "--explain") == 0
        assert status(CHAT, "--dry-run") == 0
        assert server.calls == []
        assert status(CHAT) == 0
        assert status("openai/gpt-4o", "--api_key", KEY) == 0
        assert status("openai-compatible/unknown") == 2
        monkeypatch.setenv("OPENAI_API_KEY", KEY + "x")
        assert status("openai/gpt-4o-mini") == 2
    out, err = capfd.readouterr()
    assert "[key]" in err
    assert "Warning: a key on the command line" in err
    assert len(list(tmp_path.rglob("*.jsonl"))) == 3
    files = [f.read_text() for f in tmp_path.rglob("*") if f.is_file()]
    assert not any(KEY in text for text in [*files, out, err])


def test_killed_over_http_a_run_goes_on_and_ends_complete(tmp_path):
    path = tmp_path / "j.jsonl"
    chance = random.Random(4)
    kills = 0
    with FaultServer(mixed_faults(3, PASSING[:5], 0.2), delay_s=0.05) as server:
        who = wanted(server)
        for _ in range(12):
            child = FORK.Process(target=journal_quietly, args=(path, who, trials(150)))
            child.start()
            child.join(chance.uniform(0.3, 0.8))
            if child.is_alive():
                os.kill(child.pid, signal.SIGKILL)
                kills += 1
            child.join()
        journal_of(path, who, trials(150))
        calls = len(server.calls)
        assert journal_of(path, who, trials(150)).asked == {}
        assert len(server.calls) == calls
    assert kills > 3
    assert len(set(keys(path))) == len(keys(path)) == 150
    assert {r.status for r in read_journal(path).responses} == {"answered"}
