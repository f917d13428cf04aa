"""A real oTree server, started by us and played to the end without a browser."""

import asyncio
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import otree_play
from many_wolves.errors import WolvesError
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.simulation.agents import (
    Exploiter,
    LowBaller,
    OverReporter,
    Truthful,
    ZeroIntelligence,
)
from many_wolves.families.markets.simulation.play import play_session, seat_players
from many_wolves.families.markets.task.experiment import session_config
from many_wolves.worlds.desk import Answer
from many_wolves.worlds.otree.client import OTreeClient, SessionGoneError
from many_wolves.worlds.otree.seat import Seat
from many_wolves.worlds.otree.server import Address, OTreeServer
from many_wolves.worlds.otree.visits import Limits
from many_wolves.worlds.session_log import SessionLog
from otree_play import TestDesk, at_random, compose_project, export, exported_record, scripted


@pytest.fixture(scope="module")
def server():
    """One server for all tests; its database is in memory where the system offers that."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.exists() else None) as name:
        folder = Path(name)
        with OTreeServer(compose_project(folder / "project"), folder / "out") as running:
            yield running


@pytest.fixture
def play(server, tmp_path):
    def run(config, seats, desk, changes=None, **options):
        return otree_play.play(server.address, config, seats, desk, tmp_path, changes, **options)

    return run


def small(mechanism, **changes):
    """A session of one round with few seats."""
    rules = Rules.lab(mechanism, rounds=1, practice=False, **changes)
    fewer = {"owner": replace(rules.owner, count=2)}
    if mechanism != "voting":
        fewer["speculator"] = replace(rules.speculator, count=2)
    return replace(rules, **fewer)


CAST = {
    "owner": [Truthful(), OverReporter()],
    "developer": [LowBaller()],
    "speculator": [ZeroIntelligence(), Exploiter(markup=-0.1)],
}


@pytest.mark.parametrize(
    "mechanism",
    [
        pytest.param("harberger", marks=pytest.mark.slow),
        pytest.param("futarchy", marks=pytest.mark.slow),
        "voting",
    ],
)
def test_our_experiment_plays_as_the_rules_in_process_do(mechanism, server, play):
    rules = small(mechanism, **({} if mechanism == "voting" else {"ticks": 2}))
    players = seat_players(rules, CAST)
    desk = TestDesk(scripted(rules, players, 7))
    session, journal = play(
        f"spatial_planning_{mechanism}", len(rules.seats), desk, session_config(rules, 7)
    )
    assert set(desk.fates()) == {"accepted"}
    record = exported_record(server.address, session.code)
    assert record == play_session(rules, players, 7).record()
    payoffs = export(server.address, "payoffs", session.code)
    for row in payoffs:
        seat = int(row["participant"])
        assert float(row["payoff"]) == pytest.approx(record.rounds[-1].accounts[seat].payoff)
    # Nothing that lets others act as a participant is written down.
    for participant in session.participants:
        assert participant.code not in journal
    assert server.address.key not in journal


UNREADABLE = Answer(None, "your answer held no JSON object")
DEAD = Answer(None, "the model is gone", default=True)


def without_two_in_the_market(answer):
    """The same answers, but in the market one seat is never readable, and one has no speaker."""
    lost = {1: UNREADABLE, 2: DEAD}

    def answered(question):
        at_market = question.place.endswith("/Market")
        return (lost.get(question.seat) if at_market else None) or answer(question)

    return answered


def test_prompts_show_what_the_page_shows_and_nothing_of_others(play):
    """Also where a seat gives no answer that can be used: the turn then goes on without it."""
    rules = small("harberger", ticks=1)
    players = seat_players(rules, CAST)
    desk = TestDesk(without_two_in_the_market(scripted(rules, players, 3)))
    play("spatial_planning_harberger", len(rules.seats), desk, session_config(rules, 3))
    market = {(q.seat, q.turn) for q in desk.questions if q.place.endswith("/Market")}
    fates = [(seat, fate) for seat, turn, fate, _ in desk.receipts if (seat, turn) in market]
    assert [fate for seat, fate in fates if seat == 1] == ["refused", "refused", "defaulted"]
    assert [fate for seat, fate in fates if seat == 2] == ["defaulted"]
    values = play_session(rules, players, 3).rounds[0].values
    signals = play_session(rules, players, 3).rounds[0].signals
    truthful = {s for s in rules.landowners if isinstance(players[s], Truthful) and s != 2}
    for question in desk.questions:
        text = "\n".join(m.content for m in question.messages).replace(",", "")
        for seat in rules.seats:
            if seat == question.seat:
                continue
            for signal in signals[seat]:
                assert f"{signal:.0f}" not in text.replace(str(values), "")
            # What truthful owners declared is public; their other value is not.
            if seat in values and seat not in truthful:
                assert all(f"{value:.0f}" not in text for value in values[seat])
        assert "js_vars" not in text
        assert "wolves" not in text
    first = next(q for q in desk.questions if q.seat == 1)
    assert "You are Owner 1" in first.messages[-1].content
    assert f"{values[1][0]:,.0f}" in first.messages[-1].content


def test_every_kind_of_field_is_filled_in_and_errors_are_shown_again(play):
    tries = []

    def answer(question):
        tries.append(question)
        if question.place == "forms/Everything":
            first = sum(q.place == question.place for q in tries) == 1
            return {
                "whole": 3,
                "real": 0.5,
                "money": 10 if first else 20,
                "word": "axe" if first else "word",
                "essay": None,
                "agree": "No",
                "ticked": True,
                "colour": "green",
                "size": "large",
                "across": "2",
            }
        if question.place == "forms/ByHand":
            return {"slider": 15, "plain": "pears", "by_script": "4", "by_button": "right door"}
        return {"late": 5}

    desk = TestDesk(answer)
    play("forms", 1, desk)
    assert desk.fates() == ["refused", "accepted", "accepted", "accepted"]
    assert "must not contain an x" in desk.questions[1].messages[-1].content
    text = desk.questions[0].messages[-1].content
    assert "HIDDEN" not in "\n".join(m.content for q in desk.questions for m in q.messages)
    assert "role | pay\nbuyer | 10" in text
    assert "only-for-scripts" not in str([q.messages for q in desk.questions])
    last = "\n".join(m.content for m in desk.questions[-1].messages)
    assert '"word": "word"' in last, "own answers are remembered"


def test_exports_hold_what_was_answered(server, play):
    desk = TestDesk(at_random(5))
    session, _ = play("arrival", 4, desk)
    assert desk.fates() == ["accepted"] * 4

    async def fetch():
        async with OTreeClient(server.address) as client:
            wide = await client.export("/api/export_wide")
            names = [config["name"] for config in await client.configs()]
            return wide.decode(), names

    wide, names = asyncio.run(fetch())
    assert session.participants[0].code in wide
    assert {"forms", "bazaar", "spatial_planning_voting"} <= set(names)


def test_answers_that_stay_refused_give_way_to_the_engine(play):
    def answer(question):
        if question.place == "forms/Everything":
            return Answer(None, "no JSON object was found")
        return at_random()(question) | (
            {"by_script": "1"} if question.place == "forms/ByHand" else {}
        )

    desk = TestDesk(answer)
    play("forms", 1, desk)
    assert desk.fates()[:3] == ["refused", "refused", "defaulted"]
    assert "no JSON object was found" in desk.questions[1].messages[-1].content


def test_a_time_limit_ends_a_page_as_in_a_browser(play):
    """Nobody answers the page that is open for 4 seconds; the server goes on by itself."""

    def answer(question):
        if question.place == "forms/Hurry":
            return None
        form = at_random()(question)
        return form | ({"by_script": "1"} if "by_script" in form else {})

    desk = TestDesk(answer)
    begin = time.monotonic()
    play("forms", 1, desk)
    assert desk.withdrawn == [(1, desk.questions[-1].turn)]
    assert desk.fates()[-1] == "stale"
    assert time.monotonic() - begin >= 3


def test_an_unknown_live_page_is_played_with_bids_chat_and_a_refusal(play):
    scripts = {
        1: [
            {"reserve": 5},
            {"do": "write", "text": "good evening"},
            {"do": "send", "message": {"type": "bid", "amount": 13}},
            {"do": "wait"},
        ],
        2: [{"do": "submit"}, {"do": "send", "message": {"type": "bid", "amount": 8}}],
        3: [{"do": "wait"}, {"do": "send", "message": {"type": "bid", "amount": 9}}],
    }

    def answer(question):
        script = scripts[question.seat]
        return script.pop(0) if script else {"do": "submit"}

    desk = TestDesk(answer)
    play("bazaar", 3, desk, limits=Limits(look_again_s=0.5))
    seller = [fate for seat, _, fate, _ in desk.receipts if seat == 1]
    assert "refused" in seller, "bidding thirteen fails on the server"
    assert "good evening" in str([q.messages for q in desk.questions])
    shown = next(q for q in desk.questions if q.place == "bazaar/Auction")
    assert "liveSend({'type': 'bid'" in shown.messages[-1].content
    shapes = str(shown.schema)
    assert "'const': 'bid'" in shapes
    entries = [q.messages[-1].content for q in desk.questions if q.seat != 1]
    assert any('"best"' in text for text in entries)


def test_seats_come_through_a_room_before_its_session_exists(server, tmp_path):
    async def play():
        desk = TestDesk(at_random())
        async with OTreeClient(server.address) as client:
            with SessionLog(tmp_path / "room.jsonl") as journal:
                seats = [
                    Seat(n, "", client, desk, journal, room="lab", label=f"p{n}") for n in (1, 2)
                ]
                running = asyncio.gather(*(seat.run() for seat in seats))
                await asyncio.sleep(0.5)
                assert desk.questions == []
                code = await client.create_session("arrival", 2, room="lab")
                await asyncio.wait_for(running, 60)
            return desk, await client.session(code)

    desk, session = asyncio.run(play())
    assert desk.fates() == ["accepted", "accepted"]
    assert sorted(p.label for p in session.participants) == ["p1", "p2"]


def test_faults_are_named(server):
    async def faults():
        async with OTreeClient(server.address) as client:
            with pytest.raises(SessionGoneError):
                await client.join("nobody12")
            with pytest.raises(SessionGoneError):
                await client.session("nosuch12")
            with pytest.raises(WolvesError, match="nosuch"):
                await client.create_session("nosuch", 1)
            with pytest.raises(WolvesError, match="multiple"):
                await client.create_session("bazaar", 4)
        async with OTreeClient(Address(server.address.url, "wrong")) as client:
            with pytest.raises(WolvesError, match="REST key") as error:
                await client.configs()
            assert "wrong" not in str(error.value)

    asyncio.run(faults())
    with pytest.raises(WolvesError, match="expected a URL"):
        Address.from_environment("http://me:secret@host")
    assert "key" not in repr(server.address)


def test_a_folder_that_is_no_project_and_a_project_that_fails_are_named(tmp_path):
    with pytest.raises(WolvesError, match=r"no settings\.py"):
        OTreeServer(tmp_path, tmp_path / "out")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "settings.py").write_text("SESSION_CONFIGS = 1/0\n")
    with pytest.raises(WolvesError, match="division by zero"):
        OTreeServer(broken, tmp_path / "out")


def test_the_server_ends_with_all_that_it_started(tmp_path):
    folder = compose_project(tmp_path / "project")
    before = {p.name for p in folder.rglob("*") if "__pycache__" not in p.parts}
    server = OTreeServer(folder, tmp_path / "out")
    group = os.getpgid(server.pid)
    assert running_in(group) >= 2, "the server and its timeout worker"
    server.close()
    until = time.monotonic() + 10
    while running_in(group) and time.monotonic() < until:
        time.sleep(0.05)
    assert running_in(group) == 0
    assert (tmp_path / "out" / "otree" / "db.sqlite3").exists()
    after = {p.name for p in folder.rglob("*") if "__pycache__" not in p.parts}
    assert before == after, "nothing is written into the project"
    assert json.dumps(server.address.key) not in (tmp_path / "out" / "otree.log").read_text()


def running_in(group):
    """Processes of a group that have not ended."""
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        count += fields[0] != "Z" and int(fields[2]) == group
    return count
