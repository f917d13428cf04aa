"""One seat on the lab's server: questions and answers, messages sent and confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from many_wolves.families.markets.engines.ibex_state import SeatState
from many_wolves.families.markets.rules.actions import (
    Action,
    form,
    market_condition,
    order_side,
    refusal,
    vote_of,
)
from many_wolves.families.markets.rules.parameters import CONDITIONS, Rules
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.rules.words import Wording
from many_wolves.families.markets.task.prompts import prompt, with_labels
from many_wolves.worlds.desk import Desk, Fate, Question
from many_wolves.worlds.ibex import protocol
from many_wolves.worlds.ibex.client import Connection
from many_wolves.worlds.ibex.protocol import Event
from many_wolves.worlds.seat_log import SeatLog

REFUSALS = 3
"""Number of refused answers before the engine uses the default."""
CONFIRM_S = 1.0
"""How long a confirmation is waited for before the server's status is looked at."""
ATTEMPTS = 5
"""Number of times that a message is sent again if the server does not show it."""
LOOKS = 2
"""Number of checks after which a message that the server does not show counts as dropped."""
PATIENCE = 12
"""How often the server's status is asked for, each time for some seconds."""

Place = tuple[int, int]
"""Round and phase."""

CONFIRMED = {
    "declare": {"declaration-received"},
    "done-speculating": {"speculation-received"},
    "post-order": {"add-order", "contract-fulfilled"},
    "cancel-order": {"delete-order"},
    "compensation-request": {"compensation-request-received"},
    "compensation-offer": {"compensation-offer-received"},
    "compensation-decision": {"compensation-decision-received"},
}
"""By message, the events that say that it took effect."""
REFUSED = {"order-refused", "declaration-above-max"}


class IbexSeat:
    """A seat of ours.

    Parameters
    ----------
    number, rules, wording
        Which seat, under which rules, in which words.
    connection, desk, log
        Its socket, who answers for it, and its lines in the journal.
    persona
        Text before its prompts.
    """

    def __init__(
        self,
        number: int,
        rules: Rules,
        wording: Wording,
        connection: Connection,
        desk: Desk,
        log: SeatLog,
        persona: str = "",
    ) -> None:
        self.number, self.rules, self.wording, self.persona = number, rules, wording, persona
        self.connection, self.desk, self.log = connection, desk, log
        self.state = SeatState(rules, number)
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    @property
    def here(self) -> Place:
        """Where the game is, as this seat knows."""
        return self.state.round, self.state.phase

    def take(self, event: Event) -> None:
        """Take an event of the server."""
        self.state.take(event)
        self._events.put_nowait(event)

    async def look(self) -> Mapping[str, Any] | None:
        """Take the server's state of the seat; None where it has none to give."""
        status = await self.connection.status()
        if status is not None:
            self.state.take_status(status)
        return status

    async def ready(self) -> None:
        """Say ready until it is heard: the server drops messages while it saves."""
        here = self.here
        while self.here == here and not self.state.over:
            self._forget()
            await self.connection.send(protocol.ready())
            if await self._heard({"ready-received"}):
                return
            status = await self.look()
            if status is not None and status["player"].get("ready"):
                return

    # Questions

    async def decide(self, tick: int = 0) -> tuple[Question, Action, bool]:
        """An acceptable action: the answer, or the engine's default after three refusals.

        Returns
        -------
        tuple
            The question, the action, and whether it is the default. A question that the
            journal left open comes first; what was sent for it is the action then.
        """
        error, refusals = "", 0
        await self._informed()
        while True:
            view = self.state.view(tick, error)
            question, again = self._question(view)
            if again and self.log.sent is not None:
                return question, self.log.sent, False
            try:
                answer = await self.desk.ask(question)
            except asyncio.CancelledError:
                self.desk.withdraw(question, "the phase ended before the answer came")
                self.close(question, "stale", "the phase ended before the answer came")
                raise
            if answer.default:
                return question, self.default(view), True
            error = answer.why
            if answer.value is not None:
                error = refusal(self.rules, view, self.number, answer.value)
            if answer.value is not None and not error:
                return question, answer.value, False
            refusals += 1
            if refusals >= REFUSALS:
                return question, self.default(view), True
            self.close(question, "refused", error)

    async def _informed(self) -> None:
        """Look up the signals of a market where they were sent while this seat was away."""
        for _ in range(PATIENCE):
            if self.state.stage != "market" or self.state.public is not None:
                return
            await self.look()

    def default(self, view: View) -> Action:
        """What the lab's rules give to a seat that does not answer."""
        fields = form(self.rules, view, self.number)["properties"]
        low = [band.low for band in self.rules.terms(self.rules.role(self.number)).bands]
        amounts = {"compensation": 0.0, "vote": "abstain", "message": "", "to": []}
        if low:
            amounts |= {"no_project": low[0], "project": low[1], "value": low[view.condition or 0]}
        amounts |= {"action": "wait", "price": None, "order": None, "market": "project"}
        return {name: amounts.get(name, []) for name in fields}

    def close(self, question: Question, fate: Fate, why: str = "") -> None:
        """Record the result of an answer in log and desk."""
        self.log.receipt(question.turn, fate, why)
        self.desk.receipt(question, fate, why)

    def _question(self, view: View) -> tuple[Question, bool]:
        """The question of a stage; the one that the journal left open where it is the same."""
        line = self.log.open
        place = [view.round, view.stage, view.tick]
        if line is not None and line["place"] == place:
            return self._earlier(line), True
        shown = view.to_json()
        question = self._earlier({"turn": self.log.turn, "view": shown})
        self.log.question(
            place=place,
            content=question.content,
            text=question.messages[-1].content,
            view=shown,
            offers=[
                [c, number, side]
                for c in CONDITIONS
                for number, side in sorted(self.state.own_offers(c).items())
            ],
            wallets={str(c): list(wallet) for c, wallet in self.state.wallets.items()},
        )
        return question, False

    def _earlier(self, line: Mapping[str, Any]) -> Question:
        """The question of a line of the journal, by its turn and its view."""
        view = View.from_json(line["view"])
        schema = with_labels(self.wording, form(self.rules, view, self.number))
        messages = prompt(self.wording, self.rules, view, schema, self.persona)
        shown = view.to_json() | {"rules": self.rules.to_json()}
        return Question(self.number, line["turn"], view.stage, messages, schema, shown)

    # Messages

    def settle(self) -> None:
        """Close a question whose phase ended while no command played the session."""
        line = self.log.open
        if line is None or line["place"][:2] == [self.state.round, self.state.stage]:
            return
        question = self._earlier(line)
        fate: Fate = "stale"
        why = "the phase ended before the answer came"
        if self.log.sent is not None:
            done = self._took_effect({}, question, self.log.sent)
            fate = "accepted" if done else "unknown"
            why = "found on the server" if done else "the phase ended before it was looked up"
        self.close(question, fate, why)

    async def submit(self, question: Question, action: Action, defaulted: bool) -> Fate:
        """Send an action once, and see to it that it took effect once."""
        message = self._message(question, action)
        why = "the engine's default" if defaulted else ""
        fate: Fate | None = None
        if self.log.sent is not None:
            fate, why = await self._looked_up(question, action)
        elif message is None:
            self.log.send(question.turn, action)
        if message is None:
            fate = "accepted"
        for _ in range(ATTEMPTS):
            if fate is not None or message is None:
                break
            if self._left(question):
                fate, why = "stale", "the phase ended before the answer came"
                break
            if self.log.sent is None:
                self.log.send(question.turn, action)
            fate, told = await self._sent(question, action, message)
            why = told or why
        if fate is None:
            fate, why = "unknown", "the server did not report the result"
        if defaulted and fate == "accepted":
            fate = "defaulted"
        self._note_order(question, action, fate, why)
        self.close(question, fate, why)
        return fate

    async def _sent(
        self, question: Question, action: Action, message: Mapping[str, Any]
    ) -> tuple[Fate | None, str]:
        """Send a message and find out what became of it; None: it was not taken."""
        self._forget()
        sent = await self.connection.send(message)
        for _ in range(LOOKS):
            event = await self._heard(self._signs(message), message) if sent else None
            if event is not None:
                why = str(event.data.get("message", event.name))
                refused = event.name in REFUSED and protocol.DECLARED not in why
                return ("refused", why) if refused else ("accepted", "")
            fate, why = await self._looked_up(question, action)
            if fate is not None:
                return fate, why
        return None, ""

    def _message(self, question: Question, action: Action) -> dict[str, Any] | None:
        """The message that an action is sent as; None where nothing is sent."""
        c = self.state.condition or 0
        message: dict[str, Any] | None = None
        match question.place:
            case "first_declaration":
                message = protocol.declare(action["no_project"], action["project"])
            case "final_declaration":
                message = protocol.declare(*_under(c, action["value"], 0.0))
            case "first_purchases" | "final_purchases" if "lots" in action:
                message = protocol.speculate(*_under(c, action["lots"], []))
            case "first_purchases":
                message = protocol.speculate(action["lots_no_project"], action["lots_project"])
            case "market":
                message = self._order(action)
            case "talk" | "second_talk":
                message = self._line(action)
            case "vote":
                message = protocol.vote(vote_of(action))
            case "request":
                message = protocol.request(action["compensation"])
            case "offer":
                message = protocol.offer(action["compensation"])
        return message

    def _line(self, action: Action) -> dict[str, Any] | None:
        others = [seat for seat in self.rules.seats if seat != self.number]
        text = action["message"].strip()
        return protocol.chat(sorted(action["to"]) or others, text) if text else None

    def _order(self, action: Action) -> dict[str, Any] | None:
        if action["action"] == "wait":
            return None
        condition = market_condition(self.state.markets, action)
        if action["action"] == "cancel":
            return protocol.cancel(int(action["order"]), condition)
        side, now = order_side(action["action"])
        return protocol.order(side, None if now else float(action["price"]), condition)

    def _signs(self, message: Mapping[str, Any]) -> set[str]:
        """Events that end the wait for a message's confirmation. A chat line has none."""
        return CONFIRMED.get(str(message["type"]), set()) | REFUSED | {"error"}

    async def _heard(
        self, names: set[str], message: Mapping[str, Any] | None = None
    ) -> Event | None:
        """The first of these events that concerns this seat; None after a while."""
        if message is not None and message["type"] == "chat-with-players":
            return Event("event", "message-sent", {})
        end = asyncio.get_running_loop().time() + CONFIRM_S
        while (rest := end - asyncio.get_running_loop().time()) > 0:
            try:
                event = await asyncio.wait_for(self._events.get(), rest)
            except TimeoutError:
                return None
            if event.name in names and self._mine(event, message):
                return event
            if event.kind == "error" and "error" in names and message is not None:
                return Event("event", "order-refused", event.data)
        return None

    def _mine(self, event: Event, message: Mapping[str, Any] | None) -> bool:
        """Whether an event that goes to everyone is about this seat."""
        match event.name:
            case "add-order":
                return bool(event.data["order"]["sender"] == self.number)
            case "contract-fulfilled":
                return self.number in (event.data["from"], event.data["to"])
            case "delete-order":
                asked = (message or {}).get("order", {})
                return bool(event.data["order"]["id"] == asked.get("id"))
            case _:
                return True

    async def _looked_up(self, question: Question, action: Action) -> tuple[Fate | None, str]:
        """What became of an action, by the server's status; None: it was not taken."""
        for _ in range(PATIENCE):
            status = await self.look()
            if status is not None:
                break
        else:
            return "unknown", "the server did not give its state"
        if self._took_effect(status["player"], question, action):
            return "accepted", "found on the server"
        if self._left(question):
            return "unknown", "the phase ended before it was looked up"
        return None, ""

    def _left(self, question: Question) -> bool:
        """Whether the game has left the phase in which a question was asked."""
        asked = question.view["round"], question.view["stage"]
        return asked != (self.state.round, self.state.stage)

    def _took_effect(self, player: Mapping[str, Any], question: Question, action: Action) -> bool:
        """Whether the server shows that an action was taken."""
        stage, left = question.place, self._left(question)
        if stage == "market":
            return self._order_shows(question, action, left)
        if stage in ("talk", "second_talk"):
            return True
        # These phases have no clock: they end when everybody has acted.
        if left:
            return True
        if stage.endswith("declaration"):
            return not player.get("hasToDeclare", True)
        if stage.endswith("purchases"):
            return bool(player.get("doneSpeculating"))
        received = {"request": "Request", "offer": "Offer", "vote": "Decision"}
        return bool(player.get(f"compensation{received[stage]}Received"))

    def _order_shows(self, question: Question, action: Action, left: bool) -> bool:
        """Whether offers or wallets say that an order arrived since its question was asked.

        Other seats may have taken this seat's offers in the meantime, so shares that moved with
        those do not show that the order arrived.
        """
        line = self.log.open or {}
        if action["action"] == "wait":
            return True
        condition = market_condition([int(c) for c in question.view["markets"]], action)
        before = {int(n): side for c, n, side in line.get("offers", []) if int(c) == condition}
        if left and (before or self.state.round != question.view["round"]):
            return False
        now = {} if left else self.state.own_offers(condition)
        if action["action"] == "cancel":
            return not left and int(action["order"]) not in now
        shares = int(line["wallets"][str(condition)][1])
        gone = [side for number, side in before.items() if number not in now]
        expected = shares + gone.count("bid") - gone.count("ask")
        return bool(now.keys() - before.keys()) or self.state.wallets[condition][1] != expected

    def _note_order(self, question: Question, action: Action, fate: Fate, why: str) -> None:
        """Show in the next turn what became of this one."""
        if question.place == "market" and action["action"] != "wait":
            status = "refused" if fate == "refused" else "done"
            self.state.last = [(action["action"], action.get("price"), status, why)]

    def _forget(self) -> None:
        """Events before a message say nothing of it."""
        while not self._events.empty():
            self._events.get_nowait()


def _under(condition: int, value: Any, other: Any) -> tuple[Any, Any]:
    """Values without and with the project, where only one condition counts."""
    return (value, other) if condition == 0 else (other, value)
