"""API speakers over real HTTP: what is asked in each wire format, and how its reply is read."""

import json
import threading
from dataclasses import replace

import pytest

from api_speakers import CHAT, QUICK, ask, give_keys, opened, wanted
from fault_server import ANSWER, REASONING, Fault, FaultServer
from many_wolves.errors import WolvesError
from many_wolves.speakers import Feed, Request
from many_wolves.speakers.speaker_request import SpeakerRequest, describe
from small_trials import a_trial, trials


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    give_keys(monkeypatch)


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
        ("openai/gpt-4o", {"effort": "low"}, "does not support a reasoning effort"),
        ("openai/gpt-5-mini", {"effort": "none"}, "cannot be turned off"),
        ("openai/gpt-5-mini", {"thinking_tokens": 2000}, "not support a budget"),
        ("google/gemini-2.5-pro", {"effort": "none"}, "cannot be turned off"),
        ("anthropic/claude-opus-5", {"thinking_tokens": 2000}, "reasoning_effort"),
        ("anthropic/claude-opus-4-6", {"temperature": 0.5}, "not support temperature"),
        (CHAT, {"mode": "score"}, "probability"),
        ("nobody/nothing", {}, "nobody"),
    ],
)
def test_what_a_provider_does_not_take_is_an_error_before_the_first_call(model, options, words):
    with FaultServer() as server:
        with pytest.raises(WolvesError, match=words) as caught:
            opened(wanted(server, model, **options))
        assert caught.value.fix
        assert server.calls == []


def test_a_level_that_is_lowered_is_recorded_as_it_is():
    with FaultServer() as server:
        (found,) = ask(wanted(server, "anthropic/claude-opus-4-6", effort="minimal"), [a_trial(1)])
    assert (found.speaker.effort, found.effort_used) == ("minimal", "low")


@pytest.mark.parametrize("model", ["anthropic/claude-haiku-4-5", CHAT, "openai/gpt-5-mini"])
@pytest.mark.parametrize(
    ("kind", "status"), [("refusal", "refused"), ("empty", "empty"), ("max_tokens", "answered")]
)
def test_an_answer_has_its_true_status(model, kind, status):
    with FaultServer(lambda n, prompt: Fault(kind)) as server:
        (found,) = ask(wanted(server, model), [a_trial(1)])
    assert found.status == status
    assert found.retries == 0
    assert ("cut off" in found.error) == (kind == "max_tokens")


def test_a_missing_key_and_an_address_with_a_key_are_refused(monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(WolvesError, match="ANTHROPIC_API_KEY"):
        opened(SpeakerRequest("anthropic", "claude-haiku-4-5"))
    with pytest.raises(WolvesError, match="credentials"):
        describe(SpeakerRequest("api", CHAT, base_url="http://me:secret@localhost/v1"))


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


@pytest.mark.parametrize("open_at_once", [1, 3, 20])
def test_a_speaker_that_may_spend_no_more_stops_though_more_could_come(tmp_path, open_at_once):
    prices = tmp_path / "prices.yaml"
    prices.write_text("models:\n  openai/gpt-4o*: {input: 1000, output: 10000}\n")
    feed = Feed()
    with FaultServer() as server:
        who = wanted(server, "openai/gpt-4o", max_cost=2.0, prices=prices, max_tokens=40)
        speaker = opened(who)
        feed.put([Request(t) for t in trials(open_at_once)])
        found = []
        for response in speaker.ask(feed, threading.Event()):
            found.append(response)
            feed.put([Request(a_trial(100 + len(found)))])
        assert len(found) == len(server.calls) > 0
    assert "Stopped" in speaker.stopped


def test_later_requests_use_free_connections():
    feed = Feed()
    with FaultServer(delay_s=0.02) as server:
        feed.put([Request(a_trial(0))])
        found = []
        for response in opened(wanted(server)).ask(feed, threading.Event()):
            found.append(response.trial_id)
            if len(found) == 1:
                feed.put([Request(t) for t in trials(20)])
            if len(found) == 21:
                feed.close()
        assert len(found) == 21
        assert 1 < server.most <= QUICK.connections
