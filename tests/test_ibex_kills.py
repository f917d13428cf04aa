"""A client that is killed at one point of a session on the lab's server, and started again."""

import asyncio
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from ibex_server import LOGIN, serve
from many_wolves.cli import run, wolves
from many_wolves.collection.runner import MOST_ATTEMPTS
from many_wolves.families.markets.engines.ibex import IbexGame
from many_wolves.families.markets.reading.lab import record_from_lab
from many_wolves.families.markets.rules.draws import in_seeded_order
from many_wolves.families.markets.simulation.agents import Truthful
from many_wolves.families.markets.simulation.play import seat_players
from many_wolves.families.markets.task.wording import read_wording
from many_wolves.worlds.ibex.client import Address, GameGoneError, IbexClient
from many_wolves.worlds.otree.server import free_port
from many_wolves.worlds.session_log import SessionLog
from otree_play import TestDesk, scripted
from test_ibex import FAST, rules_for

SELLER, BUYER = 1, 3
QUICK = replace(FAST, turn_s=1.0)


class KilledError(Exception):
    """The end of a process in a test."""


class CutJournal(SessionLog):
    """A journal whose process is killed before or after it writes one line.

    Parameters
    ----------
    path
        The file.
    event, seat, turn
        The line.
    written
        Whether the line is still written.
    """

    def __init__(self, path, event="", seat=0, turn=0, written=True):
        super().__init__(path)
        self.point, self.written, self.killed = (event, seat, turn), written, False

    def write(self, event, *, sync=False, **fields):
        here = (event, fields.get("seat"), fields.get("turn")) == self.point
        if here and not self.killed and self.written:
            super().write(event, sync=sync, **fields)
        self.killed = self.killed or here
        if self.killed:
            raise KilledError
        super().write(event, sync=sync, **fields)


def trading(rules, orders):
    """Truthful players who do in the market what ``orders`` says, by seat and turn, else wait."""
    roles = ("owner", "developer", "speculator")
    players = seat_players(rules, {role: [Truthful()] for role in roles})
    sensible = scripted(rules, players, 5)

    def answer(question):
        if question.place != "market":
            return sensible(question)
        action, price = orders.get((question.seat, question.view["tick"]), ("wait", None))
        mine = [o[0] for market in question.view["markets"].values() for o in market["offers"]]
        return {
            "action": action,
            "price": price,
            "order": mine[0] if action == "cancel" else None,
        }

    return answer


def killed_once(folder, rules, answer, point, down_until=lambda game: True):
    """Play with one kill; the lab's data, and the lines of the journal.

    Parameters
    ----------
    point
        What ``CutJournal`` takes.
    down_until
        Given the server's game, whether the client is started again.
    """
    path = folder / "killed.jsonl"

    async def run():
        port = free_port()
        server, runner = await serve(port, pace=0.8, saving_s=0.05)
        address = Address(f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/ws", *LOGIN.values())

        async def client(journal):
            desk = TestDesk(answer)
            async with IbexClient(address) as http:
                with journal:
                    game = IbexGame(http, desk, journal, rules, read_wording(), QUICK, 5)
                    return await asyncio.wait_for(game.run(), 60)

        try:
            with pytest.raises(KilledError):
                await client(CutJournal(path, **point))
            (game,) = server.games.values()
            while not down_until(game):
                await asyncio.sleep(0.02)
            return await client(SessionLog(path))
        finally:
            await runner.cleanup()

    data = asyncio.run(run())
    return data, [json.loads(line) for line in path.read_text().splitlines()]


def receipts(lines):
    """Status of each turn; every turn that was sent has one receipt."""
    found = [line for line in lines if line["event"] == "receipt"]
    count = Counter((line["seat"], line["turn"]) for line in found)
    asked = {(line["seat"], line["turn"]) for line in lines if line["event"] == "question"}
    assert set(count) == asked
    assert set(count.values()) == {1}
    return {(line["seat"], line["turn"]): line["status"] for line in found}


@pytest.mark.parametrize(
    "point",
    [{"event": "sent", "written": True}, {"event": "receipt", "written": False}],
    ids=["before it was sent", "before its receipt"],
)
def test_an_order_is_placed_once_although_others_took_an_offer_meanwhile(tmp_path, point):
    """The buyer's order is cut off after the seller's order has taken the buyer's first offer."""
    rules = rules_for("harberger", ticks=2)
    answer = trading(
        rules,
        {
            (BUYER, 1): ("bid", 5000),
            (SELLER, 2): ("sell", None),
            (BUYER, 2): ("bid", 6000),
        },
    )
    # The buyer's questions: its declaration, two turns of the market.
    data, lines = killed_once(tmp_path, rules, answer, {**point, "seat": BUYER, "turn": 2})
    (round_,) = record_from_lab(data).rounds
    placed = [(o.seat, o.action, o.price) for o in round_.orders]
    assert sorted(placed) == sorted(
        [(BUYER, "bid", 5000.0), (SELLER, "sell", None), (BUYER, "bid", 6000.0)]
    )
    assert receipts(lines)[BUYER, 2] == "accepted"


def test_an_order_whose_market_closed_while_the_client_was_down_has_a_receipt(tmp_path):
    rules = rules_for("harberger", ticks=1)
    answer = trading(rules, {(BUYER, 1): ("bid", 5000)})
    point = {"event": "receipt", "seat": BUYER, "turn": 1, "written": False}
    data, lines = killed_once(tmp_path, rules, answer, point, lambda game: game.phase > 6)
    (round_,) = record_from_lab(data).rounds
    assert len(round_.orders) == 1
    # It rested, and nobody took it: the closed market says nothing of it.
    assert receipts(lines)[BUYER, 1] == "unknown"
    assert "stale" in receipts(lines).values(), "answers of others came too late"


def test_the_last_purchase_of_a_phase_is_found_although_the_phase_has_ended(tmp_path):
    rules = rules_for("harberger", ticks=1)
    point = {"event": "receipt", "seat": 5, "turn": 0, "written": False}
    data, lines = killed_once(
        tmp_path, rules, trading(rules, {}), point, lambda game: game.phase > 3
    )
    assert receipts(lines)[5, 0] == "accepted"
    (round_,) = record_from_lab(data).rounds
    assert not round_.defaulted


def test_offers_that_were_taken_back_are_in_the_record(tmp_path):
    rules = rules_for("harberger", ticks=2)
    answer = trading(rules, {(BUYER, 1): ("bid", 5000), (BUYER, 2): ("cancel", None)})
    point = {"event": "receipt", "seat": BUYER, "turn": 2, "written": False}
    data, lines = killed_once(tmp_path, rules, answer, point)
    (round_,) = record_from_lab(data).rounds
    assert [o.status for o in round_.orders] == ["rested", "cancelled"]
    assert receipts(lines)[BUYER, 2] == "accepted"


def test_a_turn_that_the_server_refused_is_not_asked_again(tmp_path):
    """The first seat of the turn has nothing to sell to; the last one is killed."""
    rules = rules_for("harberger", ticks=1)
    first, *_, last = in_seeded_order(rules.seats, 5, 1, "market", 1)
    answer = trading(rules, {(first, 1): ("sell", None)})
    point = {"event": "receipt", "seat": last, "turn": 1, "written": False}
    _, lines = killed_once(tmp_path, rules, answer, point)
    assert receipts(lines)[first, 1] == "refused"
    asked = [n for n in lines if n["event"] == "question" and n["place"][1] == "market"]
    assert sorted(line["seat"] for line in asked) == list(rules.seats)


@pytest.fixture
def collected(tmp_path, monkeypatch):
    """Collects one session on a server of which the test says what each attempt gives."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IBEX_USERNAME", "lab")
    monkeypatch.setenv("IBEX_PASSWORD", "a secret of the tests")
    words = ["--paid-rounds", "1", "--no-practice", "--mechanism", "harberger"]
    assert run(wolves, ["compile", "--task", "planning", *words]) == 0
    Path("player.json").write_text('{"strategy": "truthful"}')

    def collect(attempt):
        async def played(game):
            return attempt()

        monkeypatch.setattr(IbexGame, "run", played)
        server = ["--engine", "ibex", "--server", "http://127.0.0.1:1"]
        player = ["--model_type", "simulated", "--model_name", "truthful"]
        player += ["--parameters", "player.json"]
        player += ["--seat", "developer=self", "--seat", "speculator=self"]
        return run(wolves, ["collect", "--task", "planning", *player, *server])

    return collect


def test_a_session_that_is_lost_in_every_attempt_ends_with_status_1(collected, capfd):
    attempts = []

    def gone():
        attempts.append(1)
        raise GameGoneError("the server does not know game 7")

    assert collected(gone) == 1
    assert len(attempts) == MOST_ATTEMPTS
    assert "1 session was lost 3 times by the server." in capfd.readouterr().err
    attempts.clear()
    assert collected(gone) == 1, "a later run tries again"
    assert len(attempts) == MOST_ATTEMPTS


def test_data_of_the_server_that_cannot_be_read_stop_that_session_only(collected, capfd):
    players = [{"number": 1, "recovery": "a code", "paymentToken": "a token"}]
    data = {"results": [{}], "parameters": {}, "players": players}
    assert collected(lambda: data) == 1
    said = capfd.readouterr().err
    assert "data of the game cannot be read: expected the parameters of a game" in said
    assert "1 session was not completed" in said
    (raw,) = Path("llm-output").rglob("*.lab.json")
    assert str(raw) in said
    assert json.loads(raw.read_text())["players"] == [{"number": 1}]
    assert not list(Path("llm-output").rglob("*.record.json"))
