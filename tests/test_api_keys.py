"""Keys of every provider: in no form in what is written, and never sent to another origin."""

import json
import threading
from dataclasses import replace
from urllib.parse import quote

import pytest

from api_speakers import CHAT, QUICK, ask, journal_of, wanted
from fault_server import ANSWER, KEY, Fault, FaultServer
from many_wolves.cli import run
from many_wolves.commands.choices import command as choices
from many_wolves.commands.collect import command as collect
from many_wolves.errors import WolvesError
from many_wolves.speakers import Request
from many_wolves.speakers.api.settings import key_name
from many_wolves.speakers.speaker_request import SpeakerRequest, describe, open_speaker
from small_trials import a_trial, trials, write_trials
from test_api_replies import batched, with_text

FIRST = {
    "compatible": (CHAT, {}),
    "openai": ("openai/gpt-4o", {}),
    "responses": ("openai/gpt-5-mini", {}),
    "anthropic": ("anthropic/claude-haiku-4-5", {}),
    "streamed": ("anthropic/claude-opus-4-6", {"effort": "low"}),
    "google": ("google/gemini-2.5-flash", {}),
}
OTHERS = [
    "cloudflare",
    "deepseek",
    "fireworks",
    "hf-inference-providers",
    "llama-cpp-python",
    "meta",
    "moonshot",
    "ollama",
    "openrouter",
    "perplexity",
    "sambanova",
    "sglang",
    "together",
]
"""What else inspect-ai reaches at an address by a library that is installed."""

EVERY = FIRST | {name: (f"{name}/some-model", {}) for name in OTHERS}
EVERY_PROVIDER = pytest.mark.parametrize(("model", "options"), EVERY.values(), ids=EVERY)
ODD = """sk-'planted'"\\7f3a+9c51%d2&e8<4b>/06=="""
"""A key whose letters are all allowed, and which every way of escaping writes differently."""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    plant(monkeypatch, KEY)
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "account")


def plant(monkeypatch, key):
    for model, _ in EVERY.values():
        monkeypatch.setenv(key_name(model.partition("/")[0]), key)


def nowhere(parts, *texts):
    return not any(part in text for part in parts for text in texts)


@EVERY_PROVIDER
@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed(tmp_path, model, options, status):
    with FaultServer() as other, FaultServer() as server:
        to = {"location": f"{other.url}/v1/chat/completions"}
        server.plan = lambda number, prompt: Fault("raw", status=status, headers=to)
        with pytest.raises(WolvesError, match=rf"HTTP {status} \(.*{other.port}") as caught:
            journal_of(tmp_path / "j.jsonl", wanted(server, model, **options), trials(5))
        assert server.calls
        assert other.calls == other.strangers == []
    assert "redirects are not followed" in str(caught.value)
    assert nowhere([KEY], str(caught.value))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", ["/elsewhere/v1/chat/completions", "//host/v1", "http://[::1"])
def test_no_redirect_is_followed_on_the_same_server_or_to_nowhere(to):
    plan = lambda number, prompt: Fault("raw", status=307, headers={"location": to})  # noqa: E731
    with FaultServer(plan) as server:
        with pytest.raises(WolvesError, match="HTTP 307"):
            ask(wanted(server, patience=replace(QUICK, connections=1)), trials(3))
        assert len(server.calls) == 1


def test_the_results_of_a_batch_are_not_fetched_from_another_server():
    with FaultServer() as other, FaultServer() as server:
        server.results_at = other.url
        policy = replace(QUICK, timeout_s=None, tick_s=0.1)
        who = wanted(server, "anthropic/claude-haiku-4-5", batch=True, patience=policy)
        with pytest.raises(WolvesError, match=f"another server, {other.url}"):
            # A hundred requests are a batch that is sent at once.
            ask(who, trials(100))
        assert other.calls == other.strangers == []


@pytest.mark.parametrize("key", [KEY, ODD])
def test_a_key_in_the_results_of_a_batch_is_nowhere(tmp_path, capfd, monkeypatch, caplog, key):
    forms = [key, repr(key)[1:-1], json.dumps(key)[1:-1], quote(key), quote(key, safe="")]
    words = " and ".join([ANSWER, *forms])
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": words}}
    plant(monkeypatch, key + "\n")
    caplog.set_level("INFO", "many_wolves")

    def some_fail(lines):
        for line in lines[::2]:
            line["result"] = {"type": "errored", "error": error}
        return lines

    with FaultServer(lambda n, prompt: Fault("edit", edit=with_text(words)), key=key) as server:
        server.edit_results = some_fail
        who = batched(server, retries=0)
        done = journal_of(tmp_path / "j.jsonl", who, trials(100))
        server.key = "another"
        with pytest.raises(WolvesError, match="Incorrect API key provided: \\[key\\]") as caught:
            journal_of(tmp_path / "k.jsonl", who, trials(100))
    assert done.asked == {"failed": 50, "unparsed": 50}
    out, err = capfd.readouterr()
    text = (tmp_path / "j.jsonl").read_text()
    assert text.count("[key]") >= 100
    assert "failing all 100 requests" in caplog.text
    assert out == ""
    assert nowhere(forms, text, err, caplog.text, str(caught.value))


@EVERY_PROVIDER
@pytest.mark.parametrize("around", ["{}\n", "  {}\r\n"])
def test_white_space_around_a_key_is_not_sent(monkeypatch, model, options, around):
    plant(monkeypatch, around.format(KEY))
    with FaultServer(lambda n, prompt: Fault("status", 404)) as server:
        with pytest.raises(WolvesError, match="HTTP 404"):
            ask(wanted(server, model, **options), [a_trial(1)])
        with pytest.raises(WolvesError, match="HTTP 404"):
            ask(wanted(server, model, api_key=around.format(KEY), **options), [a_trial(1)])
        assert server.strangers == []


@EVERY_PROVIDER
@pytest.mark.parametrize("letter", ["\n", "é"])
@pytest.mark.parametrize("by_hand", [True, False])
def test_a_key_that_no_header_can_hold_is_refused_by_name(
    monkeypatch, model, options, letter, by_hand
):
    bad = f"{KEY[:9]}{letter}{KEY[9:]}"
    if not by_hand:
        plant(monkeypatch, bad)
    with FaultServer() as server:
        who = wanted(server, model, api_key=bad if by_hand else None, **options)
        name = "--api_key" if by_hand else key_name(describe(who).provider)
        with pytest.raises(WolvesError, match=f"{name} contains") as caught:
            open_speaker(who, describe(who), lambda parameters: None)
        assert server.calls == server.strangers == []
    assert nowhere([KEY[:9], KEY[9:]], str(caught.value))


@pytest.mark.parametrize("key", [KEY, ODD])
@pytest.mark.parametrize("way", ["environment", "line"])
@pytest.mark.parametrize(("model", "options"), FIRST.values(), ids=FIRST)
def test_a_planted_key_is_nowhere_in_what_is_written_or_printed(
    tmp_path, capfd, monkeypatch, caplog, key, way, model, options
):
    forms = [key, repr(key)[1:-1], json.dumps(key)[1:-1], quote(key), quote(key, safe="")]
    given = ["--api_key", key] if way == "line" else []
    plant(monkeypatch, KEY if given else key + "\r\n")
    effort = ["--effort", options["effort"]] if options else []
    listed = write_trials(tmp_path / "t.jsonl", trials(4))
    words = " and ".join([ANSWER, *forms, repr(f"Bearer {key}".encode())])

    def plan(number, prompt):
        if "cake 0" in prompt:
            return Fault("status", 400, message=f"prompt is too long for {words}")
        if "cake 1" in prompt and number < 3:
            return Fault("status", 429, message=words)
        return Fault("edit", edit=with_text(words))

    with FaultServer(plan, key=key) as server:
        path = "" if model.startswith(("anthropic", "google")) else "/v1"
        common = [str(listed), "--model_type", "api", "--out", str(tmp_path / "out")]
        common += ["--base_url", server.url + path, "--retry_wait", "0.01", *effort, *given]
        run(collect, [*common, "--model_name", model])
        assert len(server.calls) >= 4
        run(collect, [*common, "--model_name", model, "--explain"])
        run(collect, [*common, "--model_name", f"{model.partition('/')[0]}/unknown"])
        server.key = "another"
        run(collect, [*common, "--model_name", model, "--replicates", "2"])
        assert server.strangers
    journals = [str(found) for found in (tmp_path / "out").rglob("*.jsonl")]
    run(choices, [*journals, "--out", str(tmp_path / "choices")])
    out, err = capfd.readouterr()
    files = [f.read_text() for f in tmp_path.rglob("*") if f.is_file()]
    assert journals
    assert any("[key]" in text for text in files)
    assert "[key]" in err
    assert nowhere(forms, *files, out, err, caplog.text)


@pytest.mark.parametrize(
    "address",
    [
        "http://me:SECRETsecret@127.0.0.1:9/v1",
        "http://127.0.0.1:9/v1?token=SECRETsecret",
        "http://127.0.0.1:9/v1#SECRETsecret",
        "http://127.0.0.1:SECRETsecret/v1",
        "http://[::1/v1",
    ],
)
def test_an_address_that_could_carry_a_key_is_refused_everywhere(tmp_path, capfd, address):
    from many_wolves.commands.study import command as study

    listed = write_trials(tmp_path / "t.jsonl", trials(2))
    words = ["--model_type", "api", "--model_name", CHAT, "--base_url", address]
    for more in ([], ["--dry-run"], ["--explain"]):
        status = run(collect, [str(listed), *words, "--out", str(tmp_path / "out"), *more])
        assert status == 2
    with pytest.raises(WolvesError):
        describe(SpeakerRequest("api", CHAT, base_url=address))
    file = tmp_path / "s.yaml"
    file.write_text(
        "study: s\ntrials: {}\nspeakers:\n"
        f"  - {{name: m, provider: openai-compatible, model: m, base_url: '{address}'}}\n"
    )
    for action in ("plan", "run", "status"):
        assert run(study, [action, str(file)]) == 2
    out, err = capfd.readouterr()
    assert err.count("Error") == 6
    assert "SECRETsecret" not in out + err
    assert not (tmp_path / "out").exists()
    written = [f for f in tmp_path.rglob("*") if f.is_file() and f not in (listed, file)]
    assert written == []


def test_an_address_in_the_environment_may_carry_no_credentials(monkeypatch):
    with FaultServer() as server:
        planted = server.url.replace("http://", "http://me:SECRETsecret@") + "/v1"
        monkeypatch.setenv("OPENAI_BASE_URL", planted)
        who = SpeakerRequest("openai", "gpt-4o", patience=QUICK)
        with pytest.raises(WolvesError, match="contains credentials") as caught:
            open_speaker(who, describe(who), lambda parameters: None)
        assert server.calls == server.strangers == []
    assert "SECRETsecret" not in str(caught.value)


def test_a_provider_whose_client_cannot_be_kept_from_redirects_is_refused(monkeypatch):
    monkeypatch.setenv("BEDROCK_API_KEY", KEY)
    who = SpeakerRequest("bedrock", "anthropic.claude-3", patience=QUICK)
    with pytest.raises(WolvesError, match="may follow redirects"):
        open_speaker(who, describe(who), lambda parameters: None)


def test_another_key_variable_of_a_provider_is_checked_too(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", f"{KEY}\nx")
    who = SpeakerRequest("anthropic", "claude-haiku-4-5", patience=QUICK)
    with pytest.raises(WolvesError, match="ANTHROPIC_AUTH_TOKEN contains a line break"):
        open_speaker(who, describe(who), lambda parameters: None)


def test_no_key_is_needed_by_a_server_of_ones_own(monkeypatch):
    monkeypatch.delenv("OPENAI_COMPATIBLE_API_KEY")
    with FaultServer(key="none") as server:
        speaker = open_speaker(wanted(server), describe(wanted(server)), lambda parameters: None)
        (found,) = speaker.ask([Request(a_trial(1))], threading.Event())
    assert found.status == "answered"
