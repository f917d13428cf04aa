"""Results of a batch that are cut, empty, doubled or not as documented cost no other answer."""

import asyncio
import gc
import json
import re
import threading
import time

import pytest

from api_speakers import give_keys, journal_of, opened
from fault_server import FaultServer
from many_wolves.speakers import Request
from many_wolves.speakers.api import batches
from many_wolves.speakers.api.http import ReplyError
from many_wolves.speakers.api.results import readable
from many_wolves.speakers.feed import Feed
from small_trials import a_trial, keys, trials
from test_api_replies import batched


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    give_keys(monkeypatch)


def line(name, text="x"):
    return json.dumps({"custom_id": name, "result": text}, ensure_ascii=False).encode() + b"\n"


def test_lines_that_are_no_result_or_not_the_only_one_are_left_out(caplog):
    body = b"\n  \n".join(
        [
            line("same"),
            line("same"),
            line("two", "yes"),
            line("two", "no"),
            b"[1]\nnull\n{}\n" + b"[" * 100_000 + b"\n" + b'{"custom_id": 7}\n',
            line("breaks", "a\u2028b\x85c"),
            b'{"key": "google", "response": {}}\n',
            line("cut")[:-9],
        ]
    )
    found = readable(body)
    assert found.isascii()
    results = [json.loads(one) for one in found.decode().splitlines()]
    names = [one.get("custom_id") or one["key"] for one in results]
    assert names == ["same", "breaks", "google"]
    assert results[1]["result"] == "a\u2028b\x85c"
    assert "6 of 12 lines" in caplog.text
    assert "different results for each of 1 requests" in caplog.text


def test_results_without_a_line_are_none():
    assert readable(b"") == readable(b" \r\n\n") == b""


def every_result(result):
    """Changes the result of every line."""

    def edit(data):
        lines = [json.loads(one) for one in data.splitlines()]
        return b"".join(json.dumps(one | {"result": result}).encode() + b"\n" for one in lines)

    return edit


DAMAGE = {
    "cut in mid-line": lambda data: data[: len(data) // 300],
    "empty": lambda data: b"",
    "blank lines": lambda data: data.replace(b"\n", b"\n\n \n"),
    "unknown key": lambda data: data + line("of-nobody"),
    "doubled": lambda data: data + data,
    "two answers": lambda data: data + data.replace(b"good", b"bad"),
    "a result that is null": every_result(None),
    "a result of no type": every_result({"type": "odd"}),
    "a message that is null": every_result({"type": "succeeded", "message": None}),
}
HARMLESS = ("blank lines", "unknown key", "doubled")


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_results_cost_no_answer(tmp_path, kind):
    with FaultServer() as server:
        server.edit_data = lambda data: data if len(server.batches) > 1 else DAMAGE[kind](data)
        done = journal_of(tmp_path / "j.jsonl", batched(server), trials(100))
        asked = [len(requests) for requests in server.batches.values()]
    assert done.asked == {"answered": 100}
    assert len(set(keys(tmp_path / "j.jsonl"))) == 100
    # A hundred requests are a batch that is sent at once.
    assert asked == ([100] if kind in HARMLESS else [100, 100])


def test_a_cut_line_costs_only_its_own_request(monkeypatch, tmp_path):
    with FaultServer() as server:
        server.edit_data = lambda data: data[:-5]
        done = journal_of(tmp_path / "j.jsonl", batched(server, retries=0), trials(100))
    assert done.asked == {"answered": 99, "failed": 1}


def test_requests_after_a_batch_that_was_refused_are_asked(tmp_path):
    feed = Feed()
    feed.put([Request(t) for t in trials(100)])
    with FaultServer() as server:
        found = []
        for response in opened(batched(server, retries=0)).ask(feed, threading.Event()):
            found.append(response)
            if len(found) == 100:
                server.refused_batches = 1
            if len(found) in (100, 200):
                feed.put([Request(a_trial(1000 * len(found) + n)) for n in range(100)])
            if len(found) == 300:
                feed.close()
    statuses = [response.status for response in found]
    assert statuses == ["answered"] * 100 + ["failed"] * 100 + ["answered"] * 100
    assert "this batch is refused" in found[150].error


def test_the_work_on_batches_ends_with_the_speaker(caplog, monkeypatch):
    """Otherwise asyncio reports a task that was destroyed while it was pending.

    The provider goes on with a batch that is not complete, which the log says.
    """
    record, seen = FaultServer._batch_record, []

    def second_never_ends(server, name, headers, status):
        seen.append(name)
        return record(server, name, headers, "in_progress" if name == "msgbatch_1" else status)

    monkeypatch.setattr(FaultServer, "_batch_record", second_never_ends)
    feed = Feed()
    feed.put([Request(t) for t in trials(100)])
    with FaultServer() as server:
        answers = opened(batched(server)).ask(feed, threading.Event())
        next(answers)
        feed.put([Request(a_trial(1000 + n)) for n in range(100)])
        until = time.monotonic() + 60
        # It was created, and asked for once.
        while seen.count("msgbatch_1") < 2 and time.monotonic() < until:
            time.sleep(0.01)
        feed.close(drop=True)
        answers.close()
        assert len(server.batches) == 2
    gc.collect()
    logged = [r for r in caplog.records if r.name == "asyncio" or "the provider" in r.getMessage()]
    assert [r.getMessage() for r in logged] == [
        "The provider goes on with batches of 100 requests, and bills them; the next run asks "
        "these requests again. Fix: cancel the batches at the provider: msgbatch_1"
    ]


ERRORS = [
    ({"error": {"code": "batch_expired", "message": "too late"}}, "retry", "too late"),
    ({"response": {"status_code": 400, "body": {"error": {"message": "no"}}}}, "fail", "400.*no"),
    ({"response": {"status_code": 429, "body": "slow"}, "error": None}, "retry", "429.*slow"),
    ({"error": {"code": 13, "message": "internal"}}, "retry", "internal"),
    ({"error": "bad"}, "retry", "bad"),
    ({"response": {"status_code": 200, "body": {}}}, "retry", "cannot be read"),
    ({"response": None}, "retry", "cannot be read"),
]


@pytest.mark.parametrize(("fields", "kind", "words"), ERRORS)
def test_one_line_of_a_file_costs_no_other(fields, kind, words):
    from inspect_ai.model._providers.util.file_batcher import FileBatcher

    batches.prepare_batches(str)

    class Batcher(FileBatcher):
        def _parse_jsonl_line(self, found):
            return found["custom_id"], found["response"]["body"]["text"]

        async def _download_result_file(self, uri):
            good = {"custom_id": "good", "response": {"status_code": 200, "body": {"text": "yes"}}}
            lines = ({"custom_id": "other", **fields}, good)
            return "".join(json.dumps(one) + "\n" for one in lines).encode()

    Batcher.__abstractmethods__ = frozenset()
    batcher = object.__new__(Batcher)
    found = asyncio.run(batcher._parse_result_file("file"))
    assert found["good"] == "yes"
    assert isinstance(found["other"], ReplyError)
    assert found["other"].kind == kind
    assert re.search(words, found["other"].words)
