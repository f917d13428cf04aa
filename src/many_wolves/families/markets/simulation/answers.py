"""Simulated answers: players by name, on any engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from many_wolves.errors import WolvesError
from many_wolves.families.markets.rules.actions import Action
from many_wolves.families.markets.rules.parameters import ROLES
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.simulation.agents import Agent
from many_wolves.families.markets.simulation.strategies import (
    MODELLED,
    STRATEGIES,
    TRAINED,
    player,
)
from many_wolves.families.markets.task.cells import rules_of
from many_wolves.outcomes import Array
from many_wolves.records import Form, Trial, Value
from many_wolves.worlds.random_forms import random_form

RANDOM = "random"
"""The strategy that fills in any form at random."""
_BOXES = {
    "lots": "lot",
    "lots_no_project": "lot_no_project",
    "lots_project": "lot_project",
}
"""Lists of lots -> beginning of the names of boxes, where a form has one for each lot."""


class Simulated:
    """Answers of simulated players.

    Parameters
    ----------
    parameters
        ``strategy`` (a name in ``STRATEGIES``, ``modelled``, ``trained`` or ``random``) and its
        parameters; or such settings by role.

    Raises
    ------
    WolvesError
        If a strategy or parameter is unknown.
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        by_role = set(parameters) <= set(ROLES) and bool(parameters)
        given = parameters if by_role else dict.fromkeys((*ROLES, "participant"), parameters)
        self._players: dict[str, Agent | None] = {
            role: _player(settings) for role, settings in given.items()
        }

    def answer(self, trial: Trial, rng: np.random.Generator) -> Value:
        """A filled-in form."""
        schema = trial.answer.schema if isinstance(trial.answer, Form) else {}
        role = trial.seat.rpartition("-")[0]
        if role not in self._players:
            raise WolvesError(
                f"no strategy for the role {role!r}", fix="give `strategy`, or one for each role"
            )
        who = self._players[role]
        if who is None:
            form: dict[str, Any] = random_form(schema, rng)
            return form
        if "view" not in trial.script:
            raise WolvesError(
                "this strategy plays the spatial planning experiment only",
                fix='{"strategy": "random"} fills in the forms of any app',
            )
        rules = rules_of(str(trial.cell["mechanism"]), str(trial.cell["rules"]))
        view = View.from_json(trial.script["view"])
        return as_form(who.act(rules, view, rng), schema)

    def text(self, trial: Trial, value: Value) -> str:
        """The form as JSON."""
        return json.dumps(value, ensure_ascii=False)

    def probabilities(self, trial: Trial) -> Array:
        """Uniform: these players fill in forms."""
        return np.full(len(trial.options), 1 / max(len(trial.options), 1))


def as_form(action: Action, schema: Mapping[str, Any]) -> dict[str, Any]:
    """An action in the fields of a form, of which some have a box for each lot."""
    fields = schema.get("properties", {})
    form: dict[str, Any] = {}
    for name, value in action.items():
        if name in _BOXES and name not in fields:
            for field in fields:
                beginning, _, lot = field.rpartition("_")
                if beginning == _BOXES[name]:
                    form[field] = int(lot) in value
        else:
            known = fields.get(name, {}).get("enum", [value])
            form[name] = value if value in known else str(value).replace("_", " ")
    return form


def _player(settings: Any) -> Agent | None:
    known = ", ".join([*STRATEGIES, MODELLED, TRAINED, RANDOM])
    if not isinstance(settings, Mapping) or not isinstance(settings.get("strategy"), str):
        raise WolvesError(
            f"expected a strategy, found {settings!r:.60}",
            fix=f'{{"strategy": NAME}} with one of {known}',
        )
    rest = {name: value for name, value in settings.items() if name != "strategy"}
    return None if settings["strategy"] == RANDOM else player(settings["strategy"], rest)
