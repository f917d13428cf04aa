"""Numbers and forms from API models: by JSON schema where the provider has it, else in words."""

import json
from dataclasses import replace

import pytest

from api_speakers import CHAT, QUICK, ask, give_keys, wanted
from fault_server import ANSWER, Fault, FaultServer
from many_wolves.collection import collect
from many_wolves.errors import WolvesError
from many_wolves.reading import read
from many_wolves.records import Choose, Form, Message, Number, Option, Text, Trial
from many_wolves.speakers.api.structured import Formats, refuses_schemas, structure_of
from many_wolves.speakers.speaker_request import describe, open_speaker
from many_wolves.store.journal_lines import read_journal

OFFER = {
    "type": "object",
    "properties": {
        "say": {"type": "string"},
        "price": {"type": "integer", "minimum": 0, "maximum": 90},
    },
    "required": ["say", "price"],
    "additionalProperties": False,
}
MONEY = Number(0, 100, "$", whole=True)
FORM = Form(OFFER)
ONE_CONNECTION = replace(QUICK, connections=1)
FORMATS = pytest.mark.parametrize(
    ("model", "options"),
    [
        (CHAT, {}),
        ("openai/gpt-4o", {}),
        ("openai/gpt-5-mini", {}),
        ("anthropic/claude-haiku-4-5", {}),
        ("anthropic/claude-opus-4-6", {"effort": "low"}),
        ("google/gemini-2.5-flash", {}),
    ],
)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    give_keys(monkeypatch)


def a_trial(answer, n=0):
    return Trial("toy", "offer", {"n": n}, answer, (Message("user", f"How much is cake {n}?"),))


def trials(answer, n=4):
    return [a_trial(answer, i) for i in range(n)]


def schema_in(body):
    """The JSON schema that a request carries, in the place that its format has for it."""
    found = body.get("output_format", {}).get("schema")
    found = found or (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    found = found or (body.get("text") or {}).get("format", {}).get("schema")
    return found or body.get("generationConfig", {}).get("responseJsonSchema")


def keeps_to_schemas(body):
    """A server that holds its answer to the schema of the request."""
    schema = schema_in(body)
    if schema is None:
        return ANSWER
    return json.dumps({"answer": 15} if "answer" in schema["properties"] else DEAL)


DEAL = {"say": "Deal.", "price": 40}


def collected(tmp_path, who, listed):
    path = tmp_path / "j.jsonl"
    spec = describe(who)
    done = collect(
        listed,
        replicates=1,
        spec=spec,
        open_speaker=lambda: open_speaker(who, spec, lambda parameters: None),
        reader=read,
        journal=path,
        say=print,
    )
    return done, read_journal(path).responses


@FORMATS
def test_numbers_and_forms_are_asked_for_by_schema(tmp_path, model, options):
    with FaultServer() as server:
        server.answer = keeps_to_schemas
        who = wanted(server, model, patience=ONE_CONNECTION, **options)
        done, found = collected(tmp_path, who, [a_trial(MONEY), a_trial(FORM)])
        sent = [schema_in(call["body"]) for call in server.calls]
    assert done.asked == {"answered": 2}
    assert [r.value for r in found] == [15, DEAL]
    assert [r.text for r in found] == ["15", json.dumps(DEAL)]
    assert [r.format_used for r in found] == ["schema", "schema"]
    number = sent[0]["properties"]["answer"]
    assert number["type"] == "integer"
    # Anthropic's API takes no limits: the words say them.
    assert "one whole number from 0 to 100 (in $)" in number["description"]
    assert sent[1]["required"] == ["say", "price"]


@FORMATS
@pytest.mark.parametrize("answer", [Text(50), Choose((Option("a", "Yes."), Option("b", "No.")))])
def test_texts_and_choices_are_asked_as_the_task_words_them(model, options, answer):
    with FaultServer() as server:
        (found,) = ask(wanted(server, model, **options), [a_trial(answer)])
        (call,) = server.calls
    assert schema_in(call["body"]) is None
    assert "How much is cake 0?" in json.dumps(call["body"])
    assert "Reply with" not in json.dumps(call["body"])
    assert (found.text, found.format_used) == (ANSWER, "")


REFUSALS = [
    (400, "Invalid schema for response_format 'offer': 'minimum' is not permitted."),
    (400, "output_format: this model does not support structured outputs"),
    (422, "Extra inputs are not permitted: response_format"),
    (400, "'response_format.type' must be 'text'"),
]


@pytest.mark.parametrize(("status", "words"), REFUSALS)
def test_a_server_that_refuses_schemas_is_asked_in_words(tmp_path, status, words):
    def plan(number, prompt):
        refused = schema_in(server.calls[-1]["body"]) is not None
        return Fault("status", status, message=words) if refused else None

    with FaultServer(plan) as server:
        server.answer = lambda body: "I would say 15."
        done, found = collected(tmp_path, wanted(server, patience=ONE_CONNECTION), trials(MONEY))
        assert len(server.calls) == 5  # one refusal tells about all
        said = server.calls[-1]["body"]["messages"][-1]["content"]
    assert done.asked == {"answered": 4}
    assert {(r.value, r.format_used, r.retries) for r in found} == {(15, "instruction", 0)}
    assert said.startswith("How much is cake 3?\n\nReply with one whole number from 0 to 100")


def test_a_schema_that_is_refused_after_another_was_taken_is_refused_alone(tmp_path):
    def plan(number, prompt):
        schema = schema_in(server.calls[-1]["body"])
        refused = schema is not None and "price" in schema["properties"]
        return (
            Fault("status", 400, message="Invalid schema for response_format") if refused else None
        )

    with FaultServer(plan) as server:
        server.answer = lambda body: keeps_to_schemas(body) if schema_in(body) else json.dumps(DEAL)
        listed = [a_trial(a, n) for n in range(3) for a in (MONEY, FORM)]
        _, found = collected(tmp_path, wanted(server, patience=ONE_CONNECTION), listed)
        assert len(server.calls) == 7
    assert {r.format_used for r in found if r.value == 15} == {"schema"}
    assert {r.format_used for r in found if r.value == DEAL} == {"instruction"}
    assert len(found) == 6


def test_a_server_that_ignores_schemas_is_asked_in_words_and_both_calls_are_paid(tmp_path):
    with FaultServer() as server:
        server.answer = lambda body: (
            "Hm." if schema_in(body) else f"```json\n{json.dumps(DEAL)}\n```"
        )
        _, found = collected(tmp_path, wanted(server, patience=ONE_CONNECTION), trials(FORM))
        assert len(server.calls) == 5
    assert all(r.value == DEAL and r.format_used == "instruction" for r in found)
    assert sorted(r.usage["output"] for r in found) == [7, 7, 7, 14]
    assert sorted(r.usage["input"] for r in found) == [100, 100, 100, 200]


def test_text_next_to_an_accepted_schema_is_the_answer(tmp_path):
    with FaultServer() as server:
        server.answer = lambda body: (
            "I will not say." if "cake 1?" in json.dumps(body) else keeps_to_schemas(body)
        )
        _, found = collected(tmp_path, wanted(server, patience=ONE_CONNECTION), trials(MONEY, 3))
        assert len(server.calls) == 3
    assert [r.text for r in found] == ["15", "I will not say.", "15"]
    assert {r.format_used for r in found} == {"schema"}


@pytest.mark.parametrize(
    ("kind", "status"), [("refusal", "refused"), ("empty", "empty"), ("max_tokens", "answered")]
)
def test_a_refusal_or_a_cut_under_a_schema_is_no_reason_to_ask_again(kind, status):
    with FaultServer(lambda n, prompt: Fault(kind)) as server:
        (found,) = ask(wanted(server), [a_trial(MONEY)])
        assert len(server.calls) == 1
    assert (found.status, found.format_used) == (status, "schema")


def test_an_error_that_is_not_about_the_schema_is_reported_as_it_is():
    words = "prompt is too long: 300000 tokens; maximum context length is 200000 tokens"
    with FaultServer(lambda n, prompt: Fault("status", 400, message=words)) as server:
        (found,) = ask(wanted(server), [a_trial(MONEY)])
        assert len(server.calls) == 1
    assert found.status == "failed"
    assert words in found.error


@pytest.mark.parametrize(
    "part", [{"oneOf": [{"type": "string"}]}, {"type": "array", "minItems": 2}, {"$ref": "#/x"}]
)
def test_a_schema_that_inspect_would_cut_short_is_sent_in_words(part):
    answer = Form({"type": "object", "properties": {"say": part}, "required": ["say"]})
    with FaultServer() as server:
        (found,) = ask(wanted(server), [a_trial(answer)])
        (call,) = server.calls
    assert schema_in(call["body"]) is None
    assert json.dumps(part) in call["body"]["messages"][-1]["content"]
    assert found.format_used == "instruction"


def test_a_provider_whose_requests_leave_schemas_out_is_asked_in_words(monkeypatch):
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-planted-7f3a9c51d2e84b06")
    with FaultServer() as server:
        (found,) = ask(wanted(server, "deepseek/deepseek-chat"), [a_trial(FORM)])
        (call,) = server.calls
    assert '"price"' in call["body"]["messages"][-1]["content"]
    assert call["body"].get("response_format") is None
    assert found.format_used == "instruction"


def test_a_batch_is_asked_by_schema(tmp_path):
    policy = replace(QUICK, timeout_s=None, tick_s=0.05)
    with FaultServer() as server:
        server.answer = keeps_to_schemas
        who = wanted(server, "anthropic/claude-haiku-4-5", batch=True, patience=policy)
        done, found = collected(tmp_path, who, trials(MONEY, 100))
    assert done.asked == {"answered": 100}
    assert {(r.value, r.format_used) for r in found} == {(15, "schema")}


@pytest.mark.parametrize(
    ("answer", "text", "expected"),
    [
        (MONEY, '{"answer": 15}', "15"),
        (MONEY, '```json\n{"answer": 15.5}\n```', "15.5"),
        (MONEY, '{"answer": "$15"}', "$15"),
        (MONEY, '{"answer": null}', "null"),
        (MONEY, '{"price": 15}', None),
        (MONEY, "15", None),
        (MONEY, '{"answer": 15} or {"answer": 16}', None),
        (FORM, '{"price": 15}', '{"price": 15}'),
        (FORM, "[1, 2]", None),
        (FORM, "[" * 100_000, None),
        (FORM, "It was good.", None),
    ],
)
def test_what_counts_as_kept_to_a_schema(answer, text, expected):
    assert structure_of(answer).answer_in(text) == expected


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (Number(), "one number"),
        (Number(0, None), "one number, at least 0"),
        (Number(None, 2.5), "one number, at most 2.5"),
        (Number(1, 7, whole=True), "one whole number from 1 to 7"),
        (Number(0, 1, "points"), "one number from 0 to 1 (in points)"),
    ],
)
def test_a_number_is_described_in_words(number, words):
    assert structure_of(number).instruction == f"Reply with {words}, and with nothing else."


def test_what_a_refusal_of_schemas_is():
    for status, words in REFUSALS:
        assert refuses_schemas(status, words)
    assert not refuses_schemas(400, "temperature must be below 2")
    assert not refuses_schemas(500, "response_format")
    assert not refuses_schemas(None, "response_format")
    formats, one = Formats(sends_schemas=True), structure_of(MONEY)
    formats.refuse(one)
    assert not formats.takes(structure_of(FORM))


def test_a_refused_setting_with_a_schema_ends_the_run():
    words = "temperature is not supported by this model"
    with (
        FaultServer(lambda n, prompt: Fault("status", 400, message=words)) as server,
        pytest.raises(WolvesError, match="temperature is not supported by this model"),
    ):
        ask(wanted(server, temperature=0.5), trials(MONEY, 12))
