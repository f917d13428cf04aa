"""A small experiment on a server, for the tests of worlds: it waits, times out, loses, crashes.

In each of its ticks every seat names a price; a tick ends when all have, or when its time is
over. The server is a file: it outlives whoever plays on it, and shows what arrived. A session
talks to it in a thread of its own, as the engine of a real server would.
"""

import json
import os
import queue
import threading
import time
from pathlib import Path

import numpy as np

from many_wolves.collection import Seat, play
from many_wolves.errors import WolvesError
from many_wolves.reading import read
from many_wolves.records import Message, Number, SpeakerSpec, Trial
from many_wolves.speakers import SimulatedSpeaker
from many_wolves.worlds import COMPLETE, LOST, Episode, Observation, Receipt, Turn

SEATS = ("owner", "speculator", "developer")
PRICE = Number(0, 1000)
DEFAULT = -1.0
SPEC = SpeakerSpec("simulated", "trader", parameters={"level": 100})


class Server:
    """What was done in every session: one JSON line an action, in the order of arrival."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def actions(self, session: str) -> list[dict]:
        if not self.path.exists():
            return []
        # Another thread may be in the middle of a line.
        text = self.path.read_text()
        lines = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
        return [line for line in lines if line["session"] == session]

    def act(self, session: str, turn: int, price: float) -> None:
        line = json.dumps({"session": session, "turn": turn, "price": price}) + "\n"
        with self.path.open("a") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


class Market:
    """A world of sessions on a ``Server``."""

    remote = True

    def __init__(
        self, folder: Path, ticks=4, latency_s=0.0, times_s=None, lost_after=None, crash_at=None
    ) -> None:
        self.server = Server(folder / "server.jsonl")
        self.ticks, self.latency_s, self.times_s = ticks, latency_s, times_s or {}
        self.lost_after, self.crash_at = lost_after, crash_at
        self.sessions: list[MarketSession] = []
        self.closed = False
        self.on_close = lambda: None

    def begin(self, episode, wake):
        session = MarketSession(self, episode, wake)
        self.sessions.append(session)
        return session

    def close(self) -> None:
        self.closed = True
        for session in self.sessions:
            session.thread.join(10)


class MarketSession:
    """One session; its thread does what goes over the network."""

    def __init__(self, market: Market, episode: Episode, wake) -> None:
        self.market, self.episode, self.wake = market, episode, wake
        self.name = f"{episode.id} {episode.replicate}"
        self.receipts: queue.SimpleQueue = queue.SimpleQueue()
        self.looked_up = self.pending = 0
        self.opened_at: dict[int, float] = {}
        self.work: queue.SimpleQueue = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._network, daemon=True)
        self.thread.start()

    def observe(self) -> Observation:
        left = self._time_left()
        waits = self.pending > self.receipts.qsize()
        receipts = tuple(self.receipts.get() for _ in range(self.receipts.qsize()))
        self.pending -= len(receipts)
        found = self._found()
        tick = len(found) // len(SEATS)
        if self.market.crash_at is not None and tick >= self.market.crash_at:
            raise WolvesError("the server burst", fix="start it again")
        lost_after = self.market.lost_after
        if lost_after is not None and not self.episode.attempt and tick >= lost_after:
            return Observation(ended=LOST, receipts=receipts)
        if tick == self.market.ticks:
            return Observation(ended="" if waits else COMPLETE, receipts=receipts)
        turns = [self._turn(turn, found) for turn in self._numbers(tick) if turn not in found]
        return Observation(tuple(turns), look_again_s=left, receipts=receipts)

    def act(self, response, *, perhaps_sent=False) -> None:
        self.pending += 1
        if response.status == "failed":
            self._default(response.turn, "the speaker gave no answer")
            self.wake()
        else:
            self.work.put((response.turn, response.value, perhaps_sent))

    def _found(self) -> dict:
        return {a["turn"]: a["price"] for a in self.market.server.actions(self.name)}

    def _numbers(self, tick: int) -> range:
        return range(tick * len(SEATS), (tick + 1) * len(SEATS))

    def _time_left(self) -> float | None:
        """Seconds until the time of a turn is over; then its seat is defaulted."""
        found = self._found()
        for turn in self._numbers(len(found) // len(SEATS)):
            if turn in self.market.times_s and turn not in found:
                begun = self.opened_at.setdefault(turn, time.monotonic())
                left = begun + self.market.times_s[turn] - time.monotonic()
                if left > 0:
                    return left
                self.pending += 1
                self._default(turn, "its time was over")
        return None

    def close(self) -> None:
        self.work.put(None)
        self.market.on_close()

    def _turn(self, turn: int, found: dict) -> Turn:
        tick, seat = divmod(turn, len(SEATS))
        before = [price for number, price in found.items() if number // len(SEATS) == tick - 1]
        news = f"The prices before: {sorted(before)}." if before else "The market opens."
        opening = self.episode.opening
        trial = Trial(
            family=opening.family,
            task=opening.task,
            cell={"tick": tick},
            answer=PRICE,
            messages=(Message("user", f"You are the {SEATS[seat]}. {news} Your price?"),),
            episode=self.episode.id,
            turn=turn,
            seat=SEATS[seat],
        )
        return Turn(trial, SEATS[seat])

    def _default(self, turn: int, why: str) -> None:
        self.market.server.act(self.name, turn, DEFAULT)
        self.receipts.put(Receipt(turn, "defaulted", why))

    def _network(self) -> None:
        while (asked := self.work.get()) is not None:
            turn, price, perhaps_sent = asked
            time.sleep(self.market.latency_s)
            arrived = {a["turn"] for a in self.market.server.actions(self.name)}
            self.looked_up += perhaps_sent
            if turn in arrived and not perhaps_sent:
                self.receipts.put(Receipt(turn, "stale", "the tick is over"))
            else:
                if turn not in arrived:
                    self.market.server.act(self.name, turn, price)
                self.receipts.put(Receipt(turn, "accepted"))
            self.wake()


class Prices:
    """Simulated prices: a level, and noise by the turn's own seed."""

    def answer(self, trial, rng):
        return float(100 + int(rng.integers(50)))

    def text(self, trial, value):
        return f"{value:g}"

    def probabilities(self, trial):
        return np.ones(1)


def openings(n: int) -> list[Trial]:
    return [
        Trial("market", "prices", {"n": i}, PRICE, (Message("user", "Play."),)) for i in range(n)
    ]


def trader(spec=SPEC, delay_s=0.0):
    return SimulatedSpeaker(spec, Prices(), delay_s)


def played(folder: Path, market, n=1, speakers=None, specs=None, say=print, **more):
    """Play ``n`` sessions; the same speaker has all seats unless others are given."""
    specs = specs or dict.fromkeys(SEATS, SPEC)
    speakers = speakers or {}
    seats = {
        seat: Seat(
            spec,
            folder / f"{spec.model}.jsonl",
            speakers.get(spec.model, lambda spec=spec: trader(spec)),
        )
        for seat, spec in specs.items()
    }
    episodes = [Episode(opening, 0, dict(specs)) for opening in openings(n)]
    return play(episodes, seats=seats, world=market, reader=read, say=say, **more)


def events(folder: Path) -> list[dict]:
    """Events of all sessions, as their journals hold them."""
    files = sorted((folder / "sessions").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]
