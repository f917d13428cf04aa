"""Replies that are not as documented: the answer is kept, or the error says what came."""

import json
import logging
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from api_speakers import CHAT, QUICK, ask, give_keys, journal_of, opened, wanted
from fault_server import ANSWER, REASONING, Fault, FaultServer
from many_wolves.errors import WolvesError
from many_wolves.speakers.api import speaker as api_speaker
from many_wolves.speakers.api.output import split_thought
from many_wolves.speakers.api.repair import repair
from many_wolves.store.journal_lines import read_journal
from small_trials import a_trial, keys, trials

WHOLE = {
    "chat": (CHAT, {}),
    "openai": ("openai/gpt-4o", {}),
    "responses": ("openai/gpt-5-mini", {}),
    "messages": ("anthropic/claude-haiku-4-5", {}),
    "streamed": ("anthropic/claude-opus-4-6", {"effort": "low"}),
    "google": ("google/gemini-2.5-flash", {}),
}
FORMATS = pytest.mark.parametrize(("model", "options"), WHOLE.values(), ids=WHOLE)
HALF = "\ud83d"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    give_keys(monkeypatch)


def with_text(text):
    """Changes the answer in a reply of any format."""

    def edit(reply):
        return json.loads(json.dumps(reply).replace(json.dumps(ANSWER), json.dumps(text)))

    return edit


def always(fault):
    return lambda number, prompt: fault


def edited(edit):
    return always(Fault("edit", edit=edit))


def raw(text, **more):
    return always(Fault("raw", body=text.encode(), **more))


@FORMATS
def test_half_of_an_emoji_is_replaced_and_the_run_goes_on(tmp_path, model, options):
    path = tmp_path / "j.jsonl"

    def plan(number, prompt):
        return Fault("edit", edit=with_text(f"{ANSWER} {HALF}")) if number == 1 else None

    with FaultServer(plan) as server:
        who = wanted(server, model, patience=replace(QUICK, connections=1), **options)
        done = journal_of(path, who, trials(3))
    assert done.asked.total() == len(keys(path)) == 3
    found = sorted(r.text for r in read_journal(path).responses)
    assert found == [ANSWER, ANSWER, f"{ANSWER} \ufffd"]


def batched(server, **options):
    policy = replace(QUICK, timeout_s=None, tick_s=0.05, **options)
    return wanted(server, "anthropic/claude-haiku-4-5", batch=True, patience=policy)


def test_half_of_an_emoji_in_a_batch_is_replaced(tmp_path):
    # A hundred requests are a batch that is sent at once.
    with FaultServer(edited(with_text(f"{ANSWER} {HALF}"))) as server:
        journal_of(tmp_path / "j.jsonl", batched(server), trials(100))
    found = {r.text for r in read_journal(tmp_path / "j.jsonl").responses}
    assert found == {f"{ANSWER} \ufffd"}


def test_what_a_batch_does_not_answer_is_asked_again(tmp_path):
    with FaultServer() as server:

        def only_of_nobody_at_first(lines):
            return lines if len(server.batches) > 1 else [{**lines[0], "custom_id": "of-nobody"}]

        server.edit_results = only_of_nobody_at_first
        done = journal_of(tmp_path / "j.jsonl", batched(server), trials(100))
        assert [len(asked) for asked in server.batches.values()] == [100, 100]
    assert done.asked == {"answered": 100}


def test_a_batch_at_a_dead_host_ends_at_once():
    with FaultServer() as server:
        who = batched(server)
    with pytest.raises(WolvesError, match="cannot be reached"):
        ask(who, trials(100))


def test_two_halves_of_an_emoji_are_one_again():
    assert repair({"a\ud83d": ["\ud83d\ude00", "x\ude00"]}) == {"a\ufffd": ["😀", "x\ufffd"]}


def recounted(count):
    """Changes every count of tokens in a reply."""

    def edit(value):
        if isinstance(value, dict):
            return {
                k: count if k.lower().endswith(("tokens", "tokencount")) else edit(v)
                for k, v in value.items()
            }
        return value

    return edit


@FORMATS
@pytest.mark.parametrize("count", [None, "12", 12.0, "many", "nan", [], True])
def test_counts_that_are_no_numbers_do_not_cost_the_answer(model, options, count):
    with FaultServer(edited(recounted(count))) as server:
        (found,) = ask(wanted(server, model, **options), [a_trial(1)])
        assert len(server.calls) == 1
    assert (found.status, found.text) == ("answered", ANSWER)
    if count in ("12", 12.0) and not isinstance(count, bool):
        assert found.usage["input"] + found.usage.get("cache_read", 0) == 12
        assert found.usage["output"] == 12
    elif count is not True:
        assert found.usage == {}


@FORMATS
def test_a_reply_without_usage_or_model_is_an_answer(model, options):
    def edit(reply):
        return {k: v for k, v in reply.items() if k not in ("usage", "usageMetadata", "model")}

    with FaultServer(edited(edit)) as server:
        (found,) = ask(wanted(server, model, **options), [a_trial(1)])
    assert (found.status, found.text, found.usage) == ("answered", ANSWER, {})


@FORMATS
@pytest.mark.parametrize("usage", [[], "12"])
def test_a_usage_that_is_no_object_does_not_cost_the_answer(model, options, usage):
    def edit(reply):
        return {k: usage if k in ("usage", "usageMetadata") else v for k, v in reply.items()}

    with FaultServer(edited(edit)) as server:
        (found,) = ask(wanted(server, model, **options), [a_trial(1)])
    assert (found.status, found.text, found.usage) == ("answered", ANSWER, {})


def test_a_call_with_unknown_tokens_counts_at_its_maximum_cost(tmp_path):
    prices = tmp_path / "prices.yaml"
    prices.write_text("models:\n  openai/gpt-4o*: {input: 1000, output: 10000}\n")
    with FaultServer(edited(recounted(None))) as server:
        who = wanted(
            server,
            "openai/gpt-4o",
            max_cost=2.0,
            prices=prices,
            max_tokens=40,
            patience=replace(QUICK, connections=1),
        )
        assert journal_of(tmp_path / "j.jsonl", who, trials(40)).halted
        # A call may cost 0.48 dollars at most.
        assert len(server.calls) == 4


def with_message(**fields):
    def edit(reply):
        reply["choices"][0]["message"] |= fields
        return reply

    return edit


THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": REASONING}]}


@pytest.mark.parametrize(
    ("fields", "text", "reasoning", "status"),
    [
        ({"content": [THOUGHT, {"type": "text", "text": ANSWER}]}, ANSWER, REASONING, "answered"),
        ({"content": [{"type": "text", "text": "It was "}, "good."]}, ANSWER, "", "answered"),
        ({"content": [{"type": "output_text", "text": ANSWER}]}, ANSWER, "", "answered"),
        ({"content": [THOUGHT]}, "", REASONING, "empty"),
        ({"content": []}, "", "", "empty"),
        ({"content": [{"type": "refusal", "refusal": "No."}]}, "No.", "", "refused"),
        ({"reasoning_content": [{"text": REASONING}]}, ANSWER, REASONING, "answered"),
        ({"reasoning": REASONING}, ANSWER, REASONING, "answered"),
        ({"content": f"<think>\n{REASONING}\n</think>\n\n{ANSWER}"}, ANSWER, REASONING, "answered"),
        ({"content": f"{REASONING}\n</think>\n\n{ANSWER}"}, ANSWER, REASONING, "answered"),
        ({"content": f"[THINK]{REASONING}[/THINK]{ANSWER}"}, ANSWER, REASONING, "answered"),
        ({"content": f"<think>\n{REASONING}\n</think>\n"}, "", REASONING, "empty"),
        ({"content": f"<think>\n{REASONING}"}, "", REASONING, "empty"),
        ({"content": None}, "", "", "empty"),
    ],
)
def test_text_and_thought_are_distinguished(fields, text, reasoning, status):
    with FaultServer(edited(with_message(**fields))) as server:
        (found,) = ask(wanted(server), [a_trial(1)])
        assert len(server.calls) == 1
    assert (found.text, found.reasoning, found.status) == (text, reasoning, status)


def test_a_thought_that_the_limit_cut_off_is_no_answer():
    def edit(reply):
        reply["choices"][0] |= {"finish_reason": "length"}
        return with_message(content="<think>\nIt was good, I could say, but")(reply)

    with FaultServer(edited(edit)) as server:
        (found,) = ask(wanted(server, max_tokens=50), [a_trial(1)])
    assert (found.status, found.text) == ("empty", "")
    assert found.error == "cut off by the limit of 50 tokens"
    assert split_thought("It was <think> good.") == ("It was <think> good.", "")


@pytest.mark.parametrize(("model", "options"), [WHOLE["messages"], WHOLE["streamed"]])
@pytest.mark.parametrize(
    ("reason", "note"),
    [
        ("pause_turn", ""),
        ("model_context_window_exceeded", "cut off by the end of the model's context window"),
        ("a_reason_to_come", ""),
    ],
)
def test_a_turn_that_ends_for_another_reason_is_an_answer(model, options, reason, note):
    with FaultServer(edited(lambda reply: reply | {"stop_reason": reason})) as server:
        (found,) = ask(wanted(server, model, **options), [a_trial(1)])
        assert len(server.calls) == 1
    assert (found.status, found.text, found.error) == ("answered", ANSWER, note)


def sent_error(**error):
    return edited(lambda reply: {"id": "x", "error": error})


@FORMATS
def test_an_error_with_status_200_is_an_error(model, options):
    plan = sent_error(message="Rate limit exceeded: 50 a day", code=429)
    with FaultServer(plan) as server:
        body = json.dumps({"error": {"message": "Rate limit exceeded: 50 a day", "code": 429}})
        server.plan = raw(body) if model.startswith("anthropic") else plan
        who = wanted(server, model, patience=replace(QUICK, retries=2), **options)
        (found,) = ask(who, [a_trial(1)])
        assert len(server.calls) == 3
    assert found.status == "failed"
    assert "HTTP 429 (Too Many Requests): Rate limit exceeded: 50 a day" in found.error


@pytest.mark.parametrize(
    ("edit", "words", "calls"),
    [
        (lambda r: {"error": {"message": "It is too long", "code": 400}}, "HTTP 400 .*too long", 1),
        (lambda r: {"error": {"message": "Upstream", "code": "503"}}, "HTTP 503 .*Upstream", 3),
        (lambda r: {"error": "model overloaded"}, "HTTP 502 .*model overloaded", 3),
        (lambda r: {"error": {"message": "x", "metadata": {"raw": "so busy"}}}, "so busy", 3),
        (lambda r: r | {"choices": []}, "no choice", 3),
        (
            lambda r: r | {"choices": [r["choices"][0] | {"error": {"code": 502, "message": "b"}}]},
            "HTTP 502 .*b",
            3,
        ),
    ],
)
def test_each_error_is_retried_where_that_can_help(edit, words, calls):
    with FaultServer(edited(edit)) as server:
        who = wanted(server, patience=replace(QUICK, retries=2))
        (found,) = ask(who, [a_trial(1)])
        assert len(server.calls) == calls
    assert found.status == "failed"
    assert __import__("re").search(words, found.error)


PAGE = "<!doctype html><html><style>p {}</style><h1>Sign in</h1>\n<p>to the network</p></html>"


@FORMATS
@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (PAGE, "text/html; charset=utf-8", "text/html, which begins: Sign in to the network"),
        ("upstream says no", "text/plain", "text/plain, which begins: upstream says no"),
        ('"It was good."', "application/json", "It was good"),
    ],
)
def test_a_page_in_place_of_a_reply_ends_the_run_with_its_first_words(
    tmp_path, model, options, body, kind, words
):
    with FaultServer(raw(body, type=kind)) as server:
        who = wanted(server, model, patience=replace(QUICK, connections=1), **options)
        with pytest.raises(WolvesError, match=words) as caught:
            journal_of(tmp_path / "j.jsonl", who, trials(30))
        assert len(server.calls) == 1
    assert "--base_url" in caught.value.fix
    assert list(tmp_path.iterdir()) == []


def test_an_unrequested_event_stream_ends_the_run():
    events = 'data: {"choices": [{"delta": {"content": "It"}}]}\n\ndata: [DONE]\n\n'
    with FaultServer(raw(events, type="text/event-stream")) as server:
        with pytest.raises(WolvesError, match=r"text/event-stream, which begins: data: \{"):
            ask(wanted(server), [a_trial(1)])
        assert len(server.calls) == 1


def test_a_page_between_answers_is_a_bad_moment():
    def plan(number, prompt):
        return Fault("raw", body=PAGE.encode(), type="text/html") if number == 1 else None

    with FaultServer(plan) as server:
        found = ask(wanted(server, patience=replace(QUICK, connections=1)), trials(3))
    assert [(r.status, r.retries) for r in found] == [("answered", n) for n in (0, 1, 0)]


@pytest.mark.parametrize("body", ["", "  \n", '{"id": "x", "choices": [{"mess'])
def test_an_interrupted_reply_is_asked_again(body):
    def plan(number, prompt):
        return Fault("raw", body=body.encode()) if number == 0 else None

    with FaultServer(plan) as server:
        (found,) = ask(wanted(server), [a_trial(1)])
    assert (found.status, found.retries) == ("answered", 1)


def test_the_first_words_of_an_error_page_are_quoted():
    page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    with FaultServer(raw(page, status=502, type="text/html")) as server:
        (found,) = ask(wanted(server, patience=replace(QUICK, retries=1)), [a_trial(1)])
    assert found.error == "HTTP 502 (Bad Gateway): 502 Bad Gateway nginx"


@FORMATS
def test_a_prompt_that_is_too_long_fails_its_trial(model, options):
    words = "prompt is too long: 300000 tokens; maximum context length is 200000 tokens"
    fault = Fault("status", 400, message=words)
    with FaultServer(lambda n, prompt: fault if "cake 1?" in prompt else None) as server:
        who = wanted(server, model, patience=replace(QUICK, connections=1), **options)
        found = ask(who, trials(3))
    assert [r.status for r in found] == ["answered", "failed", "answered"]
    assert words in found[1].error
    assert found[1].text == ""
    assert found[1].retries == 0


@pytest.mark.parametrize("asked", ["1e9", "inf", "7200", "Fri, 31 Dec 2999 23:59:59 GMT"])
def test_a_wait_of_hours_fails_its_trial_and_in_the_end_the_run(tmp_path, asked):
    fault = Fault("status", 429, retry_after=asked)
    with FaultServer(lambda n, prompt: fault if "cake 1?" in prompt else None) as server:
        found = ask(wanted(server, patience=replace(QUICK, connections=1)), trials(3))
        assert [r.status for r in found] == ["answered", "failed", "answered"]
        assert "the server asks to wait" in found[1].error
        server.plan = lambda number, prompt: fault if number > 8 else None
        with pytest.raises(WolvesError, match="10 requests in a row") as caught:
            journal_of(tmp_path / "j.jsonl", wanted(server), trials(60))
    assert "after that time" in caught.value.fix


def test_a_wait_of_minutes_is_announced_once(monkeypatch, caplog):
    slept = []

    async def sleep(seconds, halt):
        slept.append(seconds)
        return True

    monkeypatch.setattr(api_speaker, "_slept", sleep)
    seen = set()

    def plan(number, prompt):
        first = prompt not in seen
        seen.add(prompt)
        return Fault("status", 429, retry_after=200) if first else None

    with FaultServer(plan) as server, caplog.at_level(logging.WARNING, "many_wolves"):
        found = ask(wanted(server), trials(8))
    assert {r.status for r in found} == {"answered"}
    assert min(slept) >= 200
    (record,) = [r for r in caplog.records if r.name.startswith("many_wolves")]
    assert "the server asks to wait 3 min (HTTP 429 (Too Many Requests)" in record.getMessage()


def test_too_many_open_files_are_named(tmp_path):
    program = Path(__file__).with_name("fault_server.py")
    with subprocess.Popen(
        [sys.executable, str(program), "3"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
            who = replace(wanted(_At(url)), patience=replace(QUICK, connections=60))
            speaker = opened(who)
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            room = sum(1 for _ in Path("/proc/self/fd").iterdir()) + 20
            resource.setrlimit(resource.RLIMIT_NOFILE, (room, limits[1]))
            try:
                with pytest.raises(
                    WolvesError, match="limit of open files and connections"
                ) as caught:
                    list(speaker.ask(_requests(60), __import__("threading").Event()))
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        finally:
            server.kill()
    assert "--connections" in caught.value.fix


class _At:
    """What ``wanted`` needs of a server."""

    def __init__(self, url):
        self.url = url.removesuffix("/v1")


def _requests(n):
    from many_wolves.speakers import Request

    return [Request(trial) for trial in trials(n)]
