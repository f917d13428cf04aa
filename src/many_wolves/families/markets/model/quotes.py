"""The model ``quotes``: beliefs about a share's worth, and orders around them.

References
----------
Gjerstad, S., & Dickhaut, J. (1998). Price formation in double auctions. *Games and Economic
Behavior, 22*(1), 1-29.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field
from scipy.special import log_softmax
from scipy.stats import t as student

from many_wolves.contracts import ModelOptions, Outcome, Parameter, Problem, Variable
from many_wolves.errors import WolvesError
from many_wolves.families.markets.model.declared import left_out, posterior_draws
from many_wolves.files import shipped
from many_wolves.observations import Observations

Array = npt.NDArray[np.float64]

NAME = "quotes"
PROGRAM = "market-model/stan_model/quotes.stan"
ACTIONS = ("wait", "bid", "ask", "buy", "sell")
FEW_QUOTES = 10
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
        Signals and median price in points; 0 where there was no trade yet.
    excess
        Own shares over the endowment, less 1.
    best_bid, best_ask
        Best offers of others; 0 where there is none.
    feasible
        Whether each action could be taken, (N, 5).
    action, price
        The action, and the price of a bid or an ask (0 elsewhere).
    cancelled
        How many turns took an offer back; they are left out.
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
    action: npt.NDArray[np.int64]
    price: Array
    cancelled: int
    rows: npt.NDArray[np.int64]
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


class QuoteOptions(ModelOptions):
    """Options of the model."""

    inventory: bool = Field(default=True, description="Whether own shares lower what one pays.")
    anchor: bool = Field(default=True, description="Whether beliefs move to the median price.")


class QuoteModel:
    """Beliefs from two signals and the price; offers and acceptances around them."""

    name = NAME
    tasks = ("planning",)
    options = QuoteOptions
    parameters = (
        Parameter("private_weight", "share", "beta(2, 2)", "weight on the private signal"),
        Parameter("public_bias", "share", "normal(0, 0.1)", "correction of the public signal"),
        Parameter("anchor", "share", "normal(0, 0.5)", "pull of the median price; < 0 contrarian"),
        Parameter("inventory", "share", "half-normal(0.2)", "fall of the price with own shares"),
        Parameter("margin", "share", "half-normal(0.05)", "gain that an own offer asks"),
        Parameter("sigma", "log price", "lognormal(-3, 1)", "spread of own offers"),
        Parameter("precision", "per percent", "lognormal(-1, 1)", "how surely gains are taken"),
    )

    def files(self) -> tuple[Path, ...]:
        """The program."""
        return (shipped(PROGRAM),)

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """The full model, and simpler ones."""
        return {
            "full": {},
            "no anchor": {"anchor": False},
            "no inventory": {"inventory": False},
            "signals only": {"anchor": False, "inventory": False},
        }

    def problem(self, observations: Observations, **options: Any) -> Problem:
        """Stan data for one speaker's turns in the market.

        Raises
        ------
        WolvesError
            If there are none.
        """
        chosen = QuoteOptions.read(options, of=f"the model {NAME!r}")
        data = read_turns(observations)
        n = len(data.labels)
        each = (("answer",), (n,))
        names = ["private_weight", "public_bias", "margin", "sigma", "precision"]
        names += [name for name in ("anchor", "inventory") if getattr(chosen, name)]
        # Programs of named parameters say their size themselves.
        return Problem(  # type: ignore[call-arg, unused-ignore]
            model=NAME,
            family="markets",
            speaker=str(observations.tables["orders"]["speaker"].iloc[0]),
            program=shipped(PROGRAM),
            data={
                "N": n,
                "private_signal": data.private,
                "public_signal": data.public,
                "median_price": data.median,
                "excess": data.excess,
                "best_bid": data.best_bid,
                "best_ask": data.best_ask,
                "feasible": data.feasible,
                "action": data.action + 1,
                "price": data.price,
                "weight": np.ones(n),
                "has_inventory": int(chosen.inventory),
                "has_anchor": int(chosen.anchor),
            },
            coords={
                "answer": data.labels,
                "action": ACTIONS,
                "of": ("bids", "asks", "taking"),
            },
            variables=(
                *(Variable("posterior", name, name) for name in names),
                Variable("posterior", "taste", "taste", ("of",), (3,)),
                Variable("posterior", "predicted", "predicted", ("answer", "action"), (n, 5)),
                Variable("posterior_predictive", "choice", "action_rep", *each),
                Variable("posterior_predictive", "price", "price_rep", *each),
                Variable("log_likelihood", "choice", "log_lik", *each),
            ),
            observed={
                "choice": (("answer",), data.action.astype(float)),
                "price": (("answer",), data.price),
            },
            outcome=Outcome("choice", event="action", kind="category"),
            options=chosen.model_dump(),
            notes=notes(data),
            tempered=lambda power: {"weight": np.full(n, power)},
            without=lambda part, _: {"weight": left_out(data.labels, part)},
        )

    def simulate(
        self,
        observations: Observations,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], Observations]:
        """Parameters from the prior (or given), and the same turns with other actions."""
        chosen = QuoteOptions.read(options, of=f"the model {NAME!r}")
        data = read_turns(observations)
        trader = draw_trader(rng, chosen) if given is None else Trader(**given)
        drawn = draw(trader, data, rng)
        names = ["private_weight", "public_bias", "margin", "sigma", "precision"]
        names += [name for name in ("anchor", "inventory") if getattr(chosen, name)]
        truth: dict[str, Any] = {name: getattr(trader, name) for name in names}
        truth["taste"] = np.array(trader.taste)
        truth["log_lik"] = float(log_likelihood(trader, drawn).sum())
        frame = observations.tables["orders"].copy()
        actions = frame["action"].astype(object).to_numpy().copy()
        prices = frame["price"].to_numpy(float).copy()
        actions[data.rows] = np.array(ACTIONS, object)[drawn.action]
        prices[data.rows] = np.where(drawn.price > 0, drawn.price, np.nan)
        return truth, observations.having(orders=frame.assign(action=actions, price=prices))

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws by the names of ``simulate``."""
        return posterior_draws(tree, names, "choice")


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
    offers = np.isin(data.action, (1, 2))
    middle = np.log(price) + np.where(data.action == 2, trader.margin, -trader.margin)
    asked = np.log(np.where(offers, data.price, 1.0))
    found: Array = chosen + np.where(offers, student.logpdf(asked, 4, middle, trader.sigma), 0.0)
    return found


def draw(trader: Trader, data: Turns, rng: np.random.Generator) -> Turns:
    """The same turns with other actions."""
    noise = rng.gumbel(size=data.feasible.shape)
    action = np.argmax(action_log_probability(trader, data) + noise, axis=1)
    _, price = reservation(trader, data)
    middle = np.log(price) + np.where(action == 2, trader.margin, -trader.margin)
    asked = np.exp(middle + trader.sigma * rng.standard_t(4, size=len(action)))
    return replace(data, action=action, price=np.where(np.isin(action, (1, 2)), asked, 0.0))


def draw_trader(rng: np.random.Generator, options: QuoteOptions) -> Trader:
    """Parameters from the prior."""
    bid, ask, take = rng.normal(0, 1.5, 3)
    return Trader(
        private_weight=rng.beta(2, 2),
        public_bias=rng.normal(0, 0.1),
        anchor=rng.normal(0, 0.5) if options.anchor else 0.0,
        inventory=abs(rng.normal(0, 0.2)) if options.inventory else 0.0,
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
        If a column is missing, or there is no turn.
    """
    frame = observations.tables.get("orders", pd.DataFrame())
    missing = sorted(set(COLUMNS) - set(frame.columns))
    if missing or not len(frame):
        raise WolvesError(
            f"the table of orders lacks: {', '.join(missing) or 'any row'}",
            where=observations.where,
            fix="sessions without a market have no orders",
        )
    rows = frame.assign(row=np.arange(len(frame)))
    rows = rows[rows["status"] != "defaulted"]
    taken_back = rows["action"] == "cancel"
    rows = rows[~taken_back]

    def number(name: str) -> Array:
        return pd.to_numeric(rows[name]).fillna(0.0).to_numpy(float)

    cash, shares = number("cash"), number("shares")
    best_bid, best_ask = number("best_bid"), number("best_ask")
    codes = {name: n for n, name in enumerate(ACTIONS)}
    action = np.asarray(rows["action"].map(codes), np.int64)
    can = np.stack(
        [
            np.ones(len(rows)),
            cash > 0,
            shares > 0,
            (best_ask > 0) & (cash >= best_ask),
            (best_bid > 0) & (shares > 0),
        ],
        axis=-1,
    ).astype(float)
    # Simultaneous turns: an order may have met an offer that was not there when it was chosen.
    can[np.arange(len(rows)), action] = 1.0
    labels = tuple(
        f"{session}/{who} | {number_} | {condition} | {row}"
        for session, who, number_, condition, row in zip(
            rows["session"], rows["participant"], rows["round"], rows["condition"], rows["row"],
            strict=True,
        )
    )  # fmt: skip
    offers = np.isin(action, (1, 2))
    return Turns(
        private=number("private"),
        public=number("public"),
        median=number("median"),
        excess=shares / number("endowment") - 1,
        best_bid=best_bid,
        best_ask=best_ask,
        feasible=can,
        action=action,
        price=np.where(offers, np.maximum(number("price"), 1.0), 0.0),
        cancelled=int(taken_back.sum()),
        rows=np.asarray(rows["row"], np.int64),
        labels=labels,
    )


def bayesian_weight(spread: float, markup_sd: float) -> float:
    """The weight on the private signal that its precision deserves.

    Parameters
    ----------
    spread
        Half width of the uniform relative error of the private signal, such as .05.
    markup_sd
        Standard deviation of the sum of declared over that of true values: the relative
        error of the public signal.
    """
    private = spread**2 / 3
    return markup_sd**2 / (markup_sd**2 + private)


def notes(data: Turns) -> tuple[str, ...]:
    """What this design leaves open."""
    said = []
    quotes = int(np.isin(data.action, (1, 2)).sum())
    if quotes < FEW_QUOTES:
        said.append(f"There are {quotes} priced offers: beliefs rest on few prices.")
    apart = np.abs(data.private / np.maximum(data.public, 1.0) - 1)
    if np.median(apart) < 0.05:
        said.append(
            "The private and the public signal are nearly equal: the weight between them is not "
            "identified. They differ where declarations are shaded."
        )
    if data.cancelled:
        said.append(f"{data.cancelled} turns took an offer back; they are left out.")
    return tuple(said)
