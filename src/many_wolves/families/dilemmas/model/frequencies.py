"""The strategy frequency estimation method: the share of games played by each strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from many_wolves.contracts import Array, Outcome, Problem, Variable
from many_wolves.families.dilemmas.model.courses import course_of, predicted_course
from many_wolves.families.dilemmas.model.mixtures import Plan, histories, log_likelihood
from many_wolves.families.dilemmas.model.rounds import read_rounds, replayed
from many_wolves.families.dilemmas.model.strategies import UNCONDITIONAL, classes
from many_wolves.families.dilemmas.simulation.frequencies import (
    from_prior,
    given_mixture,
    play,
)
from many_wolves.files import shipped
from many_wolves.observations import Observations

NAME = "strategy-frequencies"
PROGRAM = "game-model/stan_model/strategies.stan"
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "all": {},
    "one tremble": {"one_tremble": True},
    "unconditional": {"strategies": UNCONDITIONAL},
}


def simulate(
    table: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[Mapping[str, Any], Observations]:
    """See ``StrategyFrequencies.simulate``."""
    rounds = read_rounds(table)
    plan = Plan.of(rounds, **options)
    frequency, tremble = from_prior(plan, rng) if given is None else given_mixture(given, plan)
    own = play(plan, frequency, tremble, rng)
    answered = table.having(counts=replayed(table, rounds.frame, own))
    again = Plan.of(read_rounds(answered), **options)
    truth = {"frequency": frequency, "tremble": tremble}
    return truth | {"log_lik": log_likelihood(again, frequency, tremble)}, answered


def build(
    table: Observations, *, strategies: Sequence[str] = (), one_tremble: bool = False
) -> Problem:
    """See ``StrategyFrequencies.problem``."""
    rounds = read_rounds(table)
    plan = Plan.of(rounds, strategies, one_tremble)
    held = histories(plan)
    G, K, H = len(plan.groups), len(plan.members), len(held.names)
    data = {
        "G": G,
        "H": H,
        "R": len(plan.strategies),
        "K": K,
        "class_of": [k + 1 for k in plan.class_of],
        "counts": held.counts.tolist(),
        "strays": held.strays.tolist(),
        "follows": held.follows.tolist(),
        "one_tremble": int(one_tremble),
    }

    def without(part: Mapping[str, Any], most: float) -> Mapping[str, Any]:
        left = held.counts.copy()
        columns = held.names.index(part["history"]) if "history" in part else slice(None)
        at = (plan.groups.index(part["group"]), columns)
        left[at] = np.maximum(left[at] - most, 0.0)
        return {"counts": left.tolist()}

    course = course_of(plan)

    def derive(posterior: Mapping[str, Array]) -> dict[str, tuple[tuple[str, ...], Array]]:
        found = predicted_course(plan, posterior["frequency"], posterior["tremble"])
        return {"course": (("arm", "round"), found)}

    def before(rng: np.random.Generator, n: int) -> dict[str, tuple[tuple[str, ...], Array]]:
        drawn = [from_prior(plan, rng) for _ in range(n)]
        frequency, tremble = (np.stack(parts) for parts in zip(*drawn, strict=True))
        return {"course": (("arm", "round"), predicted_course(plan, frequency, tremble))}

    return Problem(
        model=NAME,
        family=table.family,
        speaker=str(table.rows["speaker"].iloc[0]),
        program=shipped(PROGRAM),
        data=data,
        coords={
            "group": plan.groups,
            "class": plan.names,
            "history": held.names,
            "arm": course.arms,
            "round": range(1, course.share.shape[1] + 1),
        },
        variables=(
            Variable("posterior", "frequency", "frequency", ("group", "class"), (G, K)),
            Variable("posterior", "tremble", "tremble", ("group",), (G,)),
            Variable("log_likelihood", "counts", "log_lik", ("group", "history"), (G, H)),
        ),
        observed={
            "counts": (("group", "history"), held.counts),
            "course_cooperation": (("arm", "round"), course.share),
            "course_games": (("arm",), course.games),
        },
        outcome=Outcome("counts", (), event="history"),
        without=without,
        derive=derive,
        prior=before,
        options={
            "strategies": [s.name for s in plan.strategies],
            "classes": plan.names,
            "one_tremble": one_tremble,
        },
        notes=(*table.meta.get("notes", ()), *_notes(plan)),
    )


def _notes(plan: Plan) -> tuple[str, ...]:
    classes_ = zip(plan.names, plan.members, strict=True)
    merged = [name for name, members in classes_ if len(members) > 1]
    found = [
        f"Strategies that make the same moves against these partners have one frequency: {name}."
        for name in merged
    ]
    if len({tuple(g.other.tolist()) for g in plan.games}) < 2:
        found.append("All partners made the same moves: few strategies can be distinguished.")
    for number, group in enumerate(plan.groups):
        own = {tuple(g.other.tolist()): g.other for g in plan.games if g.group == number}
        if len(classes(plan.strategies, list(own.values()))) < len(plan.members):
            found.append(
                f"The group {group} met fewer kinds of partners than the others: some of the "
                "frequencies that other groups distinguish come from its prior."
            )
    return tuple(found)
