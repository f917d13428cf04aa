"""Pages of sessions: what is on disk, escaped, complete in itself, and followed while it runs."""

import json
import socket
import threading
import urllib.error
import urllib.request
from html.parser import HTMLParser
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from browser import chromium, loaded, open_page
from many_wolves.cli import run, wolves
from many_wolves.collection import read_trials
from many_wolves.errors import WolvesError
from many_wolves.families.markets.reporting.replay import replay
from many_wolves.figures.replay import Message
from many_wolves.records import Response
from many_wolves.report.replay import replay_page
from many_wolves.store.journal_lines import read_journal
from many_wolves.workflows.replays import read_replay
from many_wolves.workflows.watch import watching


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """A session in process with two turns of a market, and its openings."""
    folder = tmp_path_factory.mktemp("replay")
    player = folder / "player.json"
    player.write_text('{"strategy": "zero_intelligence"}')
    trials = str(folder / "planning.jsonl")
    small = ["--mechanism", "harberger", "--paid-rounds", "1", "--no-practice", "--ticks", "2"]
    assert run(wolves, ["compile", "--task", "planning", *small, "--out", trials]) == 0
    speaker = ["--model_type", "simulated", "--model_name", "zi", "--parameters", str(player)]
    seats = ["--seat", "developer=self", "--seat", "speculator=self"]
    out = str(folder / "out")
    words = ["collect", trials, "--task", "planning", *speaker, *seats, "--out", out]
    assert run(wolves, words) == 0
    return folder


@pytest.fixture(scope="module")
def browser():
    driver = chromium()
    yield driver
    driver.quit()


class _Sources(HTMLParser):
    """What a page would load."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("src", "href")]


def test_a_page_has_every_question_answer_and_receipt_of_the_session(collected):
    shown = read_replay("", [collected / "out"], collected / "planning.jsonl")
    (journal,) = (collected / "out" / "markets").glob("*.jsonl")
    answers = read_journal(journal).responses
    cards = [card for column in shown.columns for card in column.cards]
    assert len(shown.columns) == 12
    assert len(cards) == len(answers) == 6 * 2 + 6 * 2 + 12 * 2
    assert sorted(card.text for card in cards) == sorted(r.text for r in answers)
    assert {card.receipt for card in cards} == {"accepted"}
    stages = ["First declaration", "First purchases", "Market", "Final declaration"]
    assert [phase.label for phase in shown.phases] == [*stages, "Final purchases"]
    assert shown.payoffs[0] == ("seat", "speaker", "round 1", "euro")
    assert len(shown.payoffs) == 13
    (market,) = shown.markets
    assert {event["status"] for event in market.events} <= {
        "rested",
        "traded",
        "refused",
        "cancelled",
    }
    page = replay_page(shown)
    sources = _Sources()
    sources.feed(page)
    assert sources.found == ["data:,"]
    assert "fetch(" not in page


def test_a_session_is_shown_while_it_runs_and_words_of_speakers_are_escaped(collected):
    (journal,) = (collected / "out" / "markets").glob("*.jsonl")
    answers = list(read_journal(journal).responses)
    some = answers[:8]
    record = some[0].to_json() | {"reasoning": "</script><script>alert(1)</script>"}
    some[0] = Response.from_json(json.loads(json.dumps(record)))
    name = f"{some[0].episode}-{some[0].replicate}"
    shown = replay(name, some, [], None)
    assert shown.facts["state"] == "it has not ended"
    assert {c.receipt for column in shown.columns for c in column.cards} == {"accepted", "waiting"}
    hostile = "</script><img src=x onerror=alert(1)>"
    (opening,) = read_trials(collected / "planning.jsonl")
    shown = replay(name, some, [], opening)
    shown = type(shown)(**{**vars(shown), "messages": (Message("", "a", "b", hostile),)})
    page = replay_page(shown)
    assert "alert(1)" in page
    assert "<img" not in page
    assert page.count("<script") == 2


def test_a_failure_after_the_receipt_is_shown_at_its_answer(collected, tmp_path):
    (journal,) = (collected / "out" / "markets").glob("*.jsonl")
    answer = next(r for r in read_journal(journal).responses if r.turn == 0)
    record = answer.to_json()
    record["cell"] = {**record["cell"], "engine": "otree"}
    answer = Response.from_json(json.loads(json.dumps(record)))
    name = f"{answer.episode}-{answer.replicate}"
    seat = {"at": "now", "seat": 1, "turn": 0}
    lines = [
        {"event": "question", **seat, "place": "app/Live", "text": "Offer.", "view": {}},
        {"event": "receipt", **seat, "status": "accepted", "why": ""},
        {"event": "failed_late", **seat},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / f"{name}.seats.jsonl").write_text(text)
    shown = replay(name, [answer], [tmp_path], None)
    (card,) = (card for column in shown.columns for card in column.cards)
    assert (card.receipt, card.text) == ("accepted", answer.text)
    assert "failed at it after this receipt" in str(card)


def test_a_session_is_found_by_the_beginning_of_its_name(collected, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = read_replay("", [collected / "out"]).session
    assert run(wolves, ["replay", name[:6], str(collected / "out")]) == 0
    assert Path(f"{name}.html").is_file()
    assert run(wolves, ["replay", "zz", str(collected / "out")]) == 2
    assert name in capsys.readouterr().err
    with pytest.raises(WolvesError, match="opening of this session"):
        other = tmp_path / "other.jsonl"
        assert run(wolves, ["compile", "--task", "planning", "--out", str(other)]) == 0
        read_replay(name, [collected / "out"], other)


@pytest.mark.parametrize("session", ["", " "])
def test_an_empty_name_is_no_beginning_of_a_session(session, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(wolves, ["replay", session]) == 2
    assert "expected the name of a session, found an empty text" in capsys.readouterr().err


def test_a_watched_page_is_served_to_this_machine_only(collected, tmp_path):
    pages = iter(["one", "two"])
    (tmp_path / "a.jsonl").write_text("1\n")
    server = watching(0, [tmp_path], lambda: next(pages))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    here = f"http://127.0.0.1:{server.server_address[1]}"

    def get(path, **headers):
        return urllib.request.urlopen(urllib.request.Request(here + path, headers=headers))

    try:
        assert get("/").read() == b"one"
        before = get("/state").read()
        assert get("/state").read() == before
        (tmp_path / "a.jsonl").write_text("1\n2\n")
        assert get("/state").read() != before
        for path, headers in (("/", {"Host": "elsewhere.example:80"}), ("/etc/passwd", {})):
            with pytest.raises(urllib.error.HTTPError):
                get(path, **headers)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_watched_page_stays_while_its_journal_cannot_be_read(tmp_path, caplog, capfd):
    pages = iter(["one", WolvesError("gone", fix="wait"), OSError(5, "bad disk"), "two"])

    def page():
        found = next(pages)
        if isinstance(found, Exception):
            raise found
        return found

    server = watching(0, [tmp_path], page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        found = [urllib.request.urlopen(address).read() for _ in range(4)]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert found == [b"one", b"one", b"one", b"two"]
    assert "gone" in caplog.text and "bad disk" in caplog.text
    assert "Traceback" not in capfd.readouterr().err


def test_a_port_that_is_taken_is_named(collected, capsys):
    name = read_replay("", [collected / "out"]).session
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        words = ["replay", name, str(collected / "out"), "--watch", "--port", port]
        assert run(wolves, words) == 2
    told = capsys.readouterr().err
    assert f"port {port} cannot be used" in told
    assert "--port" in told


def test_a_journal_without_answers_is_named(tmp_path, capsys):
    (tmp_path / "j.jsonl").touch()
    assert run(wolves, ["replay", "abc", str(tmp_path / "j.jsonl")]) == 2
    told = capsys.readouterr().err
    assert "j.jsonl: the journals hold no answers" in told
    assert "wolves collect" in told


def test_a_watched_page_writes_no_file_and_ends_by_an_interrupt(
    collected, tmp_path, monkeypatch, capsys
):
    def interrupted(server):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", interrupted)
    name = read_replay("", [collected / "out"]).session
    assert run(wolves, ["replay", name, str(collected / "out"), "--watch"]) == 0
    assert "http://127.0.0.1:" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_in_a_browser(browser, collected, tmp_path, width):
    page = tmp_path / "session.html"
    page.write_text(replay_page(read_replay("", [collected / "out"])))
    open_page(browser, page, width)
    assert loaded(browser, page) == []
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
    assert browser.execute_script("return document.documentElement.scrollWidth - innerWidth") <= 0
    cards = "return [...document.querySelectorAll('.card')].filter(c => c.offsetHeight > 0).length"
    assert browser.execute_script(cards) == 48
    # By keys alone: the first phase, then the slider back to the beginning.
    browser.execute_script("document.querySelector('#phases button').focus()")
    press(browser, "ArrowRight", 39)
    assert browser.execute_script(cards) == 6
    browser.execute_script("document.getElementById('at').focus()")
    end = browser.execute_script("return document.getElementById('event').textContent")
    press(browser, "Home", 36)
    assert "The market opens." in browser.execute_script(
        "return document.getElementById('event').textContent"
    )
    press(browser, "End", 35)
    assert browser.execute_script("return document.getElementById('event').textContent") == end


def press(browser, key, code):
    """Press a key where the focus is."""
    for kind in ("keyDown", "keyUp"):
        event = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
        browser.execute_cdp_cmd("Input.dispatchKeyEvent", event)
