"""Players that follow the cognitive models, with given parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import log_expit, ndtr, softmax

from many_wolves.families.markets.model.declared_data import FINAL_POINTS, FIRST_POINTS, declared
from many_wolves.families.markets.model.declared_numpy import Declarer, utility
from many_wolves.families.markets.model.parts import POINTS
from many_wolves.families.markets.model.purchases_numpy import Buyer
from many_wolves.families.markets.model.quotes_numpy import ACTIONS, Trader
from many_wolves.families.markets.rules.actions import Action
from many_wolves.families.markets.rules.draws import others_lead
from many_wolves.families.markets.rules.parameters import CONDITIONS, Rules
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.simulation import trading
from many_wolves.families.markets.simulation.agents import Truthful, own_values
from many_wolves.families.markets.simulation.beliefs import shaded_value
from many_wolves.families.markets.simulation.theory import effective_tax


@dataclass(frozen=True)
class Modelled(Truthful):
    """Declares, buys and trades by the models ``declared-value``, ``purchases``, ``quotes``.

    Parameters
    ----------
    declarer, buyer, trader
        Parameters of each model by name; what is left out has the default of the model.
    """

    declarer: Mapping[str, Any] = field(default_factory=dict)
    buyer: Mapping[str, Any] = field(default_factory=dict)
    trader: Mapping[str, Any] = field(default_factory=dict)

    def first(self, rules: Rules, view: View, rng: np.random.Generator) -> tuple[float, float]:
        """A pair drawn by the logit choice."""
        who = Declarer(**self.declarer)
        parts, amounts = [], []
        for c in CONDITIONS:
            u, amount = self._utility(rules, view, c, rules.first_tax, FIRST_POINTS, who)
            parts.append(u)
            amounts.append(amount)
        lead, sd = others_lead(rules, view.seat)
        pivots = rules.mechanism == "harberger"
        ahead = (lead + amounts[1][None, :] - amounts[0][:, None]) / sd
        chance = ndtr(ahead) if pivots else np.full_like(ahead, 0.5)
        values = own_values(view)
        gain = who.strategic * pivots * (values[1] - values[0]) / POINTS
        u = (1 - chance) * parts[0][:, None] + chance * parts[1][None, :] + gain * chance
        place = rng.choice(u.size, p=softmax(who.precision * u.reshape(-1)))
        i, j = np.unravel_index(place, u.shape)
        return float(round(amounts[0][i])), float(round(amounts[1][j]))

    def final(self, rules: Rules, view: View, rng: np.random.Generator) -> float:
        """A declaration drawn by the logit choice."""
        who, condition = Declarer(**self.declarer), int(view.condition or 0)
        tax = effective_tax(rules, rules.role(view.seat))
        u, amount = self._utility(rules, view, condition, tax, FINAL_POINTS, who)
        place = rng.choice(len(u), p=softmax(who.precision * u))
        return float(round(amount[place]))

    def buys(
        self, rules: Rules, view: View, lot: int, condition: int, rng: np.random.Generator
    ) -> bool:
        """Buys by the logit of what it expects to gain."""
        who = Buyer(**self.buyer)
        amount = view.declared(lot, condition)
        expected = shaded_value(rules, lot, condition, amount, who.base_rate, who.shading)
        buyers = 1 + 0.5 * (len(rules.speculators) - 1)
        gain = rules.buyer_share * (expected - amount) / buyers / POINTS
        return bool(np.log(rng.random()) < log_expit(who.precision * gain - who.hurdle))

    def trade(self, rules: Rules, view: View, rng: np.random.Generator) -> Action:
        """Acts by the logit choice of the model of orders, in one of the markets."""
        who = Trader(**self.trader)
        condition = int(rng.choice(sorted(view.markets)))
        market = view.markets[condition]
        private = (view.private_signal or (0.0, 0.0))[condition] or 0.0
        public = (view.public_signal or (0.0, 0.0))[condition] or 0.0
        belief = who.private_weight * private
        belief += (1 - who.private_weight) * (1 + who.public_bias) * public
        if market.median is not None:
            belief += who.anchor * (market.median - belief)
        belief = max(belief, 1.0)
        endowed = rules.terms(rules.role(view.seat)).shares
        price = max(belief * (1 - who.inventory * (market.shares / endowed - 1)), 1.0)
        own = [number for number, _, _, mine in market.offers if mine]
        if own and rng.random() < 0.25:
            return trading.market_action(view, condition, "cancel", order=own[0])
        ask, bid = market.best("ask"), market.best("bid")
        scale = 100 * who.precision / belief
        options = {"wait": 0.0}
        if trading.free_cash(market) > price:
            options["bid"] = who.taste[0]
        if trading.can_sell(market):
            options["ask"] = who.taste[1]
        if ask is not None and ask <= market.cash:
            options["buy"] = who.taste[2] + scale * (price - ask)
        if bid is not None and trading.can_sell(market):
            options["sell"] = who.taste[2] + scale * (bid - price)
        names = [name for name in ACTIONS if name in options]
        kind = str(rng.choice(names, p=softmax([options[name] for name in names])))
        if kind not in ("bid", "ask"):
            return trading.market_action(view, condition, kind)
        sign = 1 if kind == "ask" else -1
        offer = price * np.exp(sign * who.margin + who.sigma * rng.standard_t(4))
        amount = float(round(offer))
        if kind == "bid" and amount > trading.free_cash(market):
            return trading.wait(view)
        return trading.market_action(view, condition, kind, amount)

    def _utility(
        self, rules: Rules, view: View, condition: int, tax: float, points: int, who: Declarer
    ) -> tuple[Any, Any]:
        """Utilities over the grid, and the grid."""
        band = rules.band(view.seat, condition)
        low, high = np.array([float(band.low)]), np.array([float(band.high)])
        value = np.array([own_values(view)[condition]])
        u = utility(
            who,
            np.array([who.takeover]),
            value,
            low,
            high,
            np.array([tax]),
            np.array([rules.buyer_share]),
            points,
        )
        return u[0], declared(np.arange(points), low, high, points)
