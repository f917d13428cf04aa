"""What one seat can see: its own draws and results, and what is public."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from .draws import share_worth
from .market import Market
from .parameters import CONDITIONS, Pair, Rules
from .round import Account, Round

OpenOffer = tuple[int, str, float, bool]
"""Number, side, price, and whether it is the seat's own."""


@dataclass(frozen=True)
class MarketView:
    """One market as a seat sees it.

    Parameters
    ----------
    cash, shares
        The seat's own.
    offers
        Open offers in order of arrival, without the names of others.
    prices
        Prices of all trades so far.
    median
        Median of the last prices; None before the first trade.
    """

    cash: float
    shares: int
    offers: tuple[OpenOffer, ...] = ()
    prices: tuple[float, ...] = ()
    median: float | None = None

    def best(self, side: str) -> float | None:
        """The best price that others offer on a side."""
        prices = [price for _, s, price, own in self.offers if s == side and not own]
        if not prices:
            return None
        return min(prices) if side == "ask" else max(prices)


@dataclass(frozen=True)
class PastRound:
    """A seat's own result of an earlier round, with what was public in it.

    ``buyers`` counts, of a landowner, how many bought its lot first and finally; of a
    speculator, how many lots it bought.
    """

    number: int
    condition: int
    share_price: float
    account: Account
    payoff: float
    first: Pair | None = None
    final: float | None = None


@dataclass(frozen=True)
class View:
    """All that a seat sees at a stage, and nothing else.

    Parameters
    ----------
    seat, round, stage, tick
        Who sees it, and when.
    values
        Own values of land; None for speculators.
    condition
        The chosen condition where it is known.
    first, final
        Published declarations by lot; final ones under the chosen condition only.
    own_first
        The own first declaration, from the moment it is made.
    first_gain
        What the first purchases brought, once the condition is known.
    public_signal, private_signal
        Worth of a share in the market stage under each condition (None: no such market).
    markets
        Markets by condition, in the market stage.
    last_orders
        Own actions of the turn before, with what became of them: action, price, status, why.
    messages
        What the seat wrote or could read: sender, readers, text.
    requests, offer
        Requested compensation by seat (the developer sees it when it offers), and the offer.
    history
        Earlier rounds.
    error
        Why the last answer was refused.
    """

    seat: int
    round: int
    stage: str
    tick: int = 0
    values: Pair | None = None
    condition: int | None = None
    first: Mapping[int, Pair] = field(default_factory=dict)
    final: Mapping[int, float] = field(default_factory=dict)
    own_first: Pair | None = None
    first_gain: float | None = None
    public_signal: tuple[float | None, float | None] | None = None
    private_signal: tuple[float | None, float | None] | None = None
    markets: Mapping[int, MarketView] = field(default_factory=dict)
    last_orders: tuple[tuple[str, float | None, str, str], ...] = ()
    messages: tuple[tuple[int, tuple[int, ...], str], ...] = ()
    requests: Mapping[int, float] = field(default_factory=dict)
    offer: float | None = None
    history: tuple[PastRound, ...] = ()
    error: str = ""

    def declared(self, lot: int, condition: int) -> float:
        """The declaration at which a lot can be bought: the final one, once there is one."""
        return self.final[lot] if self.final else self.first[lot][condition]

    def to_json(self) -> dict[str, Any]:
        """The view as a JSON object; keys of mappings become text."""
        record = asdict(self)
        for name in ("first", "final", "markets", "requests"):
            record[name] = {str(key): value for key, value in record[name].items()}
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """Read back what ``to_json`` gave, before or after it was written as text."""
        read = dict(record)
        for name in ("values", "own_first", "public_signal", "private_signal"):
            read[name] = None if record[name] is None else tuple(record[name])
        read["first"] = {int(lot): tuple(pair) for lot, pair in record["first"].items()}
        for name in ("final", "requests"):
            read[name] = {int(key): value for key, value in record[name].items()}
        read["markets"] = {int(c): _market_from(m) for c, m in record["markets"].items()}
        read["last_orders"] = tuple(tuple(line) for line in record["last_orders"])
        read["messages"] = tuple(
            (sender, tuple(to), text) for sender, to, text in record["messages"]
        )
        read["history"] = tuple(past_from_json(past) for past in record["history"])
        return cls(**read)


def views(
    rules: Rules,
    round_: Round,
    seats: Iterable[int],
    history: Mapping[int, Sequence[PastRound]] | None = None,
) -> dict[int, View]:
    """What seats see of a round now.

    Parameters
    ----------
    rules, round_
        The rules, and the round with everybody's data.
    seats
        Who looks.
    history
        By seat, its earlier rounds as ``past_round`` gives them.
    """
    if round_.stage == "market":
        markets = {c: _Shared(m, rules) for c, m in round_.markets.items()}
        public = _public(rules, round_)
    else:
        markets, public = {}, None
    known = bool(round_.gains) and round_.stage != "results"
    talk = bool(round_.messages)
    seen = {}
    for seat in seats:
        developer = rules.role(seat) == "developer"
        seen[seat] = View(
            seat=seat,
            round=round_.number,
            stage=round_.stage,
            tick=round_.tick,
            values=round_.values.get(seat),
            condition=round_.condition,
            first=round_.first,
            final=round_.final,
            own_first=round_.first.get(seat),
            first_gain=round_.gains[0].get(seat, 0.0) if known else None,
            public_signal=public,
            private_signal=_private(round_, seat) if markets else None,
            markets={c: shared.view(seat) for c, shared in markets.items()},
            last_orders=_last_orders(round_, seat) if markets else (),
            messages=_readable(round_, seat) if talk else (),
            requests=round_.requests if developer else {},
            offer=round_.offer if round_.stage in ("second_talk", "vote") else None,
            history=tuple((history or {}).get(seat, ())),
        )
    return seen


def view(rules: Rules, round_: Round, seat: int, history: Sequence[PastRound] = ()) -> View:
    """What one seat sees of a round now."""
    return views(rules, round_, (seat,), {seat: history})[seat]


def past_round(round_: Round, seat: int) -> PastRound:
    """A finished round as one seat remembers it."""
    account = round_.accounts[seat]
    return PastRound(
        number=round_.number,
        condition=0 if round_.condition is None else round_.condition,
        share_price=round_.share_price,
        account=account,
        payoff=account.payoff,
        first=round_.first.get(seat),
        final=round_.final.get(seat),
    )


def past_from_json(record: Mapping[str, Any]) -> PastRound:
    """Read back what ``dataclasses.asdict`` gave of a past round, before or after JSON text."""
    account = record["account"]
    read = Account(**account) if isinstance(account, Mapping) else Account(*account)
    first = None if record["first"] is None else (record["first"][0], record["first"][1])
    return PastRound(**{**record, "account": read, "first": first})


def refused(view_: View, why: str) -> View:
    """The same view after a refused answer."""
    return replace(view_, error=why)


class _Shared:
    """What all seats see of a market, computed once."""

    def __init__(self, market: Market, rules: Rules) -> None:
        self.market = market
        self.prices = tuple([trade.price for trade in market.trades])
        self.median = market.median(rules.median_of)

    def view(self, seat: int) -> MarketView:
        """The market as one seat sees it."""
        wallet = self.market.wallets[seat]
        offers = tuple([(n, side, price, who == seat) for n, who, side, price in self.market.book])
        return MarketView(wallet.cash, wallet.shares, offers, self.prices, self.median)


def _readable(round_: Round, seat: int) -> tuple[tuple[int, tuple[int, ...], str], ...]:
    return tuple(
        (line.sender, line.to, line.text)
        for line in round_.messages
        if seat == line.sender or seat in line.to
    )


def _public(rules: Rules, round_: Round) -> tuple[float | None, float | None]:
    without, with_project = (
        share_worth(rules, (pair[c] for pair in round_.first.values()))
        if c in round_.markets
        else None
        for c in CONDITIONS
    )
    return (without, with_project)


def _private(round_: Round, seat: int) -> tuple[float | None, float | None]:
    without, with_project = (
        round_.signals[seat][c] if c in round_.markets else None for c in CONDITIONS
    )
    return (without, with_project)


def _last_orders(round_: Round, seat: int) -> tuple[tuple[str, float | None, str, str], ...]:
    lines = []
    for event in reversed(round_.orders):
        if event.tick < round_.tick - 1:
            break
        if event.seat == seat:
            price = event.price if event.traded_at is None else event.traded_at
            lines.append((event.action, price, event.status, event.why))
    return tuple(reversed(lines))


def _market_from(record: Mapping[str, Any]) -> MarketView:
    offers = tuple((number, side, price, own) for number, side, price, own in record["offers"])
    return MarketView(
        record["cash"], record["shares"], offers, tuple(record["prices"]), record["median"]
    )
