"""The model ``declared-value`` of declarations of land above or below its value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from many_wolves.contracts import Outcome, Problem, Variable
from many_wolves.families.markets.model.beliefs import fitted_rate
from many_wolves.families.markets.model.declared_data import (
    FINAL_POINTS,
    FIRST_POINTS,
    Declarations,
    read_declarations,
    with_declarations,
)
from many_wolves.families.markets.model.declared_numpy import (
    LAPSES,
    declarer_of,
    design_limits,
    draw,
    draw_declarer,
    log_likelihood,
    with_participants,
)
from many_wolves.families.markets.model.options import DeclaredOptions
from many_wolves.families.markets.model.parts import (
    design_notes,
    left_out,
    problem_of,
    rows_of,
    varied,
)
from many_wolves.observations import Observations

VARIES = ("takeover", "log precision")
ADAPT_DELTA = 0.95
"""At .8 a few of 1,000 transitions diverge where participants' precisions vary much."""


def build(observations: Observations, options: DeclaredOptions) -> Problem:
    """Stan data for one speaker's declarations."""
    data = read_declarations(observations, options.first)
    rational = options.beliefs == "rational"
    takeover, slope = fitted_rate(observations) if rational else (0.0, 0.0)
    n, participants = len(data.labels), len(data.participants)
    strategy, vary = bool(data.pivots.any()), varied(data.participants)
    each = (("answer",), (n,))
    of_participants = (
        Variable("posterior", "each_takeover", "each_takeover", ("participant",), (participants,)),
        Variable(
            "posterior", "each_precision", "each_precision", ("participant",), (participants,)
        ),
        Variable("posterior", "sd_participant", "sd_participant", ("varies",), (2,)),
    )
    return problem_of(
        "declared-value",
        "declared_value",
        observations,
        options,
        data={
            **_arrays(data),
            "weight": np.ones(n),
            "lapses": LAPSES,
            "has_beliefs": int(rational),
            "given_takeover": takeover,
            "given_slope": slope,
            "has_honesty": int(options.honesty),
            "has_strategy": int(strategy),
            "has_participants": int(vary),
            "spread": options.spread,
        },
        coords={"answer": data.labels, "participant": data.participants, "varies": VARIES},
        names=_names(options, strategy),
        variables=(
            *(of_participants if vary else ()),
            Variable("posterior", "predicted", "predicted", *each),
            Variable("posterior_predictive", "markup", "markup_rep", *each),
            Variable("log_likelihood", "markup", "log_lik", *each),
        ),
        observed={"markup": (("answer",), data.markups())},
        outcome=Outcome("markup", ("predicted",), kind="real"),
        notes=notes(observations, data, options, strategy),
        tempered=lambda power: {"weight": np.full(n, power)},
        adapt_delta=ADAPT_DELTA,
        without=lambda part, _: {"weight": left_out(data.labels, part)},
    )


def simulate(
    observations: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None,
    options: DeclaredOptions,
) -> tuple[Mapping[str, Any], Observations]:
    """Parameters from the prior (or given), and the same questions with answers from them."""
    data = read_declarations(observations, options.first)
    strategy, participants = bool(data.pivots.any()), len(data.participants)
    declarer = (
        draw_declarer(participants, rng, strategy, options.honesty, options.spread)
        if given is None
        else declarer_of(given)
    )
    if options.beliefs == "rational":
        takeover, slope = fitted_rate(observations)
        declarer = replace(declarer, takeover=takeover, slope=slope)
    declarer = with_participants(declarer, participants, rng)
    drawn = draw(declarer, data, rng)
    truth: dict[str, Any] = {name: getattr(declarer, name) for name in _names(options, strategy)}
    if varied(data.participants):
        truth["sd_participant"] = np.array([declarer.sd_takeover, declarer.sd_log_precision])
    truth["log_lik"] = float(log_likelihood(declarer, drawn).sum())
    return truth, with_declarations(observations, drawn)


def notes(
    observations: Observations, data: Declarations, options: DeclaredOptions, strategy: bool
) -> tuple[str, ...]:
    """What a reader must know before the numbers: what this design leaves open."""
    said = []
    if len(data.taxes) == 1:
        said.append(
            f"Final declarations have one tax rate ({data.taxes[0]:g}). The effect of the "
            "tax rests on the form of the model. Sessions with several rates "
            "(--final-tax 0.1,0.33,0.5) would identify it."
        )
    if not strategy:
        said.append(
            "First declarations do not choose the condition here, or are left out: the "
            "strategic weight is not estimated."
        )
    beliefs = options.beliefs == "estimated"
    said += design_limits(data, beliefs, strategy, options.honesty).notes()
    said += design_notes(observations, rows_of(observations, "declarations", (), missing=""))
    if data.outside:
        said.append(
            f"The fit leaves out {data.outside} declarations outside the grid: below .4 of the "
            "low end of the band, or above 1.3 of its high end."
        )
    if not varied(data.participants):
        said.append(f"The {len(data.participants)} participants are assumed to be alike.")
    return tuple(said)


def _names(options: DeclaredOptions, strategy: bool) -> list[str]:
    """Parameters that are estimated."""
    names = ["takeover", "slope"] if options.beliefs == "estimated" else []
    names += ["loss", "precision"]
    names += ["strategic"] if strategy else []
    names += ["honesty"] if options.honesty else []
    return names


def _arrays(data: Declarations) -> dict[str, Any]:
    """Stan data of the answers; indices count from 1."""
    first = len(data.first_who)
    return {
        "N": len(data.who),
        "F": first,
        "J": len(data.participants),
        "K": FINAL_POINTS,
        "L": FIRST_POINTS,
        "who": data.who + 1,
        "value": data.value,
        "low": data.low,
        "high": data.high,
        "tax": data.tax,
        "share": data.share,
        "chosen": data.chosen + 1,
        "first_who": data.first_who + 1,
        "first_value": data.first_value.reshape(first, 2),
        "first_low": data.first_low.reshape(first, 2),
        "first_high": data.first_high.reshape(first, 2),
        "first_tax": data.first_tax,
        "first_share": data.first_share,
        "first_chosen": data.first_chosen.reshape(first, 2) + 1,
        "pivots": data.pivots.astype(float),
        "lead": data.lead,
        "lead_sd": data.lead_sd,
    }
