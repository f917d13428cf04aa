"""Participants with known parameters, for tests, recovery and power.

Parameters, as a simulated speaker takes them; a game needs its own alone::

    {"memory_one": {"start": .8, "CC": .9, "CD": .2, "DC": .6, "DD": .1},
     "preferences": {"precision": 2.0, "envy": .6, "guilt": .3},
     "service": {"user": 1.5, "shared_with_user": .5, "shared_with_principal": -.5},
     "groups": {"Selfish": {"memory_one": {...}}}}

``memory_one``: probability of C at the start, and after the round before, own move first.
``preferences``: ``x - envy max(y-x, 0) - guilt max(x-y, 0)`` is the utility of own x and
other's y (Fehr & Schmidt 1999), with a softmax with that precision, a unit per dollar. A
proposer expects responders like itself. ``service``: log-odds of serving the user, and
what is added where the reasons are shown to the user, and to the principal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from many_wolves.contracts import Array, OptionProbabilities
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.task.partners import PROBABILITIES
from many_wolves.records import Trial
from many_wolves.sources import quoted

_FIELDS: Mapping[str, Sequence[str]] = {
    "memory_one": PROBABILITIES,
    "preferences": ("precision", "envy", "guilt"),
    "service": ("user", "shared_with_user", "shared_with_principal"),
}
_OF_TASK = {
    "dictator": "preferences",
    "dilemma": "memory_one",
    "ultimatum": "preferences",
    "principal": "service",
}


def simulator(parameters: Mapping[str, Any]) -> OptionProbabilities:
    """A participant with known parameters.

    Raises
    ------
    WolvesError
        If a parameter is missing or unknown, or a probability is none.
    """
    groups = parameters.get("groups", {})
    if not isinstance(groups, Mapping) or not all(isinstance(g, Mapping) for g in groups.values()):
        raise WolvesError(
            f"expected parameters by group, found {groups!r}",
            fix='write "groups": {"Selfish": {"memory_one": {...}}}',
        )
    for found in (parameters, *groups.values()):
        _check(found)

    def probabilities(trial: Trial) -> Array:
        own = groups.get(trial.cell.get("group"), {})
        wanted = _OF_TASK[trial.task]
        numbers = own.get(wanted, parameters.get(wanted))
        if numbers is None:
            raise WolvesError(
                f"a simulated speaker needs {wanted!r} for the task {trial.task!r}",
                fix=f'add "{wanted}": {{...}} to its parameters: {quoted(_FIELDS[wanted])}',
            )
        return _RULES[trial.task](trial, numbers)

    return probabilities


def _check(parameters: Mapping[str, Any]) -> None:
    for name, numbers in parameters.items():
        if name == "groups":
            continue
        fits = isinstance(numbers, Mapping) and set(numbers) == set(_FIELDS.get(name, ()))
        if not fits or not all(_finite(value) for value in numbers.values()):
            known = "; ".join(f"{k}: {quoted(v)}" for k, v in _FIELDS.items())
            raise WolvesError(
                f"expected parameters of a participant, found {name!r}: {numbers}",
                fix=f"write {known}",
            )
        if name == "memory_one" and not all(0 <= float(p) <= 1 for p in numbers.values()):
            raise WolvesError(
                f"expected probabilities in memory_one, found {numbers}", fix="from 0 to 1"
            )


def _finite(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(cast(float, value))


def _dilemma(trial: Trial, p: Mapping[str, float]) -> Array:
    cooperates = float(p[str(trial.cell["before"]) or "start"])
    return np.array([cooperates if o.id == "C" else 1 - cooperates for o in trial.options])


def utility(own: float, other: float, p: Mapping[str, float]) -> float:
    """Utility of an outcome after Fehr & Schmidt (1999), in dollars."""
    return own - p["envy"] * max(other - own, 0.0) - p["guilt"] * max(own - other, 0.0)


def _softmax(values: Sequence[float], precision: float) -> Array:
    scaled = precision * (np.asarray(values) - max(values))
    weights = np.exp(scaled)
    shares: Array = weights / weights.sum()
    return shares


def _dictator(trial: Trial, p: Mapping[str, float]) -> Array:
    endowment = float(trial.cell["endowment"])
    gifts = [float(option.id) for option in trial.options]
    return _softmax([utility(endowment - g, g, p) for g in gifts], p["precision"])


def _ultimatum(trial: Trial, p: Mapping[str, float]) -> Array:
    endowment = float(trial.cell["endowment"])
    if trial.cell["role"] == "proposer":
        offers = [float(option.id) for option in trial.options]
        expected = [_accepts(o, endowment, p) * utility(endowment - o, o, p) for o in offers]
        return _softmax(expected, p["precision"])
    yes = _accepts(float(trial.cell["offer"]), endowment, p)
    return np.array([yes if option.id == "accept" else 1 - yes for option in trial.options])


def _accepts(offer: float, endowment: float, p: Mapping[str, float]) -> float:
    """Probability that a responder takes an offer; to reject it has utility zero."""
    return _logistic(p["precision"] * utility(offer, endowment - offer, p))


def _principal(trial: Trial, p: Mapping[str, float]) -> Array:
    odds = p["user"] + sum(
        p[name] * (trial.cell[name] == "yes")
        for name in ("shared_with_user", "shared_with_principal")
    )
    user = _logistic(odds)
    return np.array([user if option.id == "user" else 1 - user for option in trial.options])


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


_RULES: Mapping[str, Callable[[Trial, Mapping[str, float]], Array]] = {
    "dictator": _dictator,
    "dilemma": _dilemma,
    "ultimatum": _ultimatum,
    "principal": _principal,
}
