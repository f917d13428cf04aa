"""Settings of API models: what a provider takes is sent, what it does not take is said."""

import logging
import sys
from dataclasses import replace

import pytest

from api_speakers import CHAT, QUICK, ask, give_keys, journal_of, opened, wanted
from fault_server import Fault, FaultServer
from many_wolves.cli import run
from many_wolves.commands.collect import command
from many_wolves.errors import SettingError, WolvesError
from many_wolves.records import SpeakerSpec
from many_wolves.speakers.speaker_request import SpeakerRequest, describe
from many_wolves.store.journal_lines import read_journal
from small_trials import a_trial, trials

ONE_CONNECTION = replace(QUICK, connections=1)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    give_keys(monkeypatch)


def refusing(field, words, status=400):
    """A server that refuses requests with a field."""

    def plan(number, prompt):
        there = field in server.calls[-1]["body"]
        return Fault("status", status, message=words) if there else None

    server = FaultServer(plan)
    return server


@pytest.mark.parametrize(
    ("model", "options", "setting"),
    [
        ("openai/gpt-5-mini", {"temperature": 0.5}, "temperature"),
        ("openai/o3", {"temperature": 1.0}, "temperature"),
        ("openai/gpt-5-mini", {"top_p": 0.9, "effort": "low"}, "top_p"),
        ("moonshot/kimi-k2", {"temperature": 0.5}, "temperature"),
        ("anthropic/claude-haiku-4-5", {"top_p": 0.9}, "top_p"),
    ],
)
def test_a_sampling_setting_that_requests_omit_is_refused_before_the_first_call(
    model, options, setting
):
    with pytest.raises(SettingError, match=f"does not support {setting}") as caught:
        describe(SpeakerRequest("api", model, **options))
    assert caught.value.setting == setting
    assert caught.value.fix == f"leave --{setting} out"


@pytest.mark.parametrize(
    ("model", "options", "place"),
    [
        ("openai/gpt-4o", {"temperature": 0.5, "top_p": 0.9}, lambda body: body),
        ("openai/gpt-5.1", {"temperature": 0.5, "effort": "none"}, lambda body: body),
        (CHAT, {"temperature": 0.0, "top_p": 0.9}, lambda body: body),
        ("google/gemini-2.5-flash", {"temperature": 0.5}, lambda body: body["generationConfig"]),
    ],
)
def test_a_sampling_setting_that_is_taken_is_sent(model, options, place):
    with FaultServer() as server:
        ask(wanted(server, model, **options), [a_trial(1)])
        sent = place(server.calls[0]["body"])
    assert sent["temperature"] == options["temperature"]
    assert sent.get("top_p") == options.get("top_p")


def test_what_a_model_does_not_take_is_known_without_a_key(monkeypatch):
    for name in ("OPENAI", "GOOGLE"):
        monkeypatch.delenv(f"{name}_API_KEY")
    with pytest.raises(WolvesError, match="does not support a reasoning effort"):
        describe(SpeakerRequest("api", "openai/gpt-4o", effort="low"))
    with pytest.raises(WolvesError, match="cannot be turned off"):
        describe(SpeakerRequest("api", "google/gemini-2.5-pro", effort="none"))
    assert describe(SpeakerRequest("api", "openai/gpt-5-mini", effort="low")).effort == "low"


def test_without_the_extra_a_speaker_is_described_and_opening_it_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    who = SpeakerRequest("api", "openai/gpt-4o", temperature=0.5)
    assert describe(who).temperature == 0.5
    with pytest.raises(WolvesError, match="the speaker `openai` needs packages") as caught:
        opened(who)
    assert "api" in caught.value.fix.split()[-1]


@pytest.mark.parametrize("model", ["mistral/mistral-large", "grok/grok-4"])
def test_a_provider_with_a_library_of_its_own_is_reached_as_a_compatible_server(model, monkeypatch):
    monkeypatch.setenv(f"{model.partition('/')[0].upper()}_API_KEY", "sk-planted-7f3a9c51d2e84b06")
    with pytest.raises(WolvesError, match="nothing was asked") as caught:
        opened(SpeakerRequest("api", model))
    assert "--provider openai-compatible" in caught.value.fix


SEED = "Unsupported parameter: 'seed' is not supported with this model."
LIMIT = "Extra inputs are not permitted: max_tokens"


@pytest.mark.parametrize(
    ("field", "words", "status"), [("seed", SEED, 400), ("max_tokens", LIMIT, 422)]
)
def test_a_field_that_a_server_refuses_can_be_left_out(tmp_path, field, words, status):
    path = tmp_path / "j.jsonl"
    with refusing(field, words, status) as server:
        with pytest.raises(WolvesError, match=field) as caught:
            journal_of(path, wanted(server, patience=ONE_CONNECTION), trials(30))
        assert len(server.calls) == 1  # nobody is asked what nobody can answer
        assert f"--omit {field}" in caught.value.fix
        done = journal_of(path, wanted(server, omit=(field,)), trials(5))
        assert all(field not in call["body"] for call in server.calls[1:])
    assert done.asked == {"answered": 5}
    spec = read_journal(path).responses[0].speaker
    assert (spec.omit, getattr(spec, field)) == (field, 0)


def test_a_field_is_left_out_from_the_command_line(tmp_path, capsys):
    from small_trials import write_trials

    listed = str(write_trials(tmp_path / "t.jsonl", trials(3)))
    with refusing("seed", SEED) as server:
        common = [listed, "--provider", "openai-compatible", "--model_name", "x"]
        common += ["--base_url", server.url + "/v1", "--out", str(tmp_path / "j.jsonl")]
        assert run(command, [*common]) == 2
        assert "--omit seed" in capsys.readouterr().err
        assert run(command, [*common, "--omit", "seed"]) == 0
        assert run(command, [*common, "--omit", "temperature"]) == 2
        assert run(command, [*common, "--timeout", "0"]) == 2


def test_what_is_left_out_is_part_of_who_answers_only_where_it_is_set():
    spec = SpeakerSpec("openai-compatible", "x", base_url="http://localhost/v1")
    assert "omit" not in spec.settings
    assert replace(spec, omit="seed").canonical != spec.canonical
    assert SpeakerSpec.from_json(replace(spec, omit="seed").settings).omit == "seed"


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (SpeakerRequest("api", "openai/gpt-4o", omit=("seed",)), "openai-compatible servers only"),
        (SpeakerRequest("simulated", parameters={"alpha": 1}, omit=("seed",)), "runs locally"),
        (
            SpeakerRequest("api", CHAT, base_url="http://h/v1", omit=("max_tokens",), max_tokens=5),
            "--max_tokens or --omit max_tokens",
        ),
    ],
)
def test_omitting_an_absent_field_is_refused(who, words):
    with pytest.raises(WolvesError, match=words) as caught:
        describe(who)
    assert caught.value.fix


def test_a_server_with_another_name_for_the_limit_of_tokens_gets_it_by_that_name():
    words = "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    with refusing("max_tokens", words) as server:
        found = ask(wanted(server, max_tokens=50), trials(20))
        refused = [call for call in server.calls if "max_tokens" in call["body"]]
        assert {call["body"].get("max_completion_tokens") for call in server.calls} == {None, 50}
    assert len(refused) <= QUICK.connections
    assert {(r.status, r.retries) for r in found} == {("answered", 0)}


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 8192 tokens; please reduce max_tokens",
        "Invalid prompt: flagged as violating the usage policy of this model",
        "The temperature of the oven is hot",
    ],
)
def test_a_refusal_of_the_first_prompt_is_not_taken_for_one_of_all(words):
    with FaultServer(
        lambda n, prompt: Fault("status", 400, message=words) if n == 0 else None
    ) as s:
        found = ask(wanted(s, patience=ONE_CONNECTION), trials(3))
    assert [r.status for r in found] == ["failed", "answered", "answered"]
    assert words in found[0].error


@pytest.mark.parametrize(
    ("model", "table", "words"),
    [
        (
            "openai/gpt-4o",
            "{input: 2, output: 10, as_of: 2026-11}",
            "about 0.0008 US dollars (price as of 2026-11): 300 input and 21 output tokens",
        ),
        (
            "openai/gpt-4o",
            "{input: 2, output: 10, verified: false}",
            "about 0.0008 US dollars (price not verified): 300 input and 21 output tokens",
        ),
        (
            "google/gemini-2.5-flash",
            None,
            "300 input and 21 output tokens; this model is not in the table",
        ),
        (CHAT, None, ""),
    ],
)
def test_the_cost_of_answers_is_printed_at_the_end(tmp_path, caplog, model, table, words):
    prices = tmp_path / "prices.yaml"
    prices.write_text(f"models:\n  openai/*: {table or '{input: 1, output: 1}'}\n")
    with FaultServer() as server, caplog.at_level(logging.INFO, "many_wolves"):
        journal_of(tmp_path / "j.jsonl", wanted(server, model, prices=prices), trials(3))
    said = [r.getMessage() for r in caplog.records if r.name.startswith("many_wolves")]
    assert len(said) == bool(words)
    assert words in "".join(said)


@pytest.mark.parametrize(
    ("given", "meant"),
    [("opnai", "openai"), ("openai_compatible", "openai-compatible"), ("Anthropic", "anthropic")],
)
def test_a_mistyped_provider_is_answered_with_the_nearest_before_its_key(given, meant):
    wanted = SpeakerRequest(given, "m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(WolvesError, match=f"no provider is called '{given}'") as caught:
        describe(wanted)
    assert caught.value.fix.startswith(f"did you mean '{meant}'?")


def test_other_providers_of_inspect_ai_are_known():
    assert describe(SpeakerRequest("openrouter", "m")).provider == "openrouter"
