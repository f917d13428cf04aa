"""How scripted players trade: by reservation prices, or at random."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from many_wolves.families.markets.rules.actions import CONDITION_WORDS, Action
from many_wolves.families.markets.rules.draws import share_worth
from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.view import MarketView, View
from many_wolves.families.markets.simulation.beliefs import believed_worth


def market_action(
    view: View, condition: int, kind: str, price: float | None = None, order: int | None = None
) -> Action:
    """An action in a market; named where there are two."""
    action = {"action": kind, "price": price, "order": order}
    return action | ({"market": CONDITION_WORDS[condition]} if len(view.markets) > 1 else {})


def wait(view: View) -> Action:
    """Do nothing in this turn."""
    return market_action(view, next(iter(view.markets)), "wait")


def trade_at_reservation(
    view: View, worth: Mapping[int, float], margin: float, rng: np.random.Generator
) -> Action:
    """Take an offer that is better than the reservation price; otherwise make one with a margin.

    Parameters
    ----------
    view
        What the player sees.
    worth
        Reservation price by market.
    margin
        Share of the reservation price that an own offer asks as gain.
    rng
        Chooses the market, the side, and the place of the offer within the margin.
    """
    condition = int(rng.choice(sorted(view.markets)))
    market, price = view.markets[condition], worth[condition]
    ask, bid = market.best("ask"), market.best("bid")
    gain_buying = price - ask if ask is not None and ask <= market.cash else -np.inf
    gain_selling = bid - price if bid is not None and can_sell(market) else -np.inf
    if max(gain_buying, gain_selling) > 0:
        kind = "buy" if gain_buying >= gain_selling else "sell"
        return market_action(view, condition, kind)
    own = [number for number, _, _, mine in market.offers if mine]
    if own:
        return (
            market_action(view, condition, "cancel", order=own[0])
            if rng.random() < 0.25
            else wait(view)
        )
    side = "bid" if rng.random() < 0.5 else "ask"
    markup = 1 + margin * rng.random() * (1 if side == "ask" else -1)
    offer = float(round(price * markup))
    if side == "bid" and offer > free_cash(market):
        return wait(view)
    if side == "ask" and not can_sell(market):
        return wait(view)
    return market_action(view, condition, side, offer)


def trade_at_random(
    rules: Rules, view: View, constrained: bool, rng: np.random.Generator
) -> Action:
    """Zero intelligence: a random side and a uniform price.

    Constrained players avoid certain losses. Their bids are uniform from 0 to the highest payment
    of a share at true values, their asks from the lowest to the highest. Unconstrained prices are
    uniform up to twice the highest. Both stay within their cash and shares, and withdraw an own
    offer before they make another on its side.

    References
    ----------
    Gode, D. K., & Sunder, S. (1993). Allocative efficiency of markets with zero-intelligence
    traders. *Journal of Political Economy, 101*(1), 119-137.
    """
    condition = int(rng.choice(sorted(view.markets)))
    market = view.markets[condition]
    side = "bid" if rng.random() < 0.5 else "ask"
    own = [number for number, standing, _, mine in market.offers if mine and standing == side]
    if own:
        return market_action(view, condition, "cancel", order=own[0])
    least, most = worth_range(rules, condition)
    low, high = (0.0, 2 * most) if not constrained else (0.0 if side == "bid" else least, most)
    offer = float(round(rng.uniform(low, high)))
    if (side == "bid" and offer > free_cash(market)) or (side == "ask" and not can_sell(market)):
        return wait(view)
    return market_action(view, condition, side, offer)


def worth_range(rules: Rules, condition: int) -> tuple[float, float]:
    """The least and the most that a share can pay if everyone declares true values."""
    bands = [rules.band(seat, condition) for seat in rules.landowners]
    return (
        share_worth(rules, (band.low for band in bands)),
        share_worth(rules, (band.high for band in bands)),
    )


def free_cash(market: MarketView) -> float:
    """Cash that no own bid promises."""
    return market.cash - sum(
        price for _, side, price, own in market.offers if own and side == "bid"
    )


def can_sell(market: MarketView) -> bool:
    """Whether a share is left that no own ask promises."""
    return market.shares > sum(own and side == "ask" for _, side, _, own in market.offers)


def signals(view: View, weight: float) -> dict[int, float]:
    """Reservation prices by the signals, with a weight on the private one."""
    return {condition: believed_worth(view, condition, weight) for condition in view.markets}
