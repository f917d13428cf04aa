"""The model ``purchases``: which lots speculators buy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from many_wolves.contracts import Outcome, Problem, Variable
from many_wolves.families.markets.model.options import PurchaseOptions
from many_wolves.families.markets.model.parts import design_notes, problem_of, rows_of, varied
from many_wolves.families.markets.model.purchases_numpy import (
    Buyer,
    Decisions,
    design_limits,
    draw,
    draw_buyer,
    log_likelihood,
    read_purchases,
    with_participants,
)
from many_wolves.observations import Observations

OPTIONS = ("left", "bought")


def build(observations: Observations, options: PurchaseOptions) -> Problem:
    """Stan data for one speaker's purchases."""
    data = read_purchases(observations)
    n, vary = len(data.labels), varied(data.participants)
    counts = np.stack([1 - data.bought, data.bought], axis=-1)
    cells = (("answer", "option"), (n, 2))
    sd = Variable("posterior", "sd_participant", "sd_participant", ("varies",), (1,))

    def without(part: Mapping[str, Any], most: float) -> Mapping[str, Any]:
        left = counts.copy()
        column = OPTIONS.index(part["option"]) if "option" in part else slice(None)
        at = (data.labels.index(part["answer"]), column)
        left[at] = np.maximum(left[at] - most, 0.0)
        return {"counts": left}

    return problem_of(
        "purchases",
        "purchases",
        observations,
        options,
        data={
            "N": n,
            "J": len(data.participants),
            "who": data.who + 1,
            "declared": data.declared,
            "middle": data.middle,
            "share": data.share,
            "buyers": data.buyers,
            "counts": counts,
            "total": np.ones(n, int),
            "has_base_rate": int(options.base_rate),
            "has_shading": int(options.shading),
            "has_participants": int(vary),
            "spread": options.spread,
        },
        coords={"answer": data.labels, "option": OPTIONS, "varies": ("hurdle",)},
        names=_names(options),
        variables=(
            *((sd,) if vary else ()),
            Variable("posterior", "predicted", "predicted", *cells),
            Variable("posterior_predictive", "counts", "counts_rep", *cells),
            Variable("log_likelihood", "counts", "log_lik", *cells),
        ),
        observed={"counts": (("answer", "option"), counts)},
        outcome=Outcome("counts", event="option"),
        notes=notes(observations, data, options),
        tempered=lambda power: {"counts": power * counts},
        without=without,
    )


def simulate(
    observations: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None,
    options: PurchaseOptions,
) -> tuple[Mapping[str, Any], Observations]:
    """Parameters from the prior (or given), and the same decisions taken with them.

    The numbers of buyers in the table stay those that the speaker could have seen.
    """
    data = read_purchases(observations)
    buyer = draw_buyer(data, rng, **options.model_dump()) if given is None else Buyer(**given)
    buyer = with_participants(buyer, data, rng)
    drawn = draw(buyer, data, rng)
    frame = observations.tables["purchases"]
    taken = frame["bought"].to_numpy(bool).copy()
    taken[data.rows] = drawn.bought > 0
    truth: dict[str, Any] = {name: getattr(buyer, name) for name in _names(options)}
    if varied(data.participants):
        truth["sd_participant"] = np.array([buyer.sd_hurdle])
    truth["log_lik"] = log_likelihood(buyer, drawn)
    return truth, observations.having(purchases=frame.assign(bought=taken))


def notes(observations: Observations, data: Decisions, options: PurchaseOptions) -> tuple[str, ...]:
    """What this design leaves open."""
    said = design_limits(data, options.base_rate, options.shading).notes()
    share = data.bought.mean()
    if share in (0.0, 1.0):
        bought = "everything" if share else "nothing"
        said.append(f"This speaker bought {bought}: hurdle and precision rest on their priors.")
    said += design_notes(observations, rows_of(observations, "purchases", (), missing=""))
    if not varied(data.participants):
        said.append(f"The {len(data.participants)} participants are assumed to be alike.")
    return tuple(said)


def _names(options: PurchaseOptions) -> list[str]:
    """Parameters that are estimated."""
    names = ["hurdle", "precision"]
    return names + [name for name in ("base_rate", "shading") if getattr(options, name)]
