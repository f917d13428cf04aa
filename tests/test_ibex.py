"""The lab's protocol against a small server with its faults."""

import asyncio
import json
from collections import Counter
from dataclasses import replace

import pytest

from ibex_server import LOGIN, serve
from many_wolves.errors import WolvesError
from many_wolves.families.markets.engines.ibex import IbexGame, IbexOptions
from many_wolves.families.markets.engines.ibex_state import SeatState
from many_wolves.families.markets.reading.lab import record_from_lab
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.simulation.agents import (
    Exploiter,
    LowBaller,
    OverReporter,
    Truthful,
    ZeroIntelligence,
)
from many_wolves.families.markets.simulation.play import play_session, seat_players
from many_wolves.families.markets.task.experiment import draws_for
from many_wolves.families.markets.task.wording import read_wording
from many_wolves.worlds.desk import Answer
from many_wolves.worlds.ibex import protocol
from many_wolves.worlds.ibex.client import Address, GameGoneError, IbexClient
from many_wolves.worlds.otree.server import free_port
from many_wolves.worlds.session_log import SessionLog
from otree_play import TestDesk, scripted

CAST = {
    "owner": [Truthful(), OverReporter()],
    "developer": [LowBaller()],
    "speculator": [ZeroIntelligence(), Exploiter(markup=-0.1)],
}
FAST = IbexOptions(lab_session=2, turn_s=1.5, pause_s=0.5)
PATIENT = replace(FAST, turn_s=5.0)
"""For clients that lose time: a busy machine may answer later than a short market lasts."""


def rules_for(mechanism, ticks=2, **changes):
    rules = Rules.lab(mechanism, practice=False, **{"rounds": 1, **changes})
    fewer = {"owner": replace(rules.owner, count=2)}
    if mechanism == "voting":
        return replace(rules, **fewer, talk=1)
    fewer["speculator"] = replace(rules.speculator, count=2)
    return replace(rules, **fewer, ticks=ticks)


def play(rules, desk, folder, options=FAST, seed=5, meanwhile=None, journal="ibex.jsonl", **faults):
    """Play a game on a separate server; returns the lab's data and the journal's text."""

    async def run():
        port = free_port()
        server, runner = await serve(port, pace=0.8, **faults)
        address = Address(f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws", *LOGIN.values())
        try:
            async with IbexClient(address) as client:
                with SessionLog(folder / journal) as lines:
                    game = IbexGame(client, desk, lines, rules, read_wording(), options, seed)
                    helper = asyncio.ensure_future(meanwhile(server)) if meanwhile else None
                    data = await asyncio.wait_for(game.run(), 90)
                    if helper:
                        await helper
        finally:
            await runner.cleanup()
        return data, (folder / journal).read_text()

    return asyncio.run(run())


def same_play(record, rules, players, seed=5):
    """Whether a record is what the rules in process give for the same players and draws."""
    local = play_session(rules, players, seed, draws_for(rules, seed, 2)).record()
    for ours, theirs in zip(local.rounds, record.rounds, strict=True):
        for name in ("values", "signals", "first", "final", "condition", "first_buys", "votes"):
            assert getattr(ours, name) == getattr(theirs, name), name
        for seat, account in ours.accounts.items():
            assert theirs.accounts[seat].payoff == pytest.approx(account.payoff)
    assert record.rewards == local.rewards
    return True


@pytest.mark.parametrize("mechanism", ["harberger", "futarchy", "voting"])
def test_a_game_is_played_unattended_and_comes_out_as_in_process(mechanism, tmp_path):
    rules = rules_for(mechanism)
    players = seat_players(rules, CAST)
    desk = TestDesk(scripted(rules, players, 5))
    data, journal = play(rules, desk, tmp_path, saving_s=0.15)
    record = record_from_lab(data)
    assert same_play(record, rules, players)
    fates = Counter(desk.fates())
    assert set(fates) <= {"accepted", "refused"}
    assert LOGIN["password"] not in journal
    for line in map(json.loads, journal.splitlines()):
        assert "recovery" not in json.dumps(line)


def test_several_rounds_with_lines_that_are_cut(tmp_path):
    """Every 40th message of the server closes a socket instead: all is joined again."""
    rules = rules_for("harberger", rounds=2)
    players = seat_players(rules, CAST)
    desk = TestDesk(scripted(rules, players, 5))
    data, _ = play(rules, desk, tmp_path, PATIENT, saving_s=0.1, cut_every=40)
    record = record_from_lab(data)
    assert [r.number for r in record.rounds] == [1, 2]
    assert all(fate != "unknown" for fate in desk.fates())
    for round_ in record.rounds:
        assert not round_.defaulted.get("first_declaration")
    keys = [(seat, turn) for seat, turn, _, _ in desk.receipts]
    assert len(keys) == len(set(keys)), "no answer has two receipts"


def test_a_seat_that_never_answers_gets_the_default_of_the_lab(tmp_path):
    rules = rules_for("harberger", ticks=1)
    players = seat_players(rules, CAST)
    sensible = scripted(rules, players, 5)

    def answer(question):
        if question.seat == 1:
            return Answer(None, "the speaker is dead", default=True)
        if question.seat == 3 and question.place == "first_declaration":
            return {"no_project": 9e9, "project": 1}
        return sensible(question)

    desk = TestDesk(answer)
    data, _ = play(rules, desk, tmp_path)
    (round_,) = record_from_lab(data).rounds
    assert round_.first[1] == (350_000, 150_000)
    assert round_.first[3] == (350_000, 150_000)
    fates = Counter((seat, fate) for seat, _, fate, _ in desk.receipts)
    assert fates[1, "defaulted"] >= 2
    assert fates[3, "refused"] == 2
    assert fates[3, "defaulted"] >= 1
    third = [q for q in desk.questions if q.seat == 3][1]
    assert "not accepted: no_project: the number must be at most" in third.messages[-1].content


def test_a_game_that_the_server_forgot_is_reported_as_gone(tmp_path):
    rules = rules_for("harberger", ticks=1)
    players = seat_players(rules, CAST)
    sensible = scripted(rules, players, 5)
    desk = TestDesk(lambda q: None if q.place == "first_purchases" else sensible(q))

    async def restart(server):
        while not any(q.place == "first_purchases" for q in desk.questions):
            await asyncio.sleep(0.05)
        (game,) = server.games.values()
        server.games.clear()
        for socket in list(game.sockets.values()):
            await socket.close()

    with pytest.raises(GameGoneError):
        play(rules, desk, tmp_path, meanwhile=restart)


def test_a_session_is_taken_up_by_its_journal(tmp_path):
    """The client stops in the middle; another one with the same journal ends the game."""
    rules = rules_for("harberger", ticks=2)
    players = seat_players(rules, CAST)
    sensible = scripted(rules, players, 5)
    answered = []

    def once(question):
        answered.append((question.seat, question.turn))
        return sensible(question)

    async def run():
        port = free_port()
        _, runner = await serve(port, pace=2.0)
        urls = (f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws")
        address = Address(*urls, *LOGIN.values())
        for stop in ("first_purchases", "market", ""):
            desk = TestDesk(once)
            async with IbexClient(address) as client:
                with SessionLog(tmp_path / "up.jsonl") as lines:
                    game = IbexGame(client, desk, lines, rules, read_wording(), PATIENT, 5)
                    task = asyncio.ensure_future(game.run())
                    while not task.done():
                        await asyncio.sleep(0.01)
                        if stop and any(q.place == stop for q in desk.questions):
                            task.cancel()
                            break
                    result = (await asyncio.gather(task, return_exceptions=True))[0]
        await runner.cleanup()
        return result

    data = asyncio.run(run())
    lines = [json.loads(line) for line in (tmp_path / "up.jsonl").read_text().splitlines()]
    markets = [q for q in lines if q["event"] == "question" and q["place"][1] == "market"]
    assert all(q["view"]["private_signal"] for q in markets), "signals are looked up"
    assert same_play(record_from_lab(data), rules, players)
    receipts = [
        (line["seat"], line["turn"])
        for line in map(json.loads, (tmp_path / "up.jsonl").read_text().splitlines())
        if line["event"] == "receipt"
    ]
    assert len(receipts) == len(set(receipts))


def test_a_later_round_of_futarchy_is_taken_up_though_the_status_of_landowners_fails(tmp_path):
    """A client stops among the declarations of the second round; another one ends the game."""
    rules = rules_for("futarchy", ticks=1, rounds=2)
    players = seat_players(rules, CAST)
    sensible = scripted(rules, players, 5)
    asked = []

    async def run():
        port = free_port()
        _, runner = await serve(port, pace=0.8)
        urls = (f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws")
        address = Address(*urls, *LOGIN.values())
        for stop in (True, False):
            # The first client never hears from the last landowner, so that its phase goes on.
            desk = TestDesk(
                lambda q, stop=stop: (
                    None
                    if stop and (q.view["round"], q.place, q.seat) == (2, "first_declaration", 3)
                    else sensible(q)
                )
            )
            async with IbexClient(address) as client:
                with SessionLog(tmp_path / "later.jsonl") as lines:
                    game = IbexGame(client, desk, lines, rules, read_wording(), FAST, 5)
                    task = asyncio.ensure_future(game.run())
                    while stop and not any(
                        (q.view["round"], q.place) == (2, "first_declaration")
                        for q in desk.questions
                    ):
                        await asyncio.sleep(0.05)
                    if stop:
                        await asyncio.sleep(0.5)
                        task.cancel()
                    result = (await asyncio.gather(task, return_exceptions=True))[0]
            asked.append([(q.view["round"], q.place, q.seat) for q in desk.questions])
        await runner.cleanup()
        return result

    data = asyncio.run(asyncio.wait_for(run(), 90))
    assert same_play(record_from_lab(data), rules, players)
    again = [place for place in asked[1] if place[:2] == (2, "first_declaration")]
    assert again == [(2, "first_declaration", 3)]


def test_a_declaration_that_the_server_has_already_is_accepted(tmp_path):
    """The receipt is lost: the declaration is sent again, and the server says that it has one."""
    rules = rules_for("futarchy", ticks=1, rounds=2)
    players = seat_players(rules, CAST)
    desk = TestDesk(scripted(rules, players, 5))

    repeated = []

    async def deaf(server):
        while not server.games:
            await asyncio.sleep(0.01)
        (game,) = server.games.values()
        say, declare = game.say, game.declare

        def without_receipt(seat, name, told):
            if (seat, name, game.round.number) != (1, "declaration-received", 2):
                say(seat, name, told)

        async def late(seat, amounts):
            if (seat, game.round.number, game.phase) == (3, 2, 2):
                await asyncio.sleep(4)
            if seat in game.answers:
                repeated.append(seat)
            await declare(seat, amounts)

        game.say, game.declare = without_receipt, late

    data, _ = play(rules, desk, tmp_path, meanwhile=deaf)
    assert 1 in repeated
    assert same_play(record_from_lab(data), rules, players)
    assert set(desk.fates()) <= {"accepted", "refused"}


def test_a_turn_waits_until_every_seat_knows_which_offers_were_taken(tmp_path):
    """The news of a taken offer is late for all seats alike, so they agree on a wrong book."""
    rules = rules_for("harberger", ticks=4)
    players = seat_players(rules, {role: [Truthful()] for role in CAST})
    desk = TestDesk(scripted(rules, players, 5))

    async def slow(server):
        while not server.games:
            await asyncio.sleep(0.01)
        (game,) = server.games.values()
        say_all = game.say_all

        def late(name, told):
            wait = 0.4 if name == "delete-order" else 0.0
            asyncio.get_running_loop().call_later(wait, say_all, name, told)

        game.say_all = late

    data, _ = play(rules, desk, tmp_path, meanwhile=slow)
    record = record_from_lab(data)
    assert same_play(record, rules, players)
    assert any(market.trades for market in record.rounds[0].markets.values())


def test_a_game_whose_seats_have_another_order_is_not_played(tmp_path):
    """The lab's server reads its players from the database without an order."""
    rules = rules_for("harberger", ticks=1)
    players = seat_players(rules, CAST)
    desk = TestDesk(scripted(rules, players, 5))

    async def shuffle(server):
        while not server.games:
            await asyncio.sleep(0)
        (game,) = server.games.values()
        game.recoveries = ["somebody"]

    with pytest.raises(GameGoneError, match="gave seat 2, not 1"):
        play(rules, desk, tmp_path, meanwhile=shuffle)
    assert not desk.questions


def test_the_view_shows_what_the_page_of_the_lab_shows_and_no_more():
    rules = rules_for("harberger")
    state = SeatState(rules, 4)
    for name, data in (
        ("phase-transition", {"round": 1, "phase": 2}),
        (
            "declarations-published",
            {
                "declarations": [
                    {"number": 1, "d": [1, 2, 0], "owner": "Pink", "v": [77, 78, 0]},
                    {"number": 2, "d": [3, 4, 0], "name": "A Lot"},
                    {"number": 3, "d": [5, 6, 0]},
                ],
                "winningCondition": 1,
            },
        ),
        ("phase-transition", {"round": 1, "phase": 3}),
    ):
        state.take(protocol.Event("event", name, data))
    shown = json.dumps(state.view().to_json())
    assert state.view().first[1] == (1, 2)
    assert "77" not in shown
    assert "Pink" not in shown


def test_messages_keep_clear_of_the_server_s_traps():
    assert protocol.declare(1, 2)["declaration"] == [1, 2, 0]
    assert protocol.speculate([3, 3, 1], [2])["snipe"] == [[3, 1], [2], []]
    bid = protocol.order("bid", None, 1)["order"]
    assert (bid["price"], bid["now"], bid["quantity"]) == (0, True, 1)
    assert protocol.vote(None)["compensationDecisions"] == []
    with pytest.raises(ValueError, match="JSON object"):
        protocol.read("[]")
    assert protocol.read('{"error": "x"}').kind == "error"
    assert protocol.read('{"type": "warning", "message": "y"}').kind == "error"
    assert protocol.read('{"type": "info", "message": "z"}').kind == "message"


def test_the_data_of_a_game_are_kept_without_codes():
    player = {"number": 1, "recovery": "a", "recovery_string": "b", "paymentToken": "c"}
    reward = {"number": 1, "reward": 5.5, "paymentToken": "c"}
    data = {"players": [player], "rewards": [reward], "rewardRound": 1}
    assert protocol.without_codes(data) == {
        "players": [{"number": 1}],
        "rewards": [{"number": 1, "reward": 5.5}],
        "rewardRound": 1,
    }


def test_addresses_and_logins_are_checked(monkeypatch, tmp_path):
    monkeypatch.delenv("IBEX_USERNAME", raising=False)
    with pytest.raises(WolvesError, match="needs a login"):
        Address.from_environment("http://127.0.0.1:1")
    monkeypatch.setenv("IBEX_USERNAME", "lab")
    monkeypatch.setenv("IBEX_PASSWORD", "not the password")
    with pytest.raises(WolvesError, match="expected a URL"):
        Address.from_environment("http://me:pw@127.0.0.1:1")
    address = Address.from_environment("http://127.0.0.1:1")
    assert address.socket == "ws://127.0.0.1:3088"
    assert "not the password" not in repr(address)
    assert address.recovery(1, 2) == address.recovery(1, 2) != address.recovery(1, 3)

    async def wrong():
        port = free_port()
        _, runner = await serve(port)
        other = Address(f"http://127.0.0.1:{port}", "", "lab", "wrong")
        try:
            async with IbexClient(other) as client:
                await client.create({})
        finally:
            await runner.cleanup()

    with pytest.raises(WolvesError, match="rejected the login"):
        asyncio.run(wrong())
