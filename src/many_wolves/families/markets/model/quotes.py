"""The model ``quotes``: beliefs about the value of a share, and orders around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from many_wolves.contracts import Outcome, Problem, Variable
from many_wolves.families.markets.model.options import QuoteOptions
from many_wolves.families.markets.model.parts import design_notes, left_out, problem_of, rows_of
from many_wolves.families.markets.model.quotes_numpy import (
    ACTIONS,
    OFFERS,
    Trader,
    Turns,
    design_limits,
    draw,
    draw_trader,
    log_likelihood,
    read_turns,
)
from many_wolves.observations import Observations

FEW_QUOTES = 10
"""Number of priced offers below which beliefs are hardly identified."""


def build(observations: Observations, options: QuoteOptions) -> Problem:
    """Stan data for one speaker's turns in the market."""
    data = read_turns(observations)
    n = len(data.labels)
    each = (("answer",), (n,))
    return problem_of(
        "quotes",
        "quotes",
        observations,
        options,
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
            "has_inventory": int(options.inventory),
            "has_anchor": int(options.anchor),
        },
        coords={"answer": data.labels, "action": ACTIONS, "of": ("bids", "asks", "taking")},
        names=_names(options),
        variables=(
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
        notes=notes(observations, data, options),
        tempered=lambda power: {"weight": np.full(n, power)},
        without=lambda part, _: {"weight": left_out(data.labels, part)},
    )


def simulate(
    observations: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None,
    options: QuoteOptions,
) -> tuple[Mapping[str, Any], Observations]:
    """Parameters from the prior (or given), and the same turns with other actions."""
    data = read_turns(observations)
    trader = draw_trader(rng, **options.model_dump()) if given is None else Trader(**given)
    drawn = draw(trader, data, rng)
    truth: dict[str, Any] = {name: getattr(trader, name) for name in _names(options)}
    truth["taste"] = np.array(trader.taste)
    truth["log_lik"] = float(log_likelihood(trader, drawn).sum())
    frame = observations.tables["orders"]
    actions = frame["action"].astype(object).to_numpy().copy()
    prices = np.array(frame["price"].replace("", np.nan), float)
    actions[data.rows] = np.array(ACTIONS, object)[drawn.action]
    prices[data.rows] = np.where(drawn.price > 0, drawn.price, np.nan)
    return truth, observations.having(orders=frame.assign(action=actions, price=prices))


def notes(observations: Observations, data: Turns, options: QuoteOptions) -> tuple[str, ...]:
    """What this design leaves open."""
    said = []
    quotes = int(np.isin(data.action, OFFERS).sum())
    if quotes < FEW_QUOTES:
        said.append(f"There are {quotes} priced offers: beliefs rest on few prices.")
    apart = np.abs(data.private / np.maximum(data.public, 1.0) - 1)
    if np.median(apart) < 0.05:
        said.append(
            "The private and the public signal are nearly equal, so the weight between them is not "
            "identified. They differ if declarations are shaded."
        )
    said += design_limits(data, options.anchor, options.inventory).notes()
    said += design_notes(observations, rows_of(observations, "orders", (), missing=""))
    if data.cancelled:
        said.append(f"{data.cancelled} turns withdrew an offer; they are left out.")
    if data.overtaken:
        said.append(
            f"{data.overtaken} turns were not possible in the state of the market; they are left "
            "out."
        )
    return tuple(said)


def _names(options: QuoteOptions) -> list[str]:
    """Scalar parameters that are estimated."""
    names = ["private_weight", "public_bias", "margin", "sigma", "precision"]
    return names + [name for name in ("anchor", "inventory") if getattr(options, name)]
