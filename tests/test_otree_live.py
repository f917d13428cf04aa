"""Live pages of an oTree-like server that reports a failure only after other news."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from many_wolves.families.markets.engines import otree
from many_wolves.worlds.otree.client import OTreeClient
from many_wolves.worlds.otree.seat import Seat
from many_wolves.worlds.otree.server import Address
from many_wolves.worlds.otree.visits import Limits
from many_wolves.worlds.session_log import SessionLog
from otree_play import TestDesk

PAGE = """<html><head></head><body><div class="otree-body container">
<form id="form" method="post">Offer something.</form></div>
<script id="otree-live" data-socket-url="/live"></script>
<script>function offer() { liveSend({offer: Number(x.value)}); }</script></body></html>"""
BAD = 13
SLOW_S = 0.4
"""Longer than any news of others takes to arrive here."""


class Bazaar:
    """One live page: each message brings news of others at once; offer 13 fails later.

    Parameters
    ----------
    in_turn
        Whether messages and requests are processed one after another, as oTree does unless a
        live method is an asynchronous generator.
    """

    def __init__(self, in_turn):
        self.in_turn = in_turn
        self.lock = asyncio.Lock()
        self.asked = 0

    def routes(self):
        return [
            web.get("/InitializeParticipant/me", self.enter),
            web.get("/p/me/app/Page/1", self.show),
            web.post("/p/me/app/Page/1", self.leave),
            web.get("/OutOfRangeNotification/me", self.show),
            web.get("/favicon.ico", self.nothing),
            web.get("/live", self.live),
        ]

    async def enter(self, request):
        raise web.HTTPFound("/p/me/app/Page/1")

    async def show(self, request):
        return web.Response(text=PAGE, content_type="text/html")

    async def leave(self, request):
        raise web.HTTPFound("/OutOfRangeNotification/me")

    async def nothing(self, request):
        self.asked += 1
        async with self.lock:
            return web.Response(text="")

    async def live(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            offer = json.loads(message.data)["offer"]
            if self.in_turn:
                await self.process(socket, offer)
            else:
                self.task = asyncio.create_task(self.process(socket, offer))
        return socket

    async def process(self, socket, offer):
        news = {"otree_success": True, "live_method_payload": {"best": 7}}
        await socket.send_json(news)
        if self.in_turn:
            await self.lock.acquire()
        try:
            await asyncio.sleep(SLOW_S)
            if offer == BAD:
                await socket.send_json({"otree_success": False, "live_method_payload": None})
        finally:
            if self.in_turn:
                self.lock.release()


@asynccontextmanager
async def serving(bazaar):
    app = web.Application()
    app.add_routes(bazaar.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield Address(f"http://127.0.0.1:{runner.addresses[0][1]}", "")
    finally:
        await runner.cleanup()


def visit(tmp_path, *, in_turn, answers):
    """Receipts, questions and journal of a seat that gives these answers, then goes on."""

    async def run():
        bazaar = Bazaar(in_turn)
        rest = list(answers)
        desk = TestDesk(lambda question: rest.pop(0) if rest else {"do": "submit"})
        async with serving(bazaar) as address, OTreeClient(address) as client:
            with SessionLog(tmp_path / "live.jsonl") as journal:
                seat = Seat(1, "me", client, desk, journal, limits=Limits(look_again_s=2 * SLOW_S))
                await asyncio.wait_for(seat.run(), 30)
                return desk, list(journal.lines), bazaar

    return asyncio.run(run())


def offering(amount):
    return {"do": "send", "message": {"offer": amount}}


@pytest.mark.parametrize(("amount", "fate"), [(BAD, "refused"), (8, "accepted")])
def test_a_failure_that_comes_after_other_news_is_still_a_refusal(tmp_path, amount, fate):
    desk, _, bazaar = visit(tmp_path, in_turn=True, answers=[offering(amount)])
    assert desk.fates() == [fate, "accepted"]
    told = desk.questions[1].messages[-1].content
    assert ("was not accepted" in told) == (fate == "refused")
    assert '{"best": 7}' in told
    assert bazaar.asked >= 1


def test_a_failure_after_the_receipt_is_told_in_the_next_question_and_recorded(tmp_path):
    """A live method in the background: nothing shows when it has ended."""
    answers = [offering(8), offering(BAD), {"do": "wait"}]
    desk, lines, _ = visit(tmp_path, in_turn=False, answers=answers)
    assert desk.fates() == ["accepted"] * 4
    told = ["could not process your last message" in q.messages[-1].content for q in desk.questions]
    assert told == [False, False, False, True]
    late = [line for line in lines if line["event"] == "failed_late"]
    assert [(line["seat"], line["turn"]) for line in late] == [(1, 1)]
    assert sum(line["event"] == "receipt" for line in lines) == 4


def test_a_message_is_not_refused_for_the_failure_of_an_earlier_visit(tmp_path):
    """After a refusal, the next offer stands on its own."""
    desk, _, _ = visit(tmp_path, in_turn=True, answers=[offering(BAD), offering(8)])
    assert desk.fates() == ["refused", "accepted", "accepted"]


def test_sessions_wait_until_there_is_room_and_a_stalled_one_makes_room(tmp_path, monkeypatch):
    """Five at once: 3 + 2, then 2 and a session of nine alone, though the first does not end."""
    for name, seconds in (("LOOK_S", 0.005), ("STALLED_S", 0.1)):
        monkeypatch.setattr(otree, name, seconds)
    engine = otree.OTreeSessions(tmp_path, at_once=5)
    began = []

    async def session(name, seats, over):
        with SessionLog(tmp_path / f"{name}.jsonl") as journal:
            async with engine._room_for(seats, journal):
                began.append((name, {one.seats for one in engine._playing if one.advances()}))
                await over.wait()

    async def run():
        never, at_once = asyncio.Event(), asyncio.Event()
        at_once.set()
        stalled = asyncio.create_task(session("stalled", 3, never))
        await asyncio.sleep(0)
        others = (("b", 2), ("large", 9), ("c", 2))
        await asyncio.wait_for(
            asyncio.gather(*(session(name, seats, at_once) for name, seats in others)), 20
        )
        assert not stalled.done()
        stalled.cancel()

    asyncio.run(run())
    assert dict(began) == {"stalled": {3}, "b": {3, 2}, "c": {3, 2}, "large": {9}}
