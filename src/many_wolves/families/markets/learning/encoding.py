"""Encodes a learner's observations as numbers, and decodes its actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from many_wolves.families.markets.rules.actions import CONDITION_WORDS, Action
from many_wolves.families.markets.rules.draws import share_worth
from many_wolves.families.markets.rules.parameters import CONDITIONS, PROJECT, Rules
from many_wolves.families.markets.rules.view import MarketView, View
from many_wolves.families.markets.simulation import trading
from many_wolves.families.markets.simulation.agents import Truthful

Array = npt.NDArray[np.float32]

STAGES = (
    "first_declaration",
    "first_purchases",
    "market",
    "final_declaration",
    "final_purchases",
    "request",
    "offer",
    "vote",
)
_SCALE = 100_000.0
"""Gains and offers are divided by it."""
_OWN, _LOT, _MARKET = 6, 3, 5
"""Numbers about the own land, about each lot, about each market."""
_TRADE = 3
"""Numbers that trade, where there is a market: kind, price, market."""
_KINDS = ("sell", "ask", "wait", "bid", "buy")
_PRICE_RANGE = 0.2
"""An own offer is at most this share above or below the signal."""


@dataclass(frozen=True)
class Encoding:
    """Sizes and meaning of the numbers of a role under given rules.

    Where all numbers are 0, the player is truthful: it declares its values, buys nothing, and
    waits in the market.

    Parameters
    ----------
    rules, role
        The rules, and the role.
    """

    rules: Rules
    role: str

    @cached_property
    def observation_size(self) -> int:
        """Stage, condition, own land, lots, markets."""
        lots = _LOT * len(self.rules.landowners)
        return len(STAGES) + 3 + _OWN + lots + len(CONDITIONS) * _MARKET

    @cached_property
    def _own_size(self) -> int:
        """A speculator's lots under each condition; two amounts of the others."""
        return 2 * len(self.rules.landowners) if self.role == "speculator" else 2

    @cached_property
    def action_size(self) -> int:
        """Lots or amounts, then the three numbers of a market."""
        market = self.rules.ticks > 0 and self.rules.mechanism != "voting"
        return self._own_size + (_TRADE if market else 0)

    def observe(self, view: View) -> Array:
        """What a seat sees, as numbers around 1."""
        seen = [float(view.stage == stage) for stage in STAGES]
        seen += [float(view.condition == c) for c in (*CONDITIONS, None)]
        bands = self.rules.terms(self.role).bands
        for c in CONDITIONS:
            value = (view.values or (0.0, 0.0))[c]
            seen += [value / bands[c].high, bands[c].percentile(value)] if bands else [0.0, 0.0]
        seen += [(view.first_gain or 0.0) / _SCALE, (view.offer or 0.0) / _SCALE]
        for lot in self.rules.landowners:
            seen += self._lot(view, lot)
        for c in CONDITIONS:
            seen += self._market(view, c)
        return np.clip(np.array(seen, np.float32), -10, 10)

    def act(self, view: View, numbers: npt.ArrayLike) -> Action:
        """The form that numbers in [-1, 1] mean at a stage.

        A declaration is the value at 0, nothing at -1 and the limit at 1. A lot is bought where
        its number is above 0. In the market, the three numbers are the kind of order, the price
        around the signal, and the market.
        """
        a = np.clip(np.asarray(numbers, float), -1, 1)
        match view.stage:
            case "first_declaration":
                return {
                    name: self._declaration(view, c, a[c]) for c, name in enumerate(CONDITION_WORDS)
                }
            case "final_declaration":
                c = PROJECT if view.condition is None else view.condition
                return {"value": self._declaration(view, c, a[c])}
            case "first_purchases" | "final_purchases":
                return self._purchases(view, a[: self._own_size])
            case "market":
                return self._trade(view, a[self._own_size :])
            case "request" | "offer":
                fair = Truthful().compensation(self.rules, view)
                return {"compensation": float(round(fair * (1 + a[0])))}
            case _:
                return Truthful().act(self.rules, view, np.random.default_rng(0))

    def _lot(self, view: View, lot: int) -> list[float]:
        """Whether its declarations are known, and their percentiles."""
        if view.final and view.condition is not None:
            band = self.rules.band(lot, view.condition)
            return [1.0, *[band.percentile(view.final[lot])] * 2]
        if not view.first:
            return [0.0] * _LOT
        bands = [self.rules.band(lot, c) for c in CONDITIONS]
        return [1.0, *(band.percentile(view.first[lot][c]) for c, band in enumerate(bands))]

    def _market(self, view: View, c: int) -> list[float]:
        """Public signal and prices over the private signal, and own shares over the endowment."""
        market = view.markets.get(c)
        if market is None:
            return [0.0] * _MARKET
        signal = self._signal(view, c)
        public = (view.public_signal or (0.0, 0.0))[c]
        prices = (public, market.best("ask"), market.best("bid"), market.median)
        endowed = max(self.rules.terms(self.role).shares, 1)
        return [*((price or 0.0) / signal for price in prices), market.shares / endowed]

    def _signal(self, view: View, c: int) -> float:
        private = (view.private_signal or (0.0, 0.0))[c]
        if private:
            return private
        return share_worth(self.rules, (self.rules.band(s, c).high for s in self.rules.landowners))

    def _declaration(self, view: View, c: int, number: float) -> float:
        value, limit = (view.values or (0.0, 0.0))[c], 2 * self.rules.band(view.seat, c).high
        amount = value + number * (limit - value if number > 0 else value)
        return float(min(round(amount), limit))

    def _purchases(self, view: View, numbers: npt.NDArray[np.float64]) -> Action:
        lots = list(self.rules.landowners)
        wanted = numbers.reshape(2, len(lots)) > 0
        bought = [[lot for lot, on in zip(lots, row, strict=True) if on] for row in wanted]
        if view.condition is None:
            return {f"lots_{name}": bought[c] for c, name in enumerate(CONDITION_WORDS)}
        return {"lots": bought[view.condition]}

    def _trade(self, view: View, numbers: npt.NDArray[np.float64]) -> Action:
        condition = _market_of(view.markets, numbers[2])
        market = view.markets[condition]
        kind = _KINDS[min(int((numbers[0] + 1) / 2 * len(_KINDS)), len(_KINDS) - 1)]
        price = float(round(self._signal(view, condition) * (1 + _PRICE_RANGE * numbers[1])))
        if not _possible(market, kind, price):
            return trading.wait(view)
        offered = price if kind in ("ask", "bid") else None
        return trading.market_action(view, condition, kind, offered)


def _market_of(markets: Mapping[int, MarketView], number: float) -> int:
    """The only market, or one of two by the sign of a number."""
    return min(markets) if number < 0 else max(markets)


def _possible(market: MarketView, kind: str, price: float) -> bool:
    """Whether an order would be taken."""
    match kind:
        case "bid":
            return price <= trading.free_cash(market)
        case "ask":
            return trading.can_sell(market)
        case "buy":
            ask = market.best("ask")
            return ask is not None and ask <= trading.free_cash(market)
        case "sell":
            return market.best("bid") is not None and trading.can_sell(market)
        case _:
            return True
