"""Roles, moves, and the terms of one game of bargaining over a price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["seller", "buyer"]
Kind = Literal["offer", "accept", "walk", "talk"]

SELLER: Role = "seller"
BUYER: Role = "buyer"
ROLES: tuple[Role, Role] = (SELLER, BUYER)
KINDS: tuple[Kind, ...] = ("offer", "accept", "walk", "talk")

OTHER_GOODS = "other_goods"
"""The price is for other goods than the one for sale: extras, several pieces, alternatives."""
REVERSED = "reversed"
"""The speaker took the other role, or offered more than the other side asks for."""
RANGE = "range"
"""The message named a range; its end that is worse for the speaker is the offer."""
CROSSED = "crossed"
"""The speaker accepted and named a price even better for the other side."""
COMPUTED = "computed"
"""The price follows from standing prices: half-way, or so much off."""
UNMARKED = "unmarked"
"""The answer form requires a marked line or JSON, but there was none, so the words were read."""
FLAGS = (OTHER_GOODS, REVERSED, RANGE, CROSSED, COMPUTED, UNMARKED)

_TOLERANCE = 1e-9


def other(role: Role) -> Role:
    """The opposite role."""
    return BUYER if role == SELLER else SELLER


@dataclass(frozen=True, slots=True)
class Move:
    """What one message does.

    Parameters
    ----------
    kind
        ``offer`` names a price, ``accept`` takes the other side's standing price, ``walk``
        ends the game, ``talk`` changes nothing.
    price
        Price of an offer; None otherwise.
    flags
        Members of ``FLAGS``.
    """

    kind: Kind
    price: float | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What two sides bargain over.

    Parameters
    ----------
    ask, bid
        Usual first prices of seller and buyer: the range in which prices are plausible.
    cost, value
        The seller's cost of giving up the good, and its value to the buyer. Each side knows only
        its own limit. None if a side has no limit.
    step
        Grid of prices.
    rounds
        Messages of each side at most, the scripted opening not counted.
    announced
        Whether the sides know ``rounds``.
    first
        Who writes the first message that is not scripted.
    seller_first, buyer_first
        Standing prices before the first message; None if a side has none.
    outside_seller, outside_buyer
        Payoff of each side without a deal.
    """

    ask: float
    bid: float
    cost: float | None = None
    value: float | None = None
    step: float = 1.0
    rounds: int = 10
    announced: bool = False
    first: Role = SELLER
    seller_first: float | None = None
    buyer_first: float | None = None
    outside_seller: float = 0.0
    outside_buyer: float = 0.0

    @property
    def low(self) -> float:
        """Price at which the seller's share is 0: cost, or bid where a limit is missing."""
        return self.bid if self.cost is None or self.value is None else self.cost

    @property
    def high(self) -> float:
        """Price at which the seller's share is 1: value, or ask where a limit is missing."""
        return self.ask if self.cost is None or self.value is None else self.value

    @property
    def pie(self) -> float:
        """What there is to divide: ``high - low``."""
        return self.high - self.low

    def share(self, role: Role, price: float) -> float:
        """Share of the pie that a price gives to a side: below 0 and above 1 are possible."""
        seller = (price - self.low) / self.pie
        return seller if role == SELLER else 1 - seller

    def price(self, role: Role, share: float) -> float:
        """Price that gives a side that share of the pie."""
        seller = share if role == SELLER else 1 - share
        return self.low + seller * self.pie

    def limit(self, role: Role) -> float | None:
        """A side's private limit: the seller's cost, the buyer's value."""
        return self.cost if role == SELLER else self.value

    def outside(self, role: Role) -> float:
        """Payoff of a side without a deal."""
        return self.outside_seller if role == SELLER else self.outside_buyer

    def reservation(self, role: Role) -> float | None:
        """Price at which a deal is worth as much to a side as none; None without a limit."""
        limit = self.limit(role)
        if limit is None:
            return None
        return limit + self.outside(role) if role == SELLER else limit - self.outside(role)

    def payoff(self, role: Role, price: float | None) -> float | None:
        """What a side earns: from a deal at a price, or without one (price None)."""
        if price is None:
            return self.outside(role)
        limit = self.limit(role)
        if limit is None:
            return None
        return price - limit if role == SELLER else limit - price

    def on_grid(self, price: float, role: Role | None = None) -> float:
        """The nearest price of the grid; for a role, the nearest that is at least as good for
        it."""
        steps = price / self.step
        if role is None:
            whole = round(steps)
        elif role == SELLER:
            whole = -int(-(steps - _TOLERANCE) // 1)
        else:
            whole = int((steps + _TOLERANCE) // 1)
        return round(whole * self.step, 6)


def better(role: Role, one: float, two: float) -> bool:
    """Whether price ``one`` is better than ``two`` for a side."""
    return one > two + _TOLERANCE if role == SELLER else one < two - _TOLERANCE


def same(one: float | None, two: float | None) -> bool:
    """Whether two prices are the same; None is the same as nothing."""
    return one is not None and two is not None and abs(one - two) <= _TOLERANCE
