"""One game of the lab's server: what it does, what it says, and when it says nothing."""

import asyncio
import json
from dataclasses import replace
from typing import Any

from ibex_status import flat, orders, public, wallet
from lab_data import to_lab
from many_wolves.families.markets.engines.lab_parameters import ROLE_NUMBERS
from many_wolves.families.markets.reading.lab import rules_from_lab, stage_of
from many_wolves.families.markets.rules.play import close_market, open_round, order, play
from many_wolves.families.markets.rules.round import ChatLine
from many_wolves.families.markets.rules.session import SessionRecord
from many_wolves.families.markets.task.experiment import draws_for


class Game:
    """One game in memory."""

    def __init__(self, server, number, parameters):
        self.server, self.number = server, number
        self.rules = rules_from_lab(flat(parameters), ticks=1)
        self.draws = draws_for(self.rules, 1, parameters["session_number"])
        self.timers = parameters["timers"]
        self.recoveries, self.sockets = [], {}
        self.ready, self.answers = set(), {}
        self.rounds, self.summaries = [], {}
        self.phase, self.over, self.saving, self.rewarded = 0, False, False, False
        self.round: Any = None
        self.timer = None
        self.begin(self.rules.round_numbers[0])

    @property
    def last_phase(self):
        return 7 if self.rules.mechanism == "voting" else 9

    def begin(self, number):
        self.round = open_round(self.rules, self.draws, number)
        self.phase, self.ready = 0, set()
        self.say_all("phase-transition", {"round": number, "phase": 0})

    # What it says

    def say(self, seat, name, data):
        socket = self.sockets.get(seat)
        if socket is not None and not socket.closed:
            text = json.dumps({"type": "event", "eventType": name, "data": data})
            self.server.later(self.server.send(socket, text))

    def say_all(self, name, data):
        for seat in list(self.sockets):
            self.say(seat, name, data)

    # What it is told

    async def hear(self, seat, socket, message):
        kind = message.get("type")
        if kind == "join":
            await self.join(socket, message["recovery"])
            return
        if self.saving or seat is None or self.over:
            return
        stage = stage_of(self.rules, self.phase)
        if kind == "player-is-ready" and self.phase == 0:
            self.ready.add(seat)
            self.say(seat, "ready-received", {})
            if len(self.ready) == len(self.rules.seats):
                await self.move()
        elif kind == "declare" and stage.endswith("declaration"):
            await self.declare(seat, message["declaration"])
        elif kind == "done-speculating" and stage.endswith("purchases"):
            self.answers[seat] = message["snipe"]
            self.say(seat, "speculation-received", {})
            if len(self.answers) == len(self.rules.speculators):
                await self.move()
        elif kind in ("post-order", "cancel-order") and stage == "market":
            self.trade(seat, kind, message["order"])
        elif kind == "chat-with-players" and stage in ("talk", "second_talk"):
            self.chat(seat, message)
        elif kind.startswith("compensation") and stage in ("request", "offer", "vote"):
            await self.compensate(seat, kind, message, stage)
        else:
            text = json.dumps({"type": "error", "message": f"no handler for {kind}"})
            await self.server.send(socket, text)

    async def join(self, socket, recovery):
        if recovery not in self.recoveries:
            if len(self.recoveries) == len(self.rules.seats):
                return
            self.recoveries.append(recovery)
        self.sockets[self.recoveries.index(recovery) + 1] = socket

    async def declare(self, seat, amounts):
        if seat in self.answers:
            told = f"Game {self.number}: player {seat} sent a declaration update."
            text = json.dumps({"type": "warning", "message": f"{told} This is not allowed"})
            await self.server.send(self.sockets[seat], text)
            return
        for c, amount in enumerate(amounts[:2]):
            if amount > 2 * self.rules.band(seat, c).high:
                self.say(seat, "declaration-above-max", {"maximum": 0})
                return
        self.answers[seat] = amounts
        self.say(seat, "declaration-received", {})
        if len(self.answers) == len(self.rules.landowners):
            await self.move()

    def trade(self, seat, kind, told):
        c = told["condition"]
        if kind == "cancel-order":
            action = {"action": "cancel", "price": None, "order": told["id"]}
            action["market"] = ("no_project", "project")[c]
            self.round = order(self.rules, self.round, seat, action, 0.0)
            event = self.round.orders[-1]
            if event.status == "cancelled":
                self.say_all("delete-order", {"order": {"id": told["id"], "condition": c}})
            else:
                self.say(seat, "order-refused", {"message": event.why})
            return
        now = told["now"]
        kinds = {"ask": ("ask", "sell"), "bid": ("bid", "buy")}[told["type"]]
        action = {
            "action": kinds[now],
            "price": told["price"],
            "order": None,
            "market": ("no_project", "project")[c],
        }
        self.round = order(self.rules, self.round, seat, action, 0.0)
        event, after = self.round.orders[-1], self.round.markets[c]
        if event.status == "refused":
            self.say(seat, "order-refused", {"message": event.why})
        elif event.status == "rested":
            self.say_all("add-order", {"order": orders(self, c)[-1]})
        else:
            trade = after.trades[-1]
            for party in (trade.seller, trade.buyer):
                held = after.wallets[party]
                moved = {"condition": c, "balance": held.cash, "shares": held.shares}
                self.say(party, "asset-movement", moved)
            fulfilled = {
                "from": trade.seller,
                "to": trade.buyer,
                "price": trade.price,
                "condition": c,
                "median": after.median(),
            }
            self.say_all("contract-fulfilled", fulfilled)
            self.say_all("delete-order", {"order": {"id": trade.order, "condition": c}})

    def chat(self, seat, message):
        to = tuple(message["to"])
        line = ChatLine(self.round.stage, 1, seat, to, message["text"])
        self.round = replace(self.round, messages=(*self.round.messages, line))
        for reader in to:
            self.say(reader, "message-received", {"sender": seat, **message})

    async def compensate(self, seat, kind, message, stage):
        self.answers[seat] = next(v for n, v in message.items() if n.startswith("compensation"))
        self.say(seat, f"{kind}-received", {})
        owners = self.rules.owner.count
        if len(self.answers) == (1 if stage == "offer" else owners):
            await self.move()

    # Phases

    async def move(self):
        """The next phase; while it is saved, nothing is heard."""
        self.saving = True
        ended = stage_of(self.rules, self.phase)
        before = self.round
        self.apply(ended)
        self.answers = {}
        self.publish_end(ended, before)
        if self.phase == self.last_phase:
            await self.end_round()
            return
        self.phase += 1
        self.publish_begin()
        self.say_all("phase-transition", {"round": self.round.number, "phase": self.phase})
        await asyncio.sleep(self.server.saving_s)
        self.saving = False
        seconds = self.timers.get(f"phase_{self.phase}")
        if seconds:
            # Phases in which nobody acts need not last.
            pace = self.server.pace if stage_of(self.rules, self.phase) else 0.1
            self.timer = asyncio.get_running_loop().call_later(
                seconds * pace, lambda: self.server.later(self.move())
            )

    def apply(self, stage):
        """Let the answers of a phase take effect."""
        answers = self.answers
        if stage == "first_declaration":
            forms = {s: {"no_project": d[0], "project": d[1]} for s, d in answers.items()}
        elif stage == "final_declaration":
            forms = {s: {"value": d[self.round.condition]} for s, d in answers.items()}
        elif stage == "first_purchases" and self.round.condition is None:
            forms = {s: {"lots_no_project": d[0], "lots_project": d[1]} for s, d in answers.items()}
        elif stage in ("first_purchases", "final_purchases"):
            forms = {s: {"lots": d[self.round.condition]} for s, d in answers.items()}
        elif stage in ("request", "offer"):
            forms = {s: {"compensation": d[1] or 0} for s, d in answers.items()}
        elif stage == "vote":
            words = ("no_project", "project")
            forms = {s: {"vote": words[d[0]] if d else "abstain"} for s, d in answers.items()}
        elif stage == "market":
            self.round = close_market(self.rules, self.round)
            return
        elif stage in ("talk", "second_talk"):
            silent = {s: {"message": "", "to": []} for s in self.rules.seats}
            self.round = play(self.rules, self.round, silent, 0)
            return
        else:
            return
        self.round = play(self.rules, self.round, forms, 0)

    def publish_end(self, stage, before):
        declared = stage.endswith("declaration")
        if declared:
            c = self.round.condition
            amounts = self.round.first if stage == "first_declaration" else self.round.final
            listed = [
                {
                    "number": s,
                    "d": [*a, 0]
                    if isinstance(a, tuple)
                    else [a if i == c else 0 for i in range(3)],
                }
                for s, a in amounts.items()
            ]
            data = {"declarations": listed}
            if c is not None:
                data["winningCondition"] = c
            self.say_all("declarations-published", data)
        if stage == "market" and self.rules.mechanism == "futarchy":
            self.say_all("winning-condition", {"winningCondition": self.round.condition})
        known = bool(self.round.gains) and not before.gains
        if known:
            for seat in self.rules.seats:
                gain = self.round.gains[0].get(seat, 0)
                sign = 1 if seat in self.rules.speculators else -1
                snipe = {"player": {"number": seat if sign > 0 else 0}, "profit": gain * sign}
                self.say(seat, "first-snipes", {"snipes": [snipe]})

    def publish_begin(self):
        if self.phase == 1:
            for seat in self.rules.seats:
                data = {"role": ROLE_NUMBERS[self.rules.role(seat)]}
                if self.rules.mechanism != "voting":
                    data["wallet"] = [wallet(self, seat, c) for c in (0, 1, 1)]
                if seat in self.rules.landowners:
                    data["property"] = {"id": seat, "v": [*self.round.values[seat], 0]}
                self.say(seat, "assign-role", data)
        if self.phase == 5 and self.rules.mechanism != "voting":
            for seat in self.rules.seats:
                signals = [*self.round.signals[seat], 0]
                self.say(seat, "value-signals", {"signals": signals, "publicSignal": public(self)})
        if self.phase == 4 and self.rules.mechanism == "voting":
            asked = [
                {"number": s, "compensationRequests": [None, r]}
                for s, r in self.round.requests.items()
            ]
            self.say(2, "compensation-requests-received", {"compensationRequests": asked})
        if self.phase == 5 and self.rules.mechanism == "voting":
            for seat in self.rules.seats:
                if seat != 2:
                    offers = {"compensationOffers": [None, self.round.offer]}
                    self.say(seat, "compensation-offer-made", offers)

    async def end_round(self):
        self.rounds.append(self.round)
        for seat in self.rules.seats:
            account = self.round.accounts[seat]
            summary = {
                "round": self.round.number,
                "condition": self.round.condition,
                "value": account.value,
                "firstTaxes": account.first_tax,
                "secondTaxes": account.final_tax,
                "firstRepurchase": account.first_purchases,
                "secondRepurchase": account.final_purchases,
                "compensation": account.compensation,
                "market": {
                    "balance": account.cash,
                    "shares": account.shares,
                    "price": self.round.share_price,
                },
            }
            if seat in self.round.final:
                summary["secondDeclaration"] = self.round.final[seat]
            self.summaries.setdefault(seat, []).append(summary)
            self.say(seat, "round-summary", summary)
        if self.round.number == self.rules.rounds:
            self.over = True
            self.say_all("game-over", {})
            await asyncio.sleep(self.server.saving_s)
            self.rewarded, self.saving = True, False
            return
        self.begin(self.round.number + 1)
        await asyncio.sleep(self.server.saving_s)
        self.saving = False

    def data(self):
        paid = next(r for r in self.rounds if r.number == self.draws.paid_round)
        euro = {s: self.rules.reward(s, a.payoff) for s, a in paid.accounts.items()}
        paid_round = self.draws.paid_round
        record = SessionRecord(self.rules, 1, paid_round, tuple(self.rounds), euro)
        data = to_lab(record)
        codes = zip(data["players"], self.recoveries, strict=True)
        data["players"] = [player | {"recovery": code} for player, code in codes]
        if not self.rewarded:
            del data["rewards"], data["rewardRound"]
        return data
