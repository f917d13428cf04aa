"""A session on the lab's server: follows its phases, and asks our seats in each."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import monotonic
from typing import Any

from many_wolves.families.markets.engines.ibex_seat import REFUSALS, IbexSeat, Place
from many_wolves.families.markets.engines.ibex_state import SeatState
from many_wolves.families.markets.engines.lab_parameters import lab_parameters
from many_wolves.families.markets.rules.actions import Action, acting_seats
from many_wolves.families.markets.rules.draws import in_seeded_order
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.words import Wording
from many_wolves.worlds.desk import Desk, Question
from many_wolves.worlds.ibex.client import Connection, GameGoneError, IbexClient
from many_wolves.worlds.ibex.protocol import Event
from many_wolves.worlds.seat_log import SeatLog
from many_wolves.worlds.server_world import BrokenError
from many_wolves.worlds.session_log import SessionLog

POLL_S = 3.0
"""The server's state is looked at after this, whatever events came."""
AGREE_S = 2.0
"""Events of a turn that have not reached all seats after this are looked up."""
TURN_STAGES = ("market", "talk", "second_talk")


@dataclass(frozen=True)
class IbexOptions:
    """How a game is played on the lab's server.

    Parameters
    ----------
    lab_session
        Which of the lab's value draws, 1 to 11.
    turn_s
        Seconds of a turn in the market and in deliberations, whose phases end by time only.
    pause_s
        Seconds of phases in which nobody acts.
    title
        Name of the game on the server.
    """

    lab_session: int = 1
    turn_s: float = 20.0
    pause_s: float = 1.0
    title: str = "many-wolves"

    def timers(self, rules: Rules) -> dict[int, float | None]:
        """Seconds of each phase; None: until all have acted."""
        pause = max(1, round(self.pause_s))
        if rules.mechanism == "voting":
            talk = max(1, round(rules.talk * self.turn_s))
            return {0: None, 1: pause, 2: talk, 3: None, 4: None, 5: talk, 6: None, 7: pause}
        market = max(1, round(rules.ticks * self.turn_s))
        timed: dict[int, float | None] = dict.fromkeys(range(10))
        return timed | {1: pause, 4: pause, 5: pause, 6: market, 9: pause}


class IbexGame:
    """A game, from its creation or the point where it was left, to its end.

    Parameters
    ----------
    client, desk, journal
        The server, who answers, and where it is written down.
    rules, wording
        The rules, and what players read.
    options
        How it is played there.
    seed
        Of the order in which the orders of a turn are sent.
    personas
        By seat, text before its prompts.
    """

    def __init__(
        self,
        client: IbexClient,
        desk: Desk,
        journal: SessionLog,
        rules: Rules,
        wording: Wording,
        options: IbexOptions,
        seed: int = 0,
        personas: Mapping[int, str] | None = None,
    ) -> None:
        self.client, self.desk, self.journal = client, desk, journal
        self.rules, self.wording, self.options, self.seed = rules, wording, options, seed
        self.personas = personas or {}
        self.game = 0
        self.seats: dict[int, IbexSeat] = {}
        self._moved = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        """Play to the end; the game in the lab's data form.

        Raises
        ------
        GameGoneError
            If the server forgot the game, as after a restart.
        WolvesError
            If it refuses the login or the rules.
        """
        if any(self.journal.of("end")):
            # A server that was restarted keeps the data of a game that it no longer plays.
            return await self.client.data(await self._begin())
        await self._begin()
        async with AsyncExitStack() as stack:
            for number in self.rules.seats:
                await self._join(number, stack)
            for seat in self.seats.values():
                seat.settle()
            while not self._over:
                here = self._here
                await self._phase(here)
                await self._until_moved(here)
        self.journal.write("end", sync=True)
        return await self.client.data(self.game)

    @property
    def _watcher(self) -> IbexSeat:
        """The seat whose status tells where the game is: the status of landowners can fail."""
        return self.seats[next(iter(self.rules.speculators), self.rules.seats[0])]

    @property
    def _here(self) -> Place:
        return max(seat.here for seat in self.seats.values())

    @property
    def _over(self) -> bool:
        return any(seat.state.over for seat in self.seats.values())

    async def _begin(self) -> int:
        """Take up the game of the journal, or make one; its number."""
        known = [line for line in self.journal.of("session") if line.get("engine") == "ibex"]
        if known:
            self.game = int(known[-1]["game"])
            return self.game
        timers = self.options.timers(self.rules)
        number, title = self.options.lab_session, self.options.title
        self.game = await self.client.create(lab_parameters(self.rules, timers, number, title))
        self.journal.write(
            "session",
            sync=True,
            engine="ibex",
            server=self.client.address.url,
            game=self.game,
            lab_session=number,
            seed=self.seed,
            rules=self.rules.to_json(),
        )
        return self.game

    async def _join(self, number: int, stack: AsyncExitStack) -> None:
        """Join one by one: the server gives seats in the order in which its database lists them.

        That is the order of their numbers, except sometimes where games are made at once. Then
        lots and signals have other numbers than their seats, so such a game is not played.
        """

        def take(event: Event) -> None:
            before = seat.here
            seat.take(event)
            if seat.here != before or seat.state.over:
                self._moved.set()

        connection = Connection(self.client, self.game, number, take)
        log = SeatLog(self.journal, number)
        persona = self.personas.get(number, "")
        seat = IbexSeat(number, self.rules, self.wording, connection, self.desk, log, persona)
        self.seats[number] = seat
        await connection.start()
        stack.push_async_callback(connection.close)
        while (status := await seat.look()) is None:
            await asyncio.sleep(0.1)
        found = int(status["player"]["number"])
        if found != number:
            raise GameGoneError(f"the server gave seat {found}, not {number}, of game {self.game}")

    # Phases

    async def _phase(self, here: Place) -> None:
        """Do what a phase asks of our seats.

        A status means that the server has saved: before, it drops what it is sent.
        """
        await self._watcher.look()
        for seat in self.seats.values():
            if seat.here != here:
                await seat.look()
        self._share_published()
        stage = self._watcher.state.stage
        if here[1] == 0:
            await self._while(here, [seat.ready() for seat in self.seats.values()])
        elif stage in TURN_STAGES:
            await self._turns(here, stage)
        elif stage:
            acting = acting_seats(self.rules, self._watcher.state.view())
            await self._while(here, [self._form(self.seats[number], here) for number in acting])

    async def _form(self, seat: IbexSeat, here: Place) -> None:
        """A form of a seat, unless the journal says that it was sent and acknowledged."""
        if self._acknowledged(seat, here, 0):
            return
        for _ in range(REFUSALS):
            question, action, defaulted = await seat.decide()
            sending = asyncio.ensure_future(seat.submit(question, action, defaulted))
            try:
                fate = await asyncio.shield(sending)
            except asyncio.CancelledError:
                # The phase has ended, perhaps by this very action: its receipt is on the way.
                await sending
                raise
            if fate != "refused":
                return
        raise BrokenError(f"the server rejected {REFUSALS} forms of seat {seat.number} in a row")

    async def _turns(self, here: Place, stage: str) -> None:
        """The market or a deliberation, turn by turn, until its phase ends by time."""
        count = self.rules.ticks if stage == "market" else self.rules.talk
        first = self._next_turn(here, stage)
        begin = monotonic()
        for tick in range(first, count + 1):
            await self._agreed()
            decided: dict[int, tuple[Question, Action, bool]] = {}

            async def decide(seat: IbexSeat, tick: int, decided: dict[int, Any]) -> None:
                if not self._acknowledged(seat, here, tick):
                    decided[seat.number] = await seat.decide(tick)

            until = begin + (tick - first + 1) * self.options.turn_s
            waiting = [decide(seat, tick, decided) for seat in self.seats.values()]
            await self._while(here, waiting, until)
            for number in in_seeded_order(decided, self.seed, here[0], stage, tick):
                await self.seats[number].submit(*decided[number])
            if self._here != here or self._over:
                return

    async def _agreed(self) -> None:
        """Wait until all seats have the events of the last turn, because each has its own
        socket.

        What the seats know is compared with the server's state: they can all lack the same event.
        """
        status = await self._watcher.connection.status()
        held: set[Any] = set()
        if status is not None:
            told = SeatState(self.rules, self._watcher.number)
            told.take_status(status)
            held.add(told.heard())
        until = monotonic() + AGREE_S
        while len(held | {seat.state.heard() for seat in self.seats.values()}) > 1:
            if monotonic() > until:
                for seat in self.seats.values():
                    await seat.look()
                return
            await asyncio.sleep(0.02)

    def _next_turn(self, here: Place, stage: str) -> int:
        """The turn that a phase begins with, where a session is taken up within it."""
        turns = [
            int(line["place"][2])
            for line in self.journal.of("question")
            if line["place"][:2] == [here[0], stage]
        ]
        return max(turns, default=1)

    def _acknowledged(self, seat: IbexSeat, here: Place, tick: int) -> bool:
        """Whether the seat's answer at this place has its receipt in the journal.

        A refused answer is followed by another question, except in a turn, because a turn is one
        action. So is a form whose question was withdrawn when the command was interrupted: its
        phase goes on until the form has come.
        """
        open_fates = ("refused",) if tick else ("refused", "stale")
        place = [here[0], seat.state.stage, tick]
        asked = {
            line["turn"]
            for line in self.journal.of("question")
            if line["seat"] == seat.number and line["place"] == place
        }
        sent = {
            line["turn"] for line in self.journal.of("sent") if tick and line["seat"] == seat.number
        }
        return any(
            line["seat"] == seat.number
            and line["turn"] in asked
            and (line["status"] not in open_fates or line["turn"] in sent)
            for line in self.journal.of("receipt")
        )

    async def _while(
        self, here: Place, work: list[Coroutine[Any, Any, None]], until: float | None = None
    ) -> None:
        """Do work for as long as the phase lasts, and not after ``until``; stop the rest."""
        tasks = {asyncio.create_task(coroutine) for coroutine in work}
        try:
            while any(not task.done() for task in tasks) and self._here == here:
                rest = POLL_S if until is None else min(POLL_S, until - monotonic())
                if rest <= 0:
                    break
                self._moved.clear()
                moved = asyncio.create_task(self._moved.wait())
                waits = {moved, *(task for task in tasks if not task.done())}
                done, _ = await asyncio.wait(
                    waits, timeout=rest, return_when=asyncio.FIRST_COMPLETED
                )
                moved.cancel()
                if not done:
                    await self._look()
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _until_moved(self, here: Place) -> None:
        """Wait for the next phase, by events or by the server's status."""
        while self._here == here and not self._over:
            self._moved.clear()
            try:
                await asyncio.wait_for(self._moved.wait(), POLL_S)
            except TimeoutError:
                await self._look()

    async def _look(self) -> None:
        """Look at the server's state of the seats, as events may have been lost."""
        for seat in self.seats.values():
            if seat.connection.gone.is_set():
                raise GameGoneError(f"the server does not know game {self.game}")
        await self._watcher.look()

    def _share_published(self) -> None:
        """Give published final declarations to a seat that joined again after that.

        The server's status repeats the first ones only; the final ones were sent to everyone.
        """
        known = next((s.state.final for s in self.seats.values() if s.state.final), None)
        for seat in self.seats.values():
            if known and seat.state.stage == "final_purchases" and not seat.state.final:
                seat.state.final = dict(known)
