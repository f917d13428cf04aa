"""Orders in a market of tax shares: data, equations, likelihood, simulation, in NumPy.

References
----------
Gjerstad, S., & Dickhaut, J. (1998). Price formation in double auctions. *Games and Economic
Behavior, 22*(1), 1-29.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import log_softmax
from scipy.stats import t as student

from many_wolves.families.markets.model.limits import (
    Limits,
    Scale,
    choice_information,
    difference,
    limits,
    middles,
)
from many_wolves.families.markets.model.parts import Array, Ints, rows_of
from many_wolves.observations import Observations

ACTIONS = ("wait", "bid", "ask", "buy", "sell")
OFFERS = (1, 2)
"""Bids and asks, which have a price."""
DEGREES = 4
"""Of freedom of the t distribution of log prices."""
COLUMNS = (
    "session", "round", "participant", "tick", "condition", "action", "price", "cash", "shares",
    "endowment", "private", "public", "best_bid", "best_ask", "median", "status",
)  # fmt: skip


@dataclass(frozen=True)
class Turns:
    """Turns in a market, (N,) each.

    Parameters
    ----------
    private, public, median
        Signals and median price in points; 0 before the first trade.
    excess
        Own shares over the endowment, less 1.
    best_bid, best_ask
        Best offers of others; 0 where there is none.
    feasible
        Whether each action could be taken, (N, 5).
    action, price
        The action, and the price of a bid or an ask (0 elsewhere).
    cancelled, overtaken
        How many turns took an offer back, or could not be taken as the market stood; they are
        left out.
    rows, labels
        Place in the table, and a label.
    """

    private: Array
    public: Array
    median: Array
    excess: Array
    best_bid: Array
    best_ask: Array
    feasible: Array
    action: Ints
    price: Array
    cancelled: int
    overtaken: int
    rows: Ints
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Trader:
    """Parameters of one speaker; ``taste`` is that of bids, asks and taking, against waiting."""

    private_weight: float = 0.5
    public_bias: float = 0.0
    anchor: float = 0.0
    inventory: float = 0.0
    margin: float = 0.02
    sigma: float = 0.05
    precision: float = 0.37
    taste: tuple[float, float, float] = (0.0, 0.0, 0.0)


def reservation(trader: Trader, data: Turns) -> tuple[Array, Array]:
    """Belief about a share's worth, and the reservation price, (N,) each."""
    belief = trader.private_weight * data.private
    belief = belief + (1 - trader.private_weight) * (1 + trader.public_bias) * data.public
    belief = belief + np.where(data.median > 0, trader.anchor * (data.median - belief), 0.0)
    belief = np.maximum(belief, 1.0)
    return belief, np.maximum(belief * (1 - trader.inventory * data.excess), 1.0)


def action_log_probability(trader: Trader, data: Turns) -> Array:
    """Log-probability of every action, (N, 5)."""
    belief, price = reservation(trader, data)
    scale = 100 * trader.precision / belief
    bid, ask, take = trader.taste
    utility = np.stack(
        [
            np.zeros_like(price),
            np.full_like(price, bid),
            np.full_like(price, ask),
            take + scale * (price - data.best_ask),
            take + scale * (data.best_bid - price),
        ],
        axis=-1,
    )
    found: Array = log_softmax(np.where(data.feasible > 0, utility, -np.inf), axis=1)
    return found


def log_likelihood(trader: Trader, data: Turns) -> Array:
    """Log-probability of the actions, with the density of the log prices of offers, (N,)."""
    chosen = action_log_probability(trader, data)[np.arange(len(data.action)), data.action]
    _, price = reservation(trader, data)
    offers = np.isin(data.action, OFFERS)
    middle = np.log(price) + np.where(data.action == 2, trader.margin, -trader.margin)
    asked = np.log(np.where(offers, data.price, 1.0))
    found: Array = chosen + np.where(
        offers, student.logpdf(asked, DEGREES, middle, trader.sigma), 0.0
    )
    return found


def draw(trader: Trader, data: Turns, rng: np.random.Generator) -> Turns:
    """The same turns with other actions."""
    noise = rng.gumbel(size=data.feasible.shape)
    action = np.argmax(action_log_probability(trader, data) + noise, axis=1)
    _, price = reservation(trader, data)
    middle = np.log(price) + np.where(action == 2, trader.margin, -trader.margin)
    asked = np.exp(middle + trader.sigma * rng.standard_t(DEGREES, size=len(action)))
    return replace(data, action=action, price=np.where(np.isin(action, OFFERS), asked, 0.0))


def draw_trader(rng: np.random.Generator, *, anchor: bool, inventory: bool) -> Trader:
    """Parameters from the prior."""
    bid, ask, take = rng.normal(0, 1.5, 3)
    return Trader(
        private_weight=rng.beta(2, 2),
        public_bias=rng.normal(0, 0.1),
        anchor=rng.normal(0, 0.5) if anchor else 0.0,
        inventory=abs(rng.normal(0, 0.2)) if inventory else 0.0,
        margin=abs(rng.normal(0, 0.05)),
        sigma=float(np.exp(rng.normal(-3, 1))),
        precision=float(np.exp(rng.normal(-1, 1))),
        taste=(bid, ask, take),
    )


def read_turns(observations: Observations) -> Turns:
    """Turns in the market that were taken, of one speaker.

    Raises
    ------
    WolvesError
        If a column is missing, or nobody had a turn.
    """
    missing = "play sessions with a market: --ticks above 0, a mechanism other than voting"
    rows = rows_of(observations, "orders", COLUMNS, missing=missing)
    rows = rows[rows["status"] != "defaulted"]
    taken_back = rows["action"] == "cancel"
    rows = rows[~taken_back]
    codes = {name: n for n, name in enumerate(ACTIONS)}
    action = np.array([codes[name] for name in rows["action"]], np.int64)
    can = _feasible(rows)
    kept = can[np.arange(len(rows)), action] > 0
    rows, action, can = rows[kept], action[kept], can[kept]
    labels = tuple(
        f"{who} | {number} | {condition} | {row}"
        for who, number, condition, row in zip(
            rows["who"], rows["round"], rows["condition"], rows["row"], strict=True
        )
    )
    prices = np.maximum(_number(rows, "price"), 1.0)
    return Turns(
        private=_number(rows, "private"),
        public=_number(rows, "public"),
        median=_number(rows, "median"),
        excess=_number(rows, "shares") / _number(rows, "endowment") - 1,
        best_bid=_number(rows, "best_bid"),
        best_ask=_number(rows, "best_ask"),
        feasible=can,
        action=action,
        price=np.where(np.isin(action, OFFERS), prices, 0.0),
        cancelled=int(taken_back.sum()),
        overtaken=int((~kept).sum()),
        rows=np.asarray(rows["row"], np.int64),
        labels=labels,
    )


def _number(rows: pd.DataFrame, name: str) -> Array:
    return pd.to_numeric(rows[name]).fillna(0.0).to_numpy(float)


def _feasible(rows: pd.DataFrame) -> Array:
    """Whether each action could be taken as the market stood, (n, 5)."""
    cash, shares = _number(rows, "cash"), _number(rows, "shares")
    bid, ask = _number(rows, "best_bid"), _number(rows, "best_ask")
    can = [
        np.full(len(rows), True),
        cash > 0,
        shares > 0,
        (ask > 0) & (cash >= ask),
        (bid > 0) & (shares > 0),
    ]
    return np.stack(can, axis=-1).astype(float)


def design_limits(data: Turns, anchor: bool, inventory: bool) -> Limits:
    """What these turns leave open of each estimated parameter, on the scale of its prior.

    Choices bring the information of a logit. Prices bring that of the place and scale of a t
    distribution, weighted by the probability of an offer.
    """
    half = (2 / np.pi) ** 0.5
    """Mean of a half normal distribution of scale 1."""
    scales = {"private_weight": Scale(0.5, 0.05**0.5), "public_bias": Scale(0.0, 0.1)}
    scales |= {"anchor": Scale(0.0, 0.5)} if anchor else {}
    scales |= {"inventory": Scale(0.2 * half, 0.2 * (1 - half**2) ** 0.5)} if inventory else {}
    scales |= {"margin": Scale(0.05 * half, 0.05 * (1 - half**2) ** 0.5)}
    scales |= {"sigma": Scale(-3.0, 1.0), "precision": Scale(-1.0, 1.0)}
    tastes = ("taste of bids", "taste of asks", "taste of taking")
    scales |= dict.fromkeys(tastes, Scale(0.0, 1.5))

    def trader(x: Array) -> Trader:
        numbers = dict(zip(scales, x, strict=True))
        taste = tuple(float(numbers.pop(name)) for name in tastes)
        for name in ("sigma", "precision"):
            numbers[name] = np.exp(numbers[name])
        return Trader(**numbers, taste=taste)  # type: ignore[arg-type]

    def middle(x: Array) -> Array:
        who = trader(x)
        price = np.log(reservation(who, data)[1])
        return np.stack([price - who.margin, price + who.margin], axis=-1)

    at = middles(scales)
    found = choice_information(lambda x: action_log_probability(trader(x), data), at)
    offered = np.exp(action_log_probability(trader(at), data))[:, 1:3]
    place = (DEGREES + 1) / (DEGREES + 3) / trader(at).sigma ** 2
    slopes = difference(middle, at).reshape(len(at), -1)
    found += place * (slopes * offered.reshape(-1)) @ slopes.T
    spread = list(scales).index("sigma")
    found[spread, spread] += 2 * DEGREES / (DEGREES + 3) * offered.sum()
    return limits(scales, found)
