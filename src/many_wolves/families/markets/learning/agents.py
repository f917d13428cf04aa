"""Trains a player on request, and writes it with its evaluation into a folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.experiments import TrainingRequest
from many_wolves.families.markets.learning.policy import save_policy
from many_wolves.families.markets.learning.training import Plan, train
from many_wolves.families.markets.learning.verdict import judge
from many_wolves.families.markets.rules.parameters import ROLES, Rules
from many_wolves.families.markets.simulation.agents import Agent
from many_wolves.families.markets.simulation.strategies import STRATEGIES, TRAINED, player
from many_wolves.families.markets.task.compiler import rules_of_design
from many_wolves.families.markets.task.design import PlanningDesign
from many_wolves.files import file_fingerprint, write_atomic
from many_wolves.sources import nearest

POLICY, SPEAKER, VERDICT = "policy.npz", "speaker.json", "verdict.json"
DEFAULT: Mapping[str, Any] = {"strategy": "truthful"}
"""Default player of a seat."""


def train_agent(
    request: TrainingRequest, out: Path, advance: Callable[[int, int], None]
) -> Mapping[str, Any]:
    """Train a player of one seat, save it, and judge it.

    Sessions have one round, since no simulated player remembers earlier rounds.

    Parameters
    ----------
    request
        The seat, the cast, the design, and the size of training and evaluation.
    out
        Gets ``policy.npz`` (what plays), ``speaker.json`` (what seats it), ``verdict.json``, and
        ``model.zip`` of stable-baselines3.
    advance
        Called with the decisions made, and all of them.
    """
    plan = _plan(request)
    agent = train(plan, out, advance)
    save_policy(out / POLICY, agent)
    verdict = judge(
        plan.rules, plan.cast, plan.role, agent, request.sessions, place=plan.place, seed=1
    )
    speaker = {
        "model_type": "simulated",
        "model_name": f"{verdict.name}-{plan.role}-{plan.rules.mechanism}",
        "parameters": {
            "strategy": TRAINED,
            "policy": str(out / POLICY),
            "fingerprint": file_fingerprint(out / POLICY),
        },
    }
    write_atomic(out / SPEAKER, json.dumps(speaker, indent=1) + "\n")
    sentences = verdict.sentences(plan.role)
    record = {
        "name": verdict.name,
        **asdict(verdict),
        "sentences": sentences,
        "about": plan.about(),
    }
    write_atomic(out / VERDICT, json.dumps(record, indent=1) + "\n")
    return {**record, "speaker": out / SPEAKER}


def cast_of(
    told: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, list[Agent]]:
    """Players by role; truthful ones where none are named.

    Raises
    ------
    WolvesError
        If a role, a strategy or a parameter is unknown.
    """
    for role in told:
        if role not in ROLES:
            raise WolvesError(f"unknown role {role!r}", fix=nearest(role, ROLES))
    return {role: [_player(role, each) for each in told.get(role) or [DEFAULT]] for role in ROLES}


def _player(role: str, settings: Mapping[str, Any]) -> Agent:
    own = settings.get(role, {}) if settings and set(settings) <= set(ROLES) else settings
    rest = dict(own)
    strategy = rest.pop("strategy", None)
    if not isinstance(strategy, str):
        raise WolvesError(
            f"expected a simulated player with a strategy for {role}, found {dict(own)!r:.60}",
            fix='{"strategy": NAME} with one of ' + ", ".join(STRATEGIES),
        )
    return player(strategy, rest)


def _plan(request: TrainingRequest) -> Plan:
    if request.role not in ROLES:
        raise WolvesError(f"unknown role {request.role!r}", fix=nearest(request.role, ROLES))
    design = PlanningDesign.read({"draws": "random", **request.design}, of="the task 'planning'")
    rules = rules_of_design(design, design.mechanism[0])
    rules = replace(rules, rounds=1, practice=False)
    _check_place(rules, request)
    cast_of(request.cast)
    told: dict[str, Sequence[Mapping[str, Any]]] = {
        role: list(request.cast.get(role) or [DEFAULT]) for role in ROLES
    }
    return Plan(
        rules=rules,
        cast=cast_of(told),
        role=request.role,
        place=request.place,
        told=told,
        steps=request.steps,
        seed=request.seed,
    )


def _check_place(rules: Rules, request: TrainingRequest) -> None:
    seats = sum(rules.role(seat) == request.role for seat in rules.seats)
    if not seats:
        raise WolvesError(
            f"{rules.mechanism} has no {request.role} under these rules",
            fix="choose another role or --mechanism",
        )
    if not 0 <= request.place < seats:
        raise WolvesError(
            f"there are {seats} seats of the role {request.role}, found --place "
            f"{request.place + 1}",
            fix=f"--place 1 to {seats}",
        )
