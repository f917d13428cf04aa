"""A market of tax shares under one condition: limit orders of one share, best price, then time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Literal, NamedTuple

Side = Literal["ask", "bid"]
Status = Literal["rested", "traded", "cancelled", "refused"]


class Wallet(NamedTuple):
    """Cash and shares of a seat."""

    cash: float
    shares: int


class Order(NamedTuple):
    """An open offer of one share."""

    id: int
    seat: int
    side: Side
    price: float


class Trade(NamedTuple):
    """A share that changed hands, at the price of the offer that stood."""

    buyer: int
    seller: int
    price: float
    taker: int
    order: int


class Outcome(NamedTuple):
    """What became of an order: its number, the trade where there was one, or why not."""

    status: Status
    order: int = 0
    trade: Trade | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Market:
    """One market at one moment.

    Parameters
    ----------
    wallets
        Cash and shares by seat.
    book
        Open offers in the order of arrival.
    trades
        Trades in order.
    next_order
        Number of the next offer that rests.
    """

    wallets: Mapping[int, Wallet]
    book: tuple[Order, ...] = ()
    trades: tuple[Trade, ...] = ()
    next_order: int = 1

    def best(self, side: Side, other_than: int = 0) -> Order | None:
        """The offer that would be taken first, left out those of one seat."""
        offers = [o for o in self.book if o.side == side and o.seat != other_than]
        if not offers:
            return None
        sign = 1 if side == "ask" else -1
        return min(offers, key=lambda offer: (sign * offer.price, offer.id))

    def free_cash(self, seat: int) -> float:
        """Cash that is not promised to open bids."""
        promised = sum(o.price for o in self.book if o.seat == seat and o.side == "bid")
        return self.wallets[seat].cash - promised

    def free_shares(self, seat: int) -> int:
        """Shares that are not promised to open asks."""
        promised = sum(o.seat == seat and o.side == "ask" for o in self.book)
        return self.wallets[seat].shares - promised

    def median(self, of: int = 7) -> float | None:
        """Median of the last prices; None before the first trade."""
        prices = sorted(trade.price for trade in self.trades[-of:])
        if not prices:
            return None
        middle = len(prices) // 2
        if len(prices) % 2:
            return prices[middle]
        return (prices[middle - 1] + prices[middle]) / 2


def post(
    market: Market, seat: int, side: Side, price: float, now: bool = False, fee: float = 0.0
) -> tuple[Market, Outcome]:
    """Offer one share, or take the best offer of another seat.

    Parameters
    ----------
    market
        The market before.
    seat
        Who offers.
    side
        ``bid`` to buy, ``ask`` to sell.
    price
        Limit in points; not used where ``now``.
    now
        Take the best offer at its own price; nothing rests where there is none.
    fee
        Points that a buyer pays on top of the price.

    Returns
    -------
    tuple
        The market after, and what became of the order. A refused order changes nothing.
    """
    limit = 0.0 if now else float(price)
    if not isfinite(limit) or limit < 0:
        return market, Outcome("refused", why="the price must be a number of 0 or more")
    if side == "ask" and market.free_shares(seat) < 1:
        return market, Outcome("refused", why="all your shares are already offered for sale")
    if side == "bid" and market.free_cash(seat) < limit:
        return market, Outcome("refused", why="your cash is less than this bid and your open bids")
    standing = market.best("bid" if side == "ask" else "ask", other_than=seat)
    if now and standing is None:
        return market, Outcome("refused", why="nobody else has an offer open")
    if standing is None or not (now or _meets(side, limit, standing.price)):
        order = Order(market.next_order, seat, side, limit)
        after = replace(market, book=(*market.book, order), next_order=order.id + 1)
        return after, Outcome("rested", order.id)
    return _trade(market, seat, side, standing, fee)


def cancel(market: Market, seat: int, order: int) -> tuple[Market, Outcome]:
    """Take back an own open offer."""
    for offer in market.book:
        if offer.id == order and offer.seat == seat:
            book = tuple(o for o in market.book if o is not offer)
            return replace(market, book=book), Outcome("cancelled", order)
    return market, Outcome("refused", order, why="you have no open offer with this number")


def _meets(side: Side, limit: float, price: float) -> bool:
    return price >= limit if side == "ask" else price <= limit


def _trade(
    market: Market, seat: int, side: Side, standing: Order, fee: float
) -> tuple[Market, Outcome]:
    """Trade with a standing offer, where its owner and the taker can still pay."""
    buyer, seller = (standing.seat, seat) if side == "ask" else (seat, standing.seat)
    buys, sells = market.wallets[buyer], market.wallets[seller]
    if sells.shares < 1:
        return market, Outcome("refused", why="the seller of the best offer has no share left")
    if buys.cash < standing.price + fee:
        who = "your cash is" if buyer == seat else "the cash of the best bidder is"
        return market, Outcome("refused", why=f"{who} less than the price")
    trade = Trade(buyer, seller, standing.price, seat, standing.id)
    wallets = dict(market.wallets)
    wallets[buyer] = Wallet(buys.cash - standing.price - fee, buys.shares + 1)
    wallets[seller] = Wallet(sells.cash + standing.price, sells.shares - 1)
    book = tuple(o for o in market.book if o is not standing)
    after = Market(wallets, book, (*market.trades, trade), market.next_order)
    return after, Outcome("traded", standing.id, trade)
