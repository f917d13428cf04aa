"""Games with real speakers: an API model over HTTP, and a small model on this machine."""

import json
import random
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from api_speakers import give_keys
from fault_server import KEY, FaultServer
from game_players import by_game, games, history, responses
from local_models import smollm2
from many_wolves.cli import run
from many_wolves.commands.choices import command as choices
from many_wolves.commands.collect import command as collect
from many_wolves.commands.compile import command as compile_games
from many_wolves.files import shipped
from many_wolves.speakers import Request
from many_wolves.speakers.speaker_request import SpeakerRequest, describe, open_speaker
from many_wolves.tables import read_table


@contextmanager
def players(refuses=lambda messages: False):
    """A server that answers with a random option of the last question."""
    talks: list[list[dict]] = []

    class Player(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            talks.append(body["messages"])
            lines = body["messages"][-1]["content"].splitlines()
            options = [line[2:] for line in lines if line.startswith("- ")]
            chance = random.Random(json.dumps(body["messages"]))
            said = "I'd rather not say." if refuses(body["messages"]) else chance.choice(options)
            message = {"role": "assistant", "content": said}
            reply = {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": "tester",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
            }
            data = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Player)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", talks
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def compiled(path, *more) -> str:
    assert run(compile_games, [*more, "--out", str(path)]) == 0
    return str(path)


def test_an_api_model_plays_and_its_games_are_tabulated(tmp_path, capfd):
    file = compiled(tmp_path / "g.jsonl", "--task", "dilemmas", "--sample", "18")
    with players() as (url, talks):
        words = [file, "--model_type", "api", "--model_name", "openai-compatible/tester"]
        words += ["--base_url", url, "--out", str(tmp_path / "out"), "--at_once", "7"]
        assert run(collect, words) == 0
        (journal,) = (tmp_path / "out" / "dilemmas").glob("*.jsonl")
        found = responses(journal)
        assert len(found) == len(talks) == 18 * (6 + 6 + 1 + 1)
        assert {r.status for r in found} == {"answered"}
        assert {r.speaker.temperature for r in found} == {0.1}
        assert run(collect, words) == 0
        assert len(talks) == len(found)
    longest = max(talks, key=len)
    assert [m["role"] for m in longest] == [*["user", "assistant"] * 5, "user"]
    told = capfd.readouterr().err
    assert "temperature 0.1, from the design of the trials" in told
    # The answers say themselves what family they are of.
    assert run(choices, [str(journal), "--out", str(tmp_path / "t")]) == 0
    table = read_table(tmp_path / "t")
    assert len(table.aside["rounds"]) == 18 * 6
    assert table.aside["gifts"]["count"].sum() == table.aside["served"]["count"].sum() == 18
    assert len(table.of("openai-compatible/tester").aside["rounds"]) == 18 * 6
    assert len(table.of("somebody else").aside["rounds"]) == 0


def test_a_refusal_in_the_middle_ends_that_game_alone(tmp_path, capfd):
    file = compiled(tmp_path / "g.jsonl", "--task", "dilemma", "--sample", "12")
    with players(lambda messages: len(messages) == 5 and "green" in str(messages).lower()) as (
        url,
        _,
    ):
        words = [file, "--model_type", "api", "--model_name", "openai-compatible/tester"]
        words += ["--base_url", url, "--out", str(tmp_path / "j.jsonl")]
        assert run(collect, words) == 0
    lengths = {len(turns) for turns in by_game(tmp_path / "j.jsonl").values()}
    assert lengths == {3, 6}
    assert "4 answers could not be read: 4 unparsed" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("anthropic/claude-haiku-4-5", {}),
        ("anthropic/claude-opus-4-6", {"effort": "low"}),
        ("openai/gpt-5-mini", {"effort": "minimal"}),
        ("google/gemini-2.5-flash", {"effort": "none"}),
        ("openai-compatible/tester", {}),
    ],
)
def test_an_api_model_is_asked_turn_after_turn(monkeypatch, model, options):
    give_keys(monkeypatch)
    with FaultServer() as server:
        path = "" if model.startswith(("anthropic", "google")) else "/v1"
        who = SpeakerRequest("api", model, base_url=server.url + path, **options)
        speaker = open_speaker(who, describe(who), lambda parameters: None)
        for trial in games("dictator", 3):
            (found,) = speaker.ask([Request(trial)], threading.Event())
            assert (found.status, found.error) == ("answered", "")


def test_each_temperature_of_the_design_is_a_speaker(tmp_path, capfd):
    file = compiled(tmp_path / "g.jsonl", "--task", "dictator", "--sample", "3")
    manifest = tmp_path / "g.manifest.json"
    told = json.loads(manifest.read_text())
    told["asked_with"]["temperature"] = [0.1, 0.6]
    manifest.write_text(json.dumps(told))
    with players() as (url, talks):
        words = [file, "--model_type", "api", "--model_name", "openai-compatible/tester"]
        words += ["--base_url", url, "--out", str(tmp_path / "out")]
        assert run(collect, words) == 0
        assert len(talks) == 6
        assert run(collect, [*words, "--temperature", "0.6"]) == 0
        assert len(talks) == 6
    journals = list((tmp_path / "out" / "dilemmas").glob("*.jsonl"))
    found = [{r.speaker.temperature for r in responses(journal)} for journal in journals]
    assert sorted(map(list, found)) == [[0.1], [0.6]]


def test_a_provider_that_takes_no_temperature_is_asked_without(tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    file = compiled(tmp_path / "g.jsonl", "--task", "dictator", "--sample", "3")
    words = [file, "--model_type", "api", "--model_name", "anthropic/claude-haiku-4-5"]
    assert run(collect, [*words, "--dry-run"]) == 0
    told = capfd.readouterr()
    assert "this speaker does not support it" in told.err
    assert "3 calls to make" in told.out


@pytest.mark.model
@pytest.mark.parametrize("mode", [pytest.param("sample", marks=pytest.mark.slow), "score"])
def test_a_small_real_model_plays(tmp_path, mode, capfd):
    pytest.importorskip("torch")
    sources = tmp_path / "design"
    sources.mkdir()
    for source in shipped("task-data/dilemmas").glob("*.yaml"):
        text = source.read_text().replace("chain_of_thought: [no, yes]", "chain_of_thought: [no]")
        (sources / source.name).write_text(text.replace("{announced: 6}", "{announced: 2}"))
    file = compiled(
        tmp_path / "g.jsonl", "--task", "dilemma", "--sample", "2", "--partners", "tit for tat",
        "--sources", str(sources),
    )  # fmt: skip
    words = [file, "--model_type", "hf", "--model_path", str(smollm2()), "--mode", mode]
    words += ["--threads", "1", "--out", str(tmp_path / "j.jsonl")]
    if mode == "sample":
        words += ["--max_tokens", "8", "--temperature", "0"]
    assert run(collect, words) == 0
    found = by_game(tmp_path / "j.jsonl")
    assert len(found) == 2
    for turns in found.values():
        assert len(turns) == 2 or turns[-1].value is None
        assert [t.turn for t in turns] == list(range(len(turns)))
    for rounds in history(tmp_path / "j.jsonl").values():
        assert [other for _, other in rounds] == ["C", *[own for own, _ in rounds[:-1]]]
    if mode == "score":
        assert all(len(t.scores) == 2 and t.value for turns in found.values() for t in turns)
    before = (tmp_path / "j.jsonl").read_bytes()
    assert run(collect, words) == 0
    assert "nothing to ask" in capfd.readouterr().err
    assert (tmp_path / "j.jsonl").read_bytes() == before
