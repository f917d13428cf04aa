"""The state of one seat from the server's messages, as its page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from many_wolves.families.markets.reading.lab import stage_of
from many_wolves.families.markets.rules.parameters import CONDITIONS, Pair, Rules
from many_wolves.families.markets.rules.round import Account
from many_wolves.families.markets.rules.view import MarketView, PastRound, View
from many_wolves.worlds.ibex.protocol import Event

Offer = tuple[int, int, str, float]
"""Number, seat, side, price."""


class SeatState:
    """The state of a seat, kept up to date by events and by the server's status.

    Only what the lab's page shows to a role is in the view. Its page shows published
    declarations to everyone, and where they lie in their ranges to speculators.
    """

    def __init__(self, rules: Rules, seat: int) -> None:
        self.rules, self.seat = rules, seat
        self.round, self.phase = -1, -1
        self.over = False
        self.history: dict[int, PastRound] = {}
        self._clear()

    def _clear(self) -> None:
        """Forget a round."""
        self.values: Pair | None = None
        self.condition: int | None = None
        self.first: dict[int, Pair] = {}
        self.final: dict[int, float] = {}
        self.first_gain: float | None = None
        self.private: Pair | None = None
        self.public: Pair | None = None
        self.offers: dict[int, list[Offer]] = {0: [], 1: []}
        self.prices: dict[int, list[float]] = {0: [], 1: []}
        self.wallets: dict[int, tuple[float, int]] = {}
        self.last: list[tuple[str, float | None, str, str]] = []
        self.messages: list[tuple[int, tuple[int, ...], str]] = []
        self.requests: dict[int, float] = {}
        self.offer: float | None = None

    @property
    def stage(self) -> str:
        """Stage of the present phase; empty where nobody acts."""
        return stage_of(self.rules, self.phase)

    @property
    def markets(self) -> tuple[int, ...]:
        """Conditions that are traded."""
        if self.rules.mechanism == "futarchy":
            return CONDITIONS
        return () if self.condition is None else (self.condition,)

    def view(self, tick: int = 0, error: str = "") -> View:
        """What the seat's page shows now."""
        market = self.stage == "market"
        shown = self.markets if market else ()
        talk = self.rules.talk > 0
        return View(
            seat=self.seat,
            round=self.round,
            stage=self.stage,
            tick=tick,
            values=self.values,
            condition=self.condition,
            first=self.first,
            final=self.final,
            own_first=self.first.get(self.seat),
            first_gain=self.first_gain,
            public_signal=_shown(self.public, shown) if market else None,
            private_signal=_shown(self.private, shown) if market else None,
            markets={c: self._market(c) for c in shown},
            last_orders=tuple(self.last) if market else (),
            messages=tuple(self.messages) if talk else (),
            requests=self.requests if self.rules.role(self.seat) == "developer" else {},
            offer=self.offer if self.stage in ("second_talk", "vote") else None,
            history=tuple(self.history[number] for number in sorted(self.history)),
            error=error,
        )

    def heard(self) -> tuple[Any, ...]:
        """What all seats know alike of the markets and the talk: equal once events are in."""
        offers = tuple(tuple(self.offers[c]) for c in CONDITIONS)
        return self.round, self.phase, offers, tuple(len(self.prices[c]) for c in CONDITIONS)

    def own_offers(self, condition: int) -> dict[int, str]:
        """Sides of the seat's own open offers under a condition, by number."""
        return {o[0]: o[2] for o in self.offers[condition] if o[1] == self.seat}

    def take(self, event: Event) -> None:
        """Take an event of the server."""
        if event.kind == "event":
            handler = getattr(self, f"_on_{event.name.replace('-', '_')}", None)
            if handler is not None:
                handler(event.data)

    def take_status(self, status: Mapping[str, Any]) -> None:
        """Take the server's whole state of the seat, as after joining again."""
        game, player = status["game"], status["player"]
        if (game["round"], game["phase"]) != (self.round, self.phase):
            self._on_phase_transition(game)
        self.over = bool(game.get("over"))
        land = player.get("property")
        if land:
            self.values = _pair(land["v"])
        if game.get("declarations"):
            self.first = {d["number"]: _pair(d["d"]) for d in game["declarations"]}
        if game.get("winningCondition") is not None:
            self.condition = int(game["winningCondition"])
        for c, wallet in enumerate((player.get("wallet") or [])[:2]):
            self.wallets[c] = (float(wallet["balance"]), int(wallet["shares"]))
        if player.get("firstRepurchase") is not None:
            self.first_gain = float(player["firstRepurchase"])
        if game["phase"] == 6 and game.get("orders") is not None:
            self.private, self.public = _pair(player["signals"]), _pair(game["publicSignal"])
            self.offers = {
                c: [(o["id"], o["sender"], o["type"], float(o["price"])) for o in game["orders"][c]]
                for c in CONDITIONS
            }
            self.prices = {
                c: [float(m["price"]) for m in game["movementList"][c]] for c in CONDITIONS
            }
        if "messages" in game:
            self.messages = [_line(m) for m in game["messages"]]
        offers = list(game.get("compensationOffers") or [])
        if len(offers) > 1:
            self.offer = float(offers[1] or 0)
        for asked in game.get("compensationRequests") or ():
            self._requested(asked)
        for summary in player.get("summaries", ()):
            self._on_round_summary(summary)

    # Events

    def _on_phase_transition(self, data: Mapping[str, Any]) -> None:
        if data["round"] != self.round:
            self._clear()
        self.round, self.phase = int(data["round"]), int(data["phase"])

    def _on_assign_role(self, data: Mapping[str, Any]) -> None:
        if data.get("property"):
            self.values = _pair(data["property"]["v"])
        for c, wallet in enumerate((data.get("wallet") or [])[:2]):
            self.wallets[c] = (float(wallet["balance"]), int(wallet["shares"]))

    def _on_declarations_published(self, data: Mapping[str, Any]) -> None:
        declared = {int(d["number"]): _pair(d["d"]) for d in data["declarations"]}
        winner = data.get("winningCondition")
        # The last declarations come while the phase before them still counts.
        if self.phase >= 7 and winner is not None:
            self.condition = int(winner)
            self.final = {lot: pair[self.condition] for lot, pair in declared.items()}
            return
        self.first = declared
        if winner is not None:
            self.condition = int(winner)

    def _on_winning_condition(self, data: Mapping[str, Any]) -> None:
        self.condition = int(data["winningCondition"])

    def _on_first_snipes(self, data: Mapping[str, Any]) -> None:
        sign = {True: 1.0, False: -1.0}
        self.first_gain = sum(
            sign[s["player"]["number"] == self.seat] * float(s["profit"]) for s in data["snipes"]
        )

    def _on_value_signals(self, data: Mapping[str, Any]) -> None:
        self.private, self.public = _pair(data["signals"]), _pair(data["publicSignal"])

    def _on_add_order(self, data: Mapping[str, Any]) -> None:
        order = data["order"]
        offer = (order["id"], order["sender"], order["type"], float(order["price"]))
        if offer not in self.offers[order["condition"]]:
            self.offers[order["condition"]].append(offer)

    def _on_delete_order(self, data: Mapping[str, Any]) -> None:
        gone = data["order"]
        kept = [o for o in self.offers[gone["condition"]] if o[0] != gone["id"]]
        self.offers[gone["condition"]] = kept

    def _on_contract_fulfilled(self, data: Mapping[str, Any]) -> None:
        self.prices[data["condition"]].append(float(data["price"]))

    def _on_asset_movement(self, data: Mapping[str, Any]) -> None:
        self.wallets[data["condition"]] = (float(data["balance"]), int(data["shares"]))

    def _on_message_received(self, data: Mapping[str, Any]) -> None:
        self.messages.append(_line(data))

    def _on_compensation_requests_received(self, data: Mapping[str, Any]) -> None:
        for asked in data["compensationRequests"]:
            self._requested(asked)

    def _requested(self, asked: Mapping[str, Any]) -> None:
        amounts = asked.get("compensationRequests")
        if amounts and asked["number"] != self.seat:
            self.requests[int(asked["number"])] = float(amounts[1] or 0)

    def _on_compensation_offer_made(self, data: Mapping[str, Any]) -> None:
        self.offer = float((data["compensationOffers"] or [0, 0])[1] or 0)

    def _on_compensation_offer_received(self, data: Mapping[str, Any]) -> None:
        self._on_compensation_offer_made(data)

    def _on_round_summary(self, data: Mapping[str, Any]) -> None:
        market = data.get("market") or {}
        price = float(market.get("price") or 0)
        shares = int(market.get("shares") or 0)
        account = Account(
            value=float(data.get("value") or 0),
            first_tax=float(data.get("firstTaxes") or 0),
            final_tax=float(data.get("secondTaxes") or 0),
            first_purchases=float(data.get("firstRepurchase") or 0),
            final_purchases=float(data.get("secondRepurchase") or 0),
            cash=float(market.get("balance") or 0),
            shares=shares,
            shares_pay=price * shares,
            compensation=float(data.get("compensation") or 0),
        )
        number, final = int(data["round"]), data.get("secondDeclaration")
        self.history[number] = PastRound(
            number=number,
            condition=int(data.get("condition") or 0),
            share_price=price,
            account=account,
            payoff=account.payoff,
            final=None if final is None else float(final),
        )

    def _on_game_over(self, data: Mapping[str, Any]) -> None:
        self.over = True

    def _market(self, condition: int) -> MarketView:
        cash, shares = self.wallets[condition]
        prices = self.prices[condition]
        last = sorted(prices[-self.rules.median_of :])
        middle = len(last) // 2
        median = None
        if last:
            median = last[middle] if len(last) % 2 else (last[middle - 1] + last[middle]) / 2
        offers = tuple((n, side, p, who == self.seat) for n, who, side, p in self.offers[condition])
        return MarketView(cash, shares, offers, tuple(prices), median)


def _pair(numbers: Sequence[Any]) -> Pair:
    padded = [float(number or 0) for number in numbers] + [0.0, 0.0]
    return (padded[0], padded[1])


def _shown(pair: Pair | None, markets: Sequence[int]) -> tuple[float | None, float | None] | None:
    if pair is None:
        return None
    without, with_project = (pair[c] if c in markets else None for c in CONDITIONS)
    return (without, with_project)


def _line(message: Mapping[str, Any]) -> tuple[int, tuple[int, ...], str]:
    to = tuple(int(seat) for seat in message["to"] if int(seat) != int(message["sender"]))
    return (int(message["sender"]), to, str(message["text"]))
