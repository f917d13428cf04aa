"""Replies without an answer, cut streams, filters, limits: each ends in its true status."""

import json
import time
from dataclasses import replace

import pytest

from api_speakers import CHAT, QUICK, ask, give_keys, wanted
from fault_server import ANSWER, Fault, FaultServer
from many_wolves.cli import run
from many_wolves.commands.collect import command
from many_wolves.errors import WolvesError
from small_trials import a_trial, trials, write_trials
from wire_formats import chat, events, google, messages, responses

RESPONSES = "openai/gpt-5-mini"
CLAUDE = "anthropic/claude-haiku-4-5"
GEMINI = "google/gemini-2.5-flash"
ONCE = replace(QUICK, retries=1, connections=1)


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    give_keys(monkeypatch)


def one(model, fault, **options):
    """The response to one trial, and the number of calls."""
    plan = fault if callable(fault) else lambda number, prompt: fault
    with FaultServer(plan) as server:
        (found,) = ask(wanted(server, model, patience=ONCE, **options), [a_trial(1)])
        return found, len(server.calls)


def first(fault):
    return lambda number, prompt: fault if number == 0 else None


def changed(**fields):
    return Fault("edit", edit=lambda reply: reply | fields)


def choice(**message):
    def edit(reply):
        finish = message.pop("finish_reason", "stop")
        reply["choices"][0] |= {"finish_reason": finish}
        reply["choices"][0]["message"] |= message
        return reply

    return Fault("edit", edit=edit)


def candidate(**fields):
    def edit(reply):
        reply["candidates"][0] |= fields
        return reply

    return Fault("edit", edit=edit)


def sent(body, status=200):
    return Fault("raw", status=status, body=json.dumps(body).encode())


TOOL = {"id": "c1", "type": "function", "function": {"name": "answer", "arguments": "{}"}}
NAMELESS = {"id": None, "type": "function", "function": {"name": None, "arguments": None}}
CALLED = "the model called a tool, although none was offered"


@pytest.mark.parametrize(
    ("model", "fault", "note"),
    [
        (CHAT, choice(finish_reason="tool_calls", content=None, tool_calls=[TOOL]), CALLED),
        (CHAT, choice(finish_reason="tool_calls", content=None, tool_calls=[NAMELESS]), CALLED),
        (CHAT, choice(finish_reason="tool_calls", content=None, tool_calls=["x"]), CALLED),
        (
            CLAUDE,
            changed(
                stop_reason="tool_use",
                content=[{"type": "tool_use", "id": "t", "name": "answer", "input": {}}],
            ),
            CALLED,
        ),
        (
            RESPONSES,
            changed(output=[{"type": "function_call", "id": "f", "call_id": "c", "name": "x"}]),
            "",
        ),
        (GEMINI, candidate(content={"parts": [{"functionCall": {"name": "x", "args": {}}}]}), ""),
        (GEMINI, candidate(finishReason="MALFORMED_FUNCTION_CALL", content={}), ""),
        (
            CHAT,
            Fault("edit", edit=lambda r: r | {"choices": [{**r["choices"][0], "message": None}]}),
            "",
        ),
        (CLAUDE, changed(content=None), ""),
        (CLAUDE, changed(content=[{"type": "text", "text": None}]), ""),
        (RESPONSES, changed(output=None), ""),
        (RESPONSES, changed(output=[{"type": "message", "id": "m", "content": None}]), ""),
        (GEMINI, candidate(content=None), ""),
        (GEMINI, candidate(content={"role": "model", "parts": None}), ""),
        (GEMINI, candidate(finishReason="A_REASON_TO_COME", content={}), ""),
    ],
)
@pytest.mark.filterwarnings("ignore:A_REASON_TO_COME")
def test_a_reply_without_words_is_empty_and_paid_once(model, fault, note):
    found, calls = one(model, fault)
    assert (found.status, found.text, found.error, calls) == ("empty", "", note, 1)


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        (CHAT, choice(finish_reason="tool_calls", tool_calls=[TOOL])),
        (CHAT, choice(finish_reason=None)),
        (CHAT, choice(finish_reason="eos_token")),
        (CHAT, choice(role=None)),
        (CHAT, choice(content={"type": "text", "text": ANSWER})),
        (CLAUDE, changed(content=[{"type": "to_come"}, {"type": "text", "text": ANSWER}])),
        (
            RESPONSES,
            Fault("edit", edit=lambda r: r | {"output": [{"type": "to_come"}, *r["output"]]}),
        ),
    ],
)
def test_an_answer_next_to_unknown_fields_is_an_answer(model, fault):
    found, calls = one(model, fault)
    assert (found.status, found.text, calls) == ("answered", ANSWER, 1)


def test_a_number_in_place_of_words_is_an_answer():
    found, _ = one(CHAT, choice(content=15))
    assert (found.status, found.text) == ("answered", "15")


FILTERED = "The response was filtered due to our content management policy."


@pytest.mark.parametrize(
    ("model", "fault", "text", "note"),
    [
        (CHAT, choice(content=None, refusal="I can't."), "I can't.", ""),
        (
            CHAT,
            sent({"error": {"message": FILTERED, "code": "content_filter"}}, 400),
            "",
            FILTERED,
        ),
        (
            RESPONSES,
            sent({"error": {"message": "Flagged.", "code": "invalid_prompt"}}, 400),
            "",
            "Flagged.",
        ),
        (
            RESPONSES,
            changed(
                status="failed",
                error={"code": "invalid_prompt", "message": "Flagged."},
                output=[],
            ),
            "",
            "Flagged.",
        ),
        (
            RESPONSES,
            changed(
                status="incomplete", incomplete_details={"reason": "content_filter"}, output=[]
            ),
            "",
            "",
        ),
        (CLAUDE, changed(stop_reason="refusal", content=[]), "", ""),
        (GEMINI, candidate(finishReason="PROHIBITED_CONTENT", content={}), "", ""),
        (
            GEMINI,
            changed(candidates=[], promptFeedback={"blockReason": "SAFETY"}),
            "",
            "the prompt was blocked: SAFETY",
        ),
    ],
)
def test_a_filter_refuses_and_its_words_are_not_those_of_the_model(model, fault, text, note):
    found, calls = one(model, fault)
    assert (found.status, found.text, found.error, calls) == ("refused", text, note, 1)


@pytest.mark.parametrize(
    ("model", "fault", "words"),
    [
        (CHAT, changed(choices=None), "no choice"),
        (CHAT, changed(choices=[]), "no choice"),
        (GEMINI, changed(candidates=None), "no choice"),
        (GEMINI, changed(candidates=[]), "no choice"),
        (RESPONSES, changed(status="in_progress", output=[]), "in_progress"),
        (
            RESPONSES,
            changed(status="failed", error={"code": "server_error", "message": "b"}),
            "502",
        ),
        (
            RESPONSES,
            changed(status="failed", error={"code": "rate_limit_exceeded", "message": "b"}),
            "429",
        ),
        (CLAUDE, changed(stop_reason=None), "cut off"),
        *(
            (CHAT, Fault("status", status), str(status))
            for status in (408, 409, 425, 503, 520, 529)
        ),
    ],
)
def test_a_temporary_failure_is_asked_again(model, fault, words):
    found, calls = one(model, first(fault))
    assert (found.status, found.text, calls) == ("answered", ANSWER, 2)
    found, _ = one(model, fault)
    assert (found.status, found.text) == ("failed", "")
    assert words in found.error


WHOLE = events(messages({"model": "x"}))
START = WHOLE.split(b"\n\n")[0] + b"\n\n"
PING = b'event: ping\ndata: {"type": "ping"}\n\n'


def error_event(kind, message="a bad moment"):
    error = {"type": "error", "error": {"type": kind, "message": message}}
    return b"event: error\ndata: " + json.dumps(error).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("body", "calls"),
    [
        (START, 2),
        (PING * 3, 2),
        (START + error_event("overloaded_error"), 2),
        (START + error_event("api_error"), 2),
        (WHOLE[: WHOLE.index(b"event: message_delta")], 2),
        (WHOLE[: len(WHOLE) // 2], 2),
        (WHOLE[: WHOLE.index(b"event: message_stop")], 1),
        (WHOLE[:-20], 1),
        (b": a comment\n\n" + START + PING + WHOLE[len(START) :], 1),
        (WHOLE.replace(b"\n", b"\r\n"), 1),
        (START + b'event: to_come\ndata: {"type": "to_come"}\n\n' + WHOLE[len(START) :], 1),
    ],
)
def test_a_stream_without_an_end_is_asked_again(body, calls):
    stream = Fault("raw", body=body, type="text/event-stream")
    found, made = one("anthropic/claude-opus-4-6", first(stream), effort="low")
    assert (found.status, found.text, made) == ("answered", ANSWER, calls)


def test_an_error_within_a_stream_that_does_not_pass_fails_its_trial():
    body = START + error_event("invalid_request_error", "prompt is too long")
    stream = Fault("raw", body=body, type="text/event-stream")
    found, calls = one("anthropic/claude-opus-4-6", stream, effort="low")
    assert (found.status, found.text, calls) == ("failed", "", 1)
    assert "prompt is too long" in found.error


SPEAKS = {
    CHAT: (chat, "OpenAI's chat completions"),
    RESPONSES: (responses, "OpenAI's responses"),
    CLAUDE: (messages, "Anthropic's messages"),
    GEMINI: (lambda body: google(), "Google's API"),
}


@pytest.mark.parametrize("model", SPEAKS)
def test_a_reply_with_a_byte_that_is_no_utf8_is_kept(model):
    body = json.dumps(SPEAKS[model][0]({"model": "x"})).encode()
    spoiled = body.replace(ANSWER.encode(), ANSWER.encode() + b" \xff")
    found, calls = one(model, Fault("raw", body=spoiled))
    assert (found.text, calls) == (ANSWER + " \ufffd", 1)


@pytest.mark.parametrize("served", SPEAKS)
@pytest.mark.parametrize("model", SPEAKS)
def test_a_reply_in_another_format_is_named(model, served):
    found = sent(SPEAKS[served][0]({"model": "x"}))
    if model == served:
        assert one(model, found)[0].text == ANSWER
        return
    words = f"{SPEAKS[model][1]}, found one in the format of {SPEAKS[served][1]}"
    with pytest.raises(WolvesError, match=words) as caught:
        one(model, found)
    assert "--provider" in caught.value.fix


@pytest.mark.parametrize(
    ("model", "reply", "words"),
    [
        (CHAT, {"model": "m", "done": True}, "found an object with the fields model, done"),
        (CHAT, {"choices": [{"text": ANSWER}]}, "found an entry of `choices` without a message"),
        (CHAT, {"choices": {"message": {}}}, "found an object as its `choices`"),
        (CHAT, {"choices": [ANSWER]}, "found a text in its `choices`"),
        (GEMINI, {"candidates": [1]}, "found a number in its `candidates`"),
        (CLAUDE, [{"generated_text": ANSWER}], "expected an object, found"),
    ],
)
def test_a_reply_in_no_format_ends_the_run_with_what_it_is(model, reply, words):
    with pytest.raises(WolvesError, match=words):
        one(model, sent(reply))


@pytest.mark.parametrize("model", SPEAKS)
@pytest.mark.parametrize("reply", [{}, []])
def test_an_empty_reply_is_asked_again(model, reply):
    found, calls = one(model, first(sent(reply)))
    assert (found.text, calls) == (ANSWER, 2)


@pytest.mark.parametrize(
    ("model", "fault"), [(CLAUDE, changed(content=ANSWER)), (RESPONSES, changed(output=ANSWER))]
)
def test_a_text_in_place_of_parts_is_the_answer(model, fault):
    found, calls = one(model, fault)
    assert (found.status, found.text, calls) == ("answered", ANSWER, 1)


def in_two_seconds():
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2))


@pytest.mark.parametrize(
    ("headers", "words", "least", "most"),
    [
        ({"retry-after": "0.3"}, "", 0.3, 0.4),
        ({"retry-after-ms": "300"}, "", 0.3, 0.4),
        ({"retry-after-ms": "300", "retry-after": "9"}, "", 0.3, 0.4),
        ({"retry-after": in_two_seconds}, "", 0.0, 2.1),
        ({}, "Rate limit reached. Please try again in 300ms.", 0.3, 0.4),
        ({}, "Please retry in 0.3s.", 0.3, 0.4),
        *(({"retry-after": odd}, "", 0.0, 0.1) for odd in ("", "soon", "-5", "0", "nan", "1,5")),
    ],
)
def test_a_wait_is_read_in_whatever_form_it_comes(headers, words, least, most):
    told = {name: value() if callable(value) else value for name, value in headers.items()}
    found, calls = one(CHAT, first(Fault("status", 429, message=words, headers=told)))
    assert (found.status, calls) == ("answered", 2)
    assert least <= found.waited_s <= most


QUOTA = "You exceeded your current quota, please check your plan and billing details."


def test_a_limit_per_minute_is_waited_for_though_it_is_called_a_quota():
    error = {"code": 429, "message": f"{QUOTA} Please retry in 0.2s.", "status": "EXHAUSTED"}
    found, calls = one(GEMINI, first(sent({"error": error}, 429)))
    assert (found.status, calls) == ("answered", 2)
    assert found.waited_s >= 0.2


@pytest.mark.parametrize(
    ("model", "error"),
    [
        (GEMINI, {"code": 429, "message": QUOTA}),
        ("openai/gpt-4o", {"message": QUOTA, "code": "insufficient_quota"}),
        ("openai/gpt-4o", {"message": f"{QUOTA} Try again in 1s", "type": "insufficient_quota"}),
    ],
)
def test_an_empty_account_ends_the_run(model, error):
    with pytest.raises(WolvesError, match="exceeded your current quota") as caught:
        one(model, sent({"error": error}, 429))
    assert "add credit" in caught.value.fix


def test_a_prompt_that_moderation_forbids_fails_alone():
    words = "Your input was flagged by moderation"
    fault = Fault("status", 403, message=words)
    with FaultServer(lambda n, prompt: fault if "cake 0?" in prompt else None) as server:
        found = ask(wanted(server, patience=ONCE), trials(3))
    assert [r.status for r in found] == ["failed", "answered", "answered"]
    assert words in found[0].error


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 10**400, "completion_tokens": 2},
        {"prompt_tokens": -1, "completion_tokens": 2},
        {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": "none"},
        {"prompt_tokens": 9, "completion_tokens": 2, "completion_tokens_details": [1]},
        {"prompt_tokens": True, "completion_tokens": [], "total_tokens": {}},
    ],
)
def test_an_answer_is_kept_whatever_its_counts_are(usage):
    found, calls = one(CHAT, changed(usage=usage))
    assert (found.status, calls) == ("answered", 1)
    assert found.usage.get("input", 9) == 9


@pytest.mark.parametrize(
    ("body", "words", "fix"),
    [
        (
            {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
            "body.seed: Extra inputs are not permitted",
            "--omit seed",
        ),
        ({"detail": "max_tokens is not supported"}, "max_tokens is not", "--omit max_tokens"),
        ({"errors": [{"message": "unknown field `seed`"}]}, "unknown field", "--omit seed"),
        ({"error": "unexpected keyword argument 'seed'"}, "keyword argument", "--omit seed"),
        ([{"error": {"code": 400, "message": "API key not valid"}}], "not valid", "to a key"),
    ],
)
def test_a_rejected_field_is_named_in_any_form_of_error(body, words, fix):
    with pytest.raises(WolvesError, match=words) as caught:
        one(CHAT, sent(body, 422))
    assert fix in caught.value.fix


def test_a_reply_with_a_byte_order_mark_is_read():
    body = b"\xef\xbb\xbf" + json.dumps(chat({"model": "m"})).encode()
    found, calls = one(CHAT, Fault("raw", body=body))
    assert (found.status, found.text, calls) == ("answered", ANSWER, 1)


def test_the_reasons_of_failed_answers_are_printed(tmp_path, capsys):
    listed = str(write_trials(tmp_path / "t.jsonl", trials(3)))
    words = [listed, "--provider", "openai-compatible", "--model_name", "x", "--retries", "0"]
    with FaultServer(lambda number, prompt: sent({"choices": []})) as server:
        words += ["--base_url", server.url + "/v1", "--out", str(tmp_path / "j.jsonl")]
        assert run(command, words) == 1
    assert "3 failed: the reply has no choice" in capsys.readouterr().err
