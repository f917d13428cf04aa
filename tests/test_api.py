"""API speakers over real HTTP: every fault ends in an answer or its true status."""

import json
import multiprocessing
import os
import random
import signal
import threading
from contextlib import redirect_stderr
from dataclasses import replace

import pytest

from asking import a_trial, keys, read_exact, trials, write_trials
from fault_server import ANSWER, KEY, REASONING, Fault, FaultServer
from many_wolves.cli import run
from many_wolves.collection import collect
from many_wolves.commands.collect import command
from many_wolves.errors import WolvesError
from many_wolves.journals import read_journal
from many_wolves.records import Message, SpeakerSpec
from many_wolves.speakers import Request
from many_wolves.speakers.budget import Budget, Price, find_price
from many_wolves.speakers.faults import backoff_s
from many_wolves.speakers.patience import Patience
from many_wolves.speakers.replies import read_chat, read_messages
from many_wolves.speakers.wanted import Wanted, describe, open_speaker

CHAT = "openai-compatible/tester"
QUICK = Patience(connections=8, retries=6, wait_s=0.02, timeout_s=5.0)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("ANTHROPIC", "OPENAI", "GOOGLE", "OPENAI_COMPATIBLE"):
        monkeypatch.setenv(f"{name}_API_KEY", KEY)


def wanted(server, model=CHAT, **options) -> Wanted:
    path = "" if model.startswith(("anthropic", "google")) else "/v1"
    options.setdefault("patience", QUICK)
    return Wanted("api", model, base_url=server.url + path, **options)


def opened(who: Wanted):
    return open_speaker(who, describe(who), lambda parameters: None)


def ask(who: Wanted, listed):
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


@pytest.mark.parametrize(
    ("model", "options", "effort", "reasoning"),
    [
        ("anthropic/claude-haiku-4-5", {}, "provider's default", ""),
        ("anthropic/claude-opus-4-6", {"effort": "low"}, "low", REASONING),
        ("anthropic/claude-haiku-4-5", {"thinking_tokens": 2000}, "2000 tokens", REASONING),
        ("openai/gpt-4o", {}, "provider's default", ""),
        ("openai/gpt-5-mini", {"effort": "minimal"}, "minimal", ""),
        ("google/gemini-2.5-flash", {"effort": "none"}, "none", ""),
        (CHAT, {}, "provider's default", ""),
    ],
)
def test_each_wire_format_is_spoken(model, options, effort, reasoning):
    with FaultServer() as server:
        (found,) = ask(wanted(server, model, **options), [a_trial(1)])
        assert (found.status, found.text) == ("answered", ANSWER)
        assert found.effort_used == effort
        assert found.reasoning == reasoning
        assert found.usage["input"] == 100
        assert found.usage["output"] == 7
        assert len(server.calls) == 1
        assert "How was cake 1?" in json.dumps(server.calls[0]["body"])


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        ("openai/gpt-4o", {"effort": "low"}, "takes no reasoning effort"),
        ("openai/gpt-5-mini", {"effort": "none"}, "cannot be turned off"),
        ("openai/gpt-5-mini", {"thinking_tokens": 2000}, "no budget"),
        ("google/gemini-2.5-pro", {"effort": "none"}, "cannot be turned off"),
        ("anthropic/claude-opus-5", {"thinking_tokens": 2000}, "reasoning_effort"),
        ("anthropic/claude-opus-4-6", {"temperature": 0.5}, "no temperature"),
        (CHAT, {"mode": "score"}, "probability"),
        ("nobody/nothing", {}, "nobody"),
    ],
)
def test_what_a_provider_does_not_take_is_an_error_before_the_first_call(model, options, words):
    with FaultServer() as server:
        with pytest.raises(WolvesError, match=words) as caught:
            opened(wanted(server, model, **options))
        assert caught.value.mend
        assert server.calls == []


def test_a_level_that_is_lowered_is_recorded_as_it_is():
    with FaultServer() as server:
        (found,) = ask(wanted(server, "anthropic/claude-opus-4-6", effort="minimal"), [a_trial(1)])
    assert (found.speaker.effort, found.effort_used) == ("minimal", "low")


TALK = (
    Message("system", 'Be "brief".\n\tPlease.'),
    Message("user", "Wie war’s? \\ many-wolves part 1"),
    Message("assistant", "It was good."),
    Message("user", "And then?"),
)
AUTHORITY = ("authorization", "x-api-key", "anthropic-version", "content-type", "accept")


@pytest.mark.parametrize("model", [CHAT, "openai/gpt-4o", "anthropic/claude-haiku-4-5"])
@pytest.mark.parametrize("kind", ["", "refusal", "empty", "max_tokens"])
def test_a_plain_request_and_its_reply_are_those_of_inspect_ai(model, kind):
    listed = [a_trial(1), replace(a_trial(2), messages=TALK), a_trial(3, prompt="How?\x7f{0}%s")]
    with FaultServer(lambda n, prompt: Fault(kind) if kind else None) as server:
        who = wanted(server, model, seed=5, patience=replace(QUICK, connections=1))
        found = []
        for plain in (True, False):
            speaker = opened(who)
            assert speaker._opened.wire is not None
            if not plain:
                speaker._opened = replace(speaker._opened, wire=None)
            found += [list(speaker.ask([Request(t, 2) for t in listed], threading.Event()))]
        calls = [server.calls[: len(listed)], server.calls[len(listed) :]]
    for ours, theirs in zip(*calls, strict=True):
        assert (ours["path"], ours["body"]) == (theirs["path"], theirs["body"])
        for name in AUTHORITY:
            assert ours["headers"].get(name) == theirs["headers"].get(name)
        assert ours["headers"]["user-agent"].startswith("many-wolves/")
    for ours, theirs in zip(*found, strict=True):
        same = {"latency_s": 0.0, "created": ""}
        assert replace(ours, **same) == replace(theirs, **same)


def test_what_is_streamed_or_read_by_no_one_here_is_left_to_inspect_ai():
    with FaultServer() as server:
        for model, options in [
            ("anthropic/claude-opus-4-6", {"effort": "low"}),
            ("openai/gpt-5-mini", {}),
            ("google/gemini-2.5-flash", {}),
        ]:
            assert opened(wanted(server, model, **options))._opened.wire is None
        blank = replace(a_trial(1), messages=(Message("system", " "), *a_trial(1).messages))
        (found,) = ask(wanted(server, "openai/gpt-4o"), [blank])
        assert found.status == "answered"
        assert server.calls[0]["headers"]["user-agent"].startswith("AsyncOpenAI")


def test_a_reply_that_cannot_be_read_is_asked_for_again():
    with pytest.raises(ConnectionError, match="no choice"):
        read_chat({"choices": []}, 9)
    with pytest.raises(ConnectionError, match="broke off"):
        read_messages({"stop_reason": None}, 9)
    thought = read_chat(
        {"choices": [{"message": {"content": "<think>\nwell\n</think>\n\nIt was bad."}}]}, 9
    )
    assert (thought.text.strip(), thought.reasoning) == ("It was bad.", "well")
    named = read_chat(
        {"choices": [{"message": {"content": "Good.", "reasoning_content": "so"}}]}, 9
    )
    assert (named.text, named.reasoning, named.usage) == ("Good.", "so", {})


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


@pytest.mark.parametrize("model", ["anthropic/claude-haiku-4-5", CHAT, "openai/gpt-5-mini"])
@pytest.mark.parametrize(
    ("kind", "status"), [("refusal", "refused"), ("empty", "empty"), ("max_tokens", "answered")]
)
def test_what_a_model_says_has_its_true_status(model, kind, status):
    with FaultServer(lambda n, prompt: Fault(kind)) as server:
        (found,) = ask(wanted(server, model), [a_trial(1)])
    assert found.status == status
    assert found.retries == 0
    assert ("cut off" in found.error) == (kind == "max_tokens")


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
    assert caught.value.mend
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
        pytest.raises(WolvesError, match="first 10 requests were all refused"),
    ):
        journal_of(tmp_path / "j.jsonl", wanted(server), trials(30))


def test_a_missing_key_and_an_address_with_a_key_are_refused(monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(WolvesError, match="ANTHROPIC_API_KEY"):
        opened(Wanted("anthropic", "claude-haiku-4-5"))
    with pytest.raises(WolvesError, match="credentials"):
        describe(Wanted("api", CHAT, base_url="http://me:secret@localhost/v1"))


def test_a_halted_speaker_finishes_what_is_under_way():
    with FaultServer(delay_s=0.2) as server:
        halt = threading.Event()
        asked = [Request(t) for t in trials(60)]
        answers = opened(wanted(server)).ask(asked, halt)
        next(answers)
        halt.set()
        rest = list(answers)
        assert 1 + len(rest) == len(server.calls) < 30


def test_an_abandoned_speaker_leaves_no_thread():
    with FaultServer(delay_s=0.05) as server:
        answers = opened(wanted(server)).ask([Request(t) for t in trials(60)], threading.Event())
        next(answers)
        answers.close()
        assert "api" not in {thread.name for thread in threading.enumerate()}


def test_the_limit_of_cost_is_not_passed(tmp_path):
    table = tmp_path / "prices.yaml"
    table.write_text("models:\n  openai/gpt-4o*: {input: 1000, output: 10000}\n")
    # A call costs 0.17 dollars (100 tokens in, 7 out) and may cost 0.5 at most.
    with FaultServer() as server:
        who = wanted(
            server,
            "openai/gpt-4o",
            max_cost=2.0,
            prices=table,
            max_tokens=40,
            patience=replace(QUICK, connections=2),
        )
        done = journal_of(tmp_path / "j.jsonl", who, trials(40))
        assert done.halted
        assert "US dollars" in done.why
        assert 0.17 * len(server.calls) <= 2.0
        assert len(server.calls) >= 6
        assert done.asked.total() == len(server.calls)
    with pytest.raises(WolvesError, match="price"):
        opened(replace(who, model="openai/gpt-9"))


def test_batch_mode_asks_everything_in_one_batch():
    with FaultServer() as server:
        who = wanted(
            server,
            "anthropic/claude-haiku-4-5",
            batch=True,
            patience=replace(QUICK, timeout_s=None, tick_s=0.1),
        )
        found = ask(who, trials(120))
        assert {r.text for r in found} == {ANSWER}
        assert len({r.trial_id for r in found}) == 120
        assert sum(len(asked) for asked in server.batches.values()) == 120
        assert server.calls == []
        with pytest.raises(WolvesError, match="batch mode"):
            describe(wanted(server, batch=True))


def test_prices_are_found_by_the_first_pattern_that_fits(tmp_path):
    assert find_price(SpeakerSpec("openai", "gpt-5-mini-2025-08-07"), None) == Price(0.25, 2)
    assert find_price(SpeakerSpec("openai", "gpt-5"), None) == Price(1.25, 10)
    assert find_price(SpeakerSpec("openai", "unheard-of"), None) is None
    assert find_price(SpeakerSpec("hf", "any"), None) == Price(0, 0)
    (tmp_path / "p.yaml").write_text("models:\n  x/y: {input: 1}\n")
    with pytest.raises(WolvesError, match="output") as caught:
        find_price(SpeakerSpec("x", "y"), tmp_path / "p.yaml")
    assert caught.value.line == 2
    budget = Budget(Price(1, 1, batch=0.5), 1.0, batch=True)
    assert budget.reserve(a_trial(1), SpeakerSpec("x", "y", max_tokens=1_900_000))
    assert not budget.reserve(a_trial(1), SpeakerSpec("x", "y", max_tokens=1_900_000))


FORK = multiprocessing.get_context("fork")


def journal_quietly(path, who, listed):
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        journal_of(path, who, listed)


def test_a_planted_key_is_nowhere_in_what_is_written(tmp_path, capfd, monkeypatch):
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
