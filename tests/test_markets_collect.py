"""Sessions of twelve seats from `wolves compile` to tables, in process and on servers."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ibex_server import LOGIN, serve
from many_wolves.cli import run, wolves
from many_wolves.families.markets.rules.actions import form
from many_wolves.families.markets.rules.draws import draw
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.session import Session
from many_wolves.families.markets.task.prompts import prompt
from many_wolves.families.markets.task.wording import read_wording
from many_wolves.worlds.otree.server import free_port
from otree_play import compose_project

SMALL = ("--mechanism", "harberger", "--paid-rounds", "1", "--no-practice", "--ticks", "2")
ZERO, TRUTHFUL = "zero_intelligence", "truthful"
TABLES = ("declarations", "purchases", "orders", "trades", "signals", "payoffs")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, with files of players."""
    monkeypatch.chdir(tmp_path)
    for name in (ZERO, TRUTHFUL):
        Path(f"{name}.json").write_text(json.dumps({"strategy": name}))
        speaker = {"provider": "simulated", "model": name, "parameters": f"{name}.json"}
        Path(f"{name}-speaker.json").write_text(json.dumps(speaker))
    return tmp_path


def do(*words, status=0):
    assert run(wolves, [str(word) for word in words]) == status


def collecting(name, *more, task="planning", out="llm-output"):
    player = ("--model_type", "simulated", "--model_name", name, "--parameters", f"{name}.json")
    return ("collect", "--task", task, *player, "--out", out, *more)


def cast(owner=TRUTHFUL, developer=TRUTHFUL):
    given = {"owner": owner, "developer": developer}
    return [w for r, who in given.items() for w in ("--seat", f"{r}={who}-speaker.json")]


def tabulated(out="llm-output"):
    do("choices", f"{out}/markets", "--out", f"{out}-tables")
    place = Path(f"{out}-tables")
    tables = {name: pd.read_csv(place / f"{name}.csv") for name in (*TABLES, "answers")}
    return tables, json.loads((place / "meta.json").read_text())


def without_session(table):
    return table.drop(columns="session")


def same_tables(one, other, apart=()):
    """Whether two collections came to the same sessions, whatever they are called."""
    for name in TABLES:
        if name not in apart:
            pd.testing.assert_frame_equal(
                without_session(one[name]), without_session(other[name]), check_dtype=False
            )
    return True


FROM_ORDERS = ["held", "buyers", "final_tax", "cash", "shares", "shares_pay", "payoff", "euro"]
"""Columns that depend on orders, in which scripted players have luck of their own."""


def same_without_orders(one, other):
    """Whether what the players did outside the market came to the same."""
    for name in ("declarations", "purchases", "signals", "payoffs"):
        kept = [c for c in one[name] if c not in [*FROM_ORDERS, "session", "share_price"]]
        pd.testing.assert_frame_equal(one[name][kept], other[name][kept], check_dtype=False)
    return True


def each_order_once(tables):
    """Whether the orders of the record are the answers of the market, each once."""
    market = tables["answers"].query("stage == 'market'")
    said = sorted(
        (int(seat.rpartition("-")[2]), tick, json.loads(value)["action"])
        for seat, tick, value in zip(market["seat"], market["tick"], market["value"], strict=True)
    )
    orders = tables["orders"]
    done = sorted(zip(orders["participant"], orders["tick"], orders["action"], strict=True))
    assert said == done
    # What is bought is sold: all shares are there, and all pay the same.
    assert tables["payoffs"]["shares"].sum() == 90
    return True


def test_twelve_seats_from_compile_to_tables(folder):
    do("compile", "--task", "planning", "--paid-rounds", 2, "--no-practice", "--ticks", 2)
    do(*collecting(ZERO, *cast()))
    tables, meta = tabulated()
    assert meta["task"] == "planning"
    assert (meta["sessions"], meta["unfinished"], meta["repeated"]) == (2, [], 0)
    answers = tables["answers"]
    # Two declarations of six landowners, two purchases of six speculators, two ticks of all.
    assert len(answers) == 2 * 2 * (2 * 6 + 2 * 6 + 2 * 12)
    assert set(answers["status"]) == {"answered"}
    assert len(tables["payoffs"]) == 2 * 2 * 12
    by_speaker = tables["payoffs"].groupby("speaker")["role"].agg(set)
    assert by_speaker["simulated/zero_intelligence"] == {"speculator"}
    assert by_speaker["simulated/truthful"] == {"owner", "developer"}
    declared = tables["declarations"]
    assert (declared["declared"] == declared["value"]).all()
    # Taxes are in the payoffs, and shares pay them out again.
    paid = tables["payoffs"].groupby(["session", "round"])[["final_tax", "shares_pay"]].sum()
    assert (paid["shares_pay"] > 0).all()
    do(*collecting(ZERO, *cast()))
    again, _ = tabulated()
    assert same_tables(tables, again), "nothing was asked again"


def test_a_killed_collection_goes_on_and_asks_nothing_twice(folder):
    do("compile", "--task", "planning", *SMALL)
    do(*collecting(ZERO, *cast(), out="whole"))
    words = [str(w) for w in collecting(ZERO, *cast(), "--delay", "0.02", out="killed")]
    for least in (5, 20):
        process = subprocess.Popen([sys.executable, "-m", "many_wolves", *words])
        until = time.monotonic() + 60
        while answered("killed") < least and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert least <= answered("killed") < 48
    do(*collecting(ZERO, *cast(), out="killed"))
    whole, _ = tabulated("whole")
    killed, meta = tabulated("killed")
    assert meta["repeated"] == 0
    assert same_tables(whole, killed)


def answered(out):
    """Whole lines in the journals of a folder."""
    return sum(path.read_bytes().count(b"\n") for path in Path(out, "markets").glob("*.jsonl"))


@pytest.mark.parametrize("mechanism", ["harberger", "futarchy", "voting"])
def test_no_prompt_depends_on_what_its_seat_must_not_know(mechanism):
    """Other values and signals of one seat: all prompts of all others stay the same."""
    rules = Rules.lab(mechanism, rounds=1, practice=False)
    rules = replace(rules, talk=1) if mechanism == "voting" else replace(rules, ticks=2)
    draws = draw(rules, 4)
    hidden = 3

    def changed(by_round):
        return {
            number: {
                seat: (pair[0] + 12_345, pair[1] - 2_345) if seat == hidden else pair
                for seat, pair in pairs.items()
            }
            for number, pairs in by_round.items()
        }

    other = replace(draws, values=changed(draws.values), signals=changed(draws.signals))
    one, two = (prompts(rules, given, hidden) for given in (draws, other))
    assert one["others"] == two["others"]
    assert one["own"] != two["own"], "the seat itself sees its values"


def prompts(rules, draws, hidden):
    """Prompts of a session in which all act by the form alone."""
    session = Session.begin(rules, draws, 1)
    found: dict[str, list[str]] = {"own": [], "others": []}
    wording = read_wording()
    while not session.over:
        actions = {}
        for seat, view in session.views().items():
            schema = form(rules, view, seat)
            messages = prompt(wording, rules, view, schema)
            found["own" if seat == hidden else "others"].append((seat, messages))
            actions[seat] = by_form(schema, seat)
        session = session.step(actions)
    return found


def by_form(schema, seat):
    """An acceptable form that depends on nothing that is hidden."""
    values = {"action": "bid", "price": 900.0 + seat, "order": None, "market": "project"}
    values |= {"message": f"hello from {seat}", "to": [], "vote": "project", "compensation": 5.0}
    values |= {"no_project": 300_000.0 + seat, "project": 400_000.0 + seat, "value": 350_000.0}
    return {name: values.get(name, []) for name in schema["properties"]}


def test_unread_answers_are_reported_and_replaced_by_the_default(folder, monkeypatch):
    from many_wolves.families.markets.simulation.answers import Simulated

    words = Simulated.text
    monkeypatch.setattr(
        Simulated,
        "text",
        lambda self, trial, value: (
            "no form" if trial.seat == "owner-1" else words(self, trial, value)
        ),
    )
    do("compile", "--task", "planning", *SMALL)
    do(*collecting(ZERO, *cast()))
    tables, meta = tabulated()
    owner = tables["answers"].query("seat == 'owner-1'")
    assert set(owner["status"]) == {"unparsed"}
    assert list(owner["attempt"]) == [0, 1, 2] * 4
    first = tables["declarations"].query("participant == 1 and stage == 'first'")
    assert list(first["declared"]) == [350_000, 150_000], "the low ends of the bands"
    assert not first["given"].any()
    assert meta["unfinished"] == []


def test_unknown_seats_and_options_are_reported(folder, capsys):
    do("compile", "--task", "planning", *SMALL)
    do(*collecting(ZERO), status=2)
    assert "--seat" in capsys.readouterr().err
    do(*collecting(ZERO, "--seat", "ownr=self"), status=2)
    assert "owner" in capsys.readouterr().err
    do(*collecting(ZERO, *cast(), "--engine", "otre"), status=2)
    assert "otree" in capsys.readouterr().err
    do(*collecting(ZERO, *cast(), "--server", "http://127.0.0.1:1"), status=2)
    assert "has no option 'server'" in capsys.readouterr().err
    do(*collecting(ZERO, *cast(), "--engine", "ibex"), status=2)
    assert "--server" in capsys.readouterr().err
    do("fit", "--task", "planning", status=2)


# oTree


def test_a_session_on_otree_comes_out_as_in_process(folder):
    do("compile", "--task", "planning", *SMALL)
    do(*collecting(TRUTHFUL, *cast(), out="local"))
    do(*collecting(TRUTHFUL, *cast(), "--engine", "otree", out="served"))
    local, _ = tabulated("local")
    served, meta = tabulated("served")
    assert meta["unfinished"] == []
    assert same_without_orders(local, served)
    assert each_order_once(served)


@pytest.mark.slow
def test_a_session_on_otree_survives_kills_and_comes_out_as_in_process(folder):
    """kill -9 of the command, its server with it: each answer arrives once."""
    do("compile", "--task", "planning", *SMALL)
    do(*collecting(TRUTHFUL, *cast(), out="local"))
    words = [str(w) for w in collecting(TRUTHFUL, *cast(), "--engine", "otree", out="served")]
    slow = [*words, "--delay", "0.05"]
    process = subprocess.Popen([sys.executable, "-m", "many_wolves", *slow])
    until = time.monotonic() + 240
    while answered("served") < 14 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 14 <= answered("served") < 48
    do(*words)
    local, _ = tabulated("local")
    served, meta = tabulated("served")
    assert meta["unfinished"] == []
    assert same_without_orders(local, served)
    assert each_order_once(served)
    (journal,) = Path("served/markets/sessions").glob("*-0.jsonl")
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    events = Counter(line["event"] for line in lines)
    assert (events["sent"], events["receipt"], events["ended"]) == (48, 48, 1)
    assert {line["status"] for line in lines if line["event"] == "receipt"} == {"accepted"}


@pytest.mark.slow
def test_an_unknown_app_is_played(folder):
    compose_project(folder / "apps")
    do("compile", "--task", "otree", "--config", "arrival", "--participants", 2)
    Path("random.json").write_text('{"strategy": "random"}')
    do(*collecting("random", "--engine", "otree", "--project", "apps", task="otree"))
    do("choices", "llm-output/markets", "--out", "tables")
    answers = pd.read_csv("tables/answers.csv")
    assert set(answers["seat"]) == {"participant-1", "participant-2"}
    assert set(answers["status"]) == {"answered"}
    (wide,) = Path("llm-output/markets/sessions").glob("*.wide.csv")
    exported = pd.read_csv(wide)
    assert len(exported) == 2
    assert "participant.code" not in exported


# The lab's server


@pytest.fixture
def lab(monkeypatch):
    """A server of the lab's kind, with its window in which messages are lost."""
    port = free_port()
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def begin():
        _, runner = await serve(port, pace=0.8, saving_s=0.15)
        ready.set()
        return runner

    def work():
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(begin())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    monkeypatch.setenv("IBEX_USERNAME", next(iter(LOGIN.values())))
    monkeypatch.setenv("IBEX_PASSWORD", LOGIN["password"])
    monkeypatch.setenv("IBEX_SOCKET", f"ws://127.0.0.1:{port}/ws")
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def test_a_session_on_the_lab_s_server_comes_out_as_in_process(folder, lab):
    do("compile", "--task", "planning", *SMALL)
    do(*collecting(TRUTHFUL, *cast(), out="local"))
    there = ("--engine", "ibex", "--server", lab)
    quick = ("--engine_option", "turn_s=3", "--engine_option", "pause_s=0.5")
    do(*collecting(TRUTHFUL, *cast(), *there, *quick, out="lab"))
    local, _ = tabulated("local")
    played, meta = tabulated("lab")
    assert meta["unfinished"] == []
    assert same_without_orders(local, played)
    assert played["payoffs"]["shares"].sum() == 90
    written = "".join(path.read_text() for path in Path("lab/markets").rglob("*.json*"))
    assert LOGIN["password"] not in written
    assert os.environ["IBEX_PASSWORD"] not in written
    assert "recovery" not in written
