"""The model ``ewa``: learning over rounds from actual and foregone payoffs of declarations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from many_wolves.contracts import Outcome, Problem, Variable
from many_wolves.families.markets.model.ewa_numpy import (
    MARKUPS,
    Courses,
    design_limits,
    draw,
    draw_learner,
    learner_of,
    log_likelihood,
    read_courses,
)
from many_wolves.families.markets.model.options import EwaOptions
from many_wolves.families.markets.model.parts import PRACTICE, problem_of
from many_wolves.observations import Observations

FEW_ROUNDS = 6
"""With so many rounds or fewer, kappa is hardly identified."""


def build(observations: Observations, options: EwaOptions) -> Problem:
    """Stan data for the final declarations of one speaker."""
    data = read_courses(observations)
    people, rounds = data.chosen.shape
    bins = len(MARKUPS)
    dims = ("participant", "round")
    weight = data.there.astype(float)

    def without(part: Mapping[str, Any], _: float) -> Mapping[str, Any] | None:
        left = weight.copy()
        who = data.participants.index(part["participant"])
        at = (who, int(part["round"]) - 1 if "round" in part else slice(None))
        if not left[at].any():
            return None
        left[at] = 0.0
        return {"weight": left}

    return problem_of(
        "ewa",
        "ewa",
        observations,
        options,
        data={
            "P": people,
            "T": rounds,
            "K": bins,
            "rounds": data.rounds,
            "chosen": data.chosen + 1,
            "payoff": data.payoff,
            "start": data.start,
            "weight": weight,
            "has_memory": int(options.past),
            "has_foregone": int(options.foregone),
            "has_growth": int(options.growth == "estimated"),
            "given_growth": float(options.growth == "one"),
        },
        coords={
            "participant": data.participants,
            "round": range(1, rounds + 1),
            "bin": [f"{100 * m:+.0f} %" for m in MARKUPS],
        },
        names=_names(options),
        variables=(
            Variable("posterior", "predicted", "predicted", (*dims, "bin"), (people, rounds, bins)),
            Variable("posterior_predictive", "chosen", "chosen_rep", dims, (people, rounds)),
            Variable("log_likelihood", "chosen", "log_lik", dims, (people, rounds)),
        ),
        observed={"chosen": (dims, np.where(data.there, data.chosen, np.nan))},
        outcome=Outcome("chosen", event="bin", kind="category", cluster="participant"),
        notes=notes(observations, data, options),
        tempered=lambda power: {"weight": power * weight},
        without=without,
    )


def simulate(
    observations: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None,
    options: EwaOptions,
) -> tuple[Mapping[str, Any], Observations]:
    """Parameters from the prior (or given), and the same rounds with other declarations."""
    data = read_courses(observations)
    learner = draw_learner(rng, options) if given is None else learner_of(given, options)
    drawn = draw(learner, data, rng)
    frame = observations.tables["declarations"]
    amounts = frame["declared"].to_numpy(float).copy()
    amounts[data.rows[data.there]] = (data.value * (1 + np.array(MARKUPS)[drawn]))[data.there]
    values = {"phi": learner.phi, "delta": learner.delta, "kappa": learner.kappa}
    values["lambda"] = learner.lambda_
    truth: dict[str, Any] = {name: values[name] for name in _names(options)}
    truth["log_lik"] = float(log_likelihood(learner, data, drawn)[data.there].sum())
    return truth, observations.having(declarations=frame.assign(declared=amounts))


def notes(observations: Observations, data: Courses, options: EwaOptions) -> tuple[str, ...]:
    """What this design leaves open."""
    said = []
    if options.past and options.foregone:
        said.append(
            "Participants do not see what other declarations would have earned. Foregone payoffs "
            "are computed with the purchases as they were. So delta also reflects how well "
            "participants estimate them."
        )
    payoffs = observations.rows
    if "round" in payoffs and not (payoffs["round"] == PRACTICE).any():
        said.append(
            "This design has no practice round: attractions before the first paid round are those "
            "of the prior's declarer, not learned ones."
        )
    longest = int(data.rounds.max())
    if options.growth == "estimated" and longest <= FEW_ROUNDS:
        said.append(f"{longest} rounds hardly identify kappa; compare it fixed at 0 and at 1.")
    said += design_limits(data, options).notes()
    if data.outside:
        said.append(f"{data.outside} declarations are far from all bins and are left out.")
    return tuple(said)


def _names(options: EwaOptions) -> list[str]:
    """Parameters that are estimated."""
    names = ["lambda"]
    if options.past:
        names.append("phi")
        names += ["delta"] if options.foregone else []
        names += ["kappa"] if options.growth == "estimated" else []
    return names
