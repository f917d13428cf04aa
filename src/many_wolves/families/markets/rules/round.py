"""The state of a round: the record that engines keep and tables are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Self

from .market import Market, Order, Trade, Wallet
from .parameters import CONDITIONS, Pair, Rules

Stage = Literal[
    "talk",
    "first_declaration",
    "first_purchases",
    "market",
    "final_declaration",
    "final_purchases",
    "request",
    "offer",
    "second_talk",
    "vote",
    "results",
]
Lots = tuple[int, ...]


class ChatLine(NamedTuple):
    """A message, and the seats other than its sender that read it."""

    stage: str
    tick: int
    sender: int
    to: tuple[int, ...]
    text: str


class OrderEvent(NamedTuple):
    """One order of a seat, and what came of it.

    ``price`` is the limit, or None if the best offer was taken. ``order`` is the number of the
    offer that was made, taken or cancelled, and ``traded_at`` the price of the trade. ``seconds``
    is the time since the market opened, if there is a clock. Turns in which a seat waited leave no
    event. The view of a seat before the event follows from the events of earlier ticks.
    """

    tick: int
    seat: int
    condition: int
    action: str
    price: float | None
    order: int
    status: str
    why: str = ""
    traded_at: float | None = None
    seconds: float | None = None


class Account(NamedTuple):
    """What a seat earns in a round; ``payoff`` is the sum, in points.

    ``first_purchases`` and ``final_purchases`` are what a buyer gains, and what a landowner
    whose lot was bought loses (negative). ``shares_pay`` is price times shares.
    """

    value: float = 0.0
    first_tax: float = 0.0
    final_tax: float = 0.0
    first_purchases: float = 0.0
    final_purchases: float = 0.0
    cash: float = 0.0
    shares: int = 0
    shares_pay: float = 0.0
    compensation: float = 0.0

    @property
    def payoff(self) -> float:
        """Points of the round."""
        return (
            self.value
            - self.first_tax
            - self.final_tax
            + self.first_purchases
            + self.final_purchases
            + self.cash
            + self.shares_pay
            + self.compensation
        )


@dataclass(frozen=True)
class Round:
    """A round from its draws to its accounts.

    Parameters
    ----------
    number
        Round number; 0 is practice.
    values, signals
        Draws by seat.
    stage, tick
        Where the round stands; ticks count from 1 within market and talk.
    first, final
        Declarations by landowner: a pair, then one value under the chosen condition.
    defaulted
        Seats by stage (``market 3`` for its third tick) that gave no answer and got the default.
    condition
        The chosen condition; None until it is known.
    first_buys, final_buys
        By speculator, the lots bought: under each condition, then under the chosen one.
    markets
        Market by condition: one, or two in ``futarchy``.
    orders
        All turns in the market.
    messages
        All that was said.
    requests, offer, votes
        Compensation that owners request, that the developer offers to each, and votes
        (None: abstained).
    gains
        What seats gained or lost by purchases, first and final.
    share_price
        What a tax share pays.
    accounts
        By seat, once the round is over.
    """

    number: int
    values: Mapping[int, Pair]
    signals: Mapping[int, Pair]
    stage: Stage
    tick: int = 0
    first: Mapping[int, Pair] = field(default_factory=dict)
    final: Mapping[int, float] = field(default_factory=dict)
    defaulted: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    condition: int | None = None
    first_buys: Mapping[int, tuple[Lots, Lots]] = field(default_factory=dict)
    final_buys: Mapping[int, Lots] = field(default_factory=dict)
    markets: Mapping[int, Market] = field(default_factory=dict)
    orders: tuple[OrderEvent, ...] = ()
    messages: tuple[ChatLine, ...] = ()
    requests: Mapping[int, float] = field(default_factory=dict)
    offer: float = 0.0
    votes: Mapping[int, int | None] = field(default_factory=dict)
    gains: tuple[Mapping[int, float], ...] = ()
    share_price: float = 0.0
    accounts: Mapping[int, Account] = field(default_factory=dict)

    @property
    def best_total(self) -> float:
        """Sum of the landowners' values under the better condition."""
        return max(sum(pair[c] for pair in self.values.values()) for c in CONDITIONS)

    @property
    def total(self) -> float:
        """Sum of the landowners' values under the chosen condition."""
        chosen = self.condition
        return 0.0 if chosen is None else sum(pair[chosen] for pair in self.values.values())

    @property
    def efficiency(self) -> float:
        """Chosen sum of values over the best one."""
        return self.total / self.best_total

    def to_json(self) -> dict[str, Any]:
        """The round as a JSON object; keys of mappings become text."""
        record = dict(vars(self))
        record["markets"] = {str(c): _market_json(m) for c, m in self.markets.items()}
        record["orders"] = [list(event) for event in self.orders]
        record["messages"] = [list(line) for line in self.messages]
        record["accounts"] = {str(s): account._asdict() for s, account in self.accounts.items()}
        record["gains"] = [{str(s): v for s, v in gained.items()} for gained in self.gains]
        for name in ("values", "signals", "first", "final", "first_buys", "final_buys"):
            record[name] = {str(seat): value for seat, value in record[name].items()}
        for name in ("requests", "votes"):
            record[name] = {str(seat): value for seat, value in record[name].items()}
        record["defaulted"] = {stage: list(seats) for stage, seats in self.defaulted.items()}
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Read back what ``to_json`` gave, before or after it was written as text.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the record is not a round.
        """
        read = dict(record)
        for name in ("values", "signals", "first"):
            read[name] = {int(s): (float(a), float(b)) for s, (a, b) in record[name].items()}
        for name in ("final", "requests", "votes"):
            read[name] = {int(seat): value for seat, value in record[name].items()}
        read["first_buys"] = {
            int(s): (tuple(a), tuple(b)) for s, (a, b) in record["first_buys"].items()
        }
        read["final_buys"] = {int(s): tuple(lots) for s, lots in record["final_buys"].items()}
        read["defaulted"] = {stage: tuple(seats) for stage, seats in record["defaulted"].items()}
        read["markets"] = {int(c): _market_from(m) for c, m in record["markets"].items()}
        read["orders"] = tuple(OrderEvent(*event) for event in record["orders"])
        read["messages"] = tuple(
            ChatLine(stage, tick, sender, tuple(to), text)
            for stage, tick, sender, to, text in record["messages"]
        )
        read["gains"] = tuple({int(s): v for s, v in gained.items()} for gained in record["gains"])
        read["accounts"] = {int(s): Account(**a) for s, a in record["accounts"].items()}
        return cls(**read)


def opening_wallets(rules: Rules) -> dict[int, Wallet]:
    """Endowments by seat."""
    return {
        seat: Wallet(float(terms.cash), terms.shares)
        for seat in rules.seats
        for terms in [rules.terms(rules.role(seat))]
    }


def _market_json(market: Market) -> dict[str, Any]:
    return {
        "wallets": {str(seat): list(wallet) for seat, wallet in market.wallets.items()},
        "book": [list(order) for order in market.book],
        "trades": [list(trade) for trade in market.trades],
        "next_order": market.next_order,
    }


def _market_from(record: Mapping[str, Any]) -> Market:
    return Market(
        wallets={int(seat): Wallet(*wallet) for seat, wallet in record["wallets"].items()},
        book=tuple(Order(*order) for order in record["book"]),
        trades=tuple(Trade(*trade) for trade in record["trades"]),
        next_order=record["next_order"],
    )
