"""Choices from known social preferences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.divisions import Divisions
from many_wolves.families.dilemmas.model.preferences import Preference, from_coordinates
from many_wolves.families.dilemmas.model.social_plan import Plan
from many_wolves.observations import Observations


def from_prior(
    found: Divisions, plan: Plan, rng: np.random.Generator
) -> tuple[dict[str, Any], list[Preference]]:
    """Parameters from the prior by the names of the posterior, and everyone's preference."""
    drawn = found.levels.from_prior(len(plan.names), plan.varying, plan.spread, rng)
    each = [from_coordinates(plan.form, c, found.unit) for c in drawn.each.T]
    groups = [from_coordinates(plan.form, c, found.unit) for c in drawn.groups.T]
    truth: dict[str, Any] = {}
    for row, name in enumerate(plan.preferences):
        truth[name] = np.array([g.values[row] for g in groups])
        truth[f"{name}_participant"] = np.array([p.values[row] for p in each])
    precision = np.array([p.precision for p in each])
    truth["precision"] = precision if plan.vary_precision else float(precision[0])
    named = {"sd_group": drawn.sd_group, "sd_participant": drawn.sd_participant}
    return truth | {name: sd for name, sd in named.items() if sd.size}, each


def given_preferences(
    given: Mapping[str, Any], found: Divisions, plan: Plan
) -> tuple[dict[str, Any], list[Preference]]:
    """The same preference for all, or one for each group.

    Raises
    ------
    WolvesError
        If a parameter is missing.
    """
    try:
        groups = [
            Preference(
                plan.form,
                tuple(float(given.get(g, given)[n]) for n in plan.preferences),
                float(given["precision"]),
            )
            for g in found.levels.groups
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise WolvesError(
            f"a given parameter is missing or invalid: {error}",
            fix=f"give precision, and {' and '.join(plan.preferences)} for all or under the "
            'name of each group: {"precision": 20, "guilt": 0.6, "envy": 0.5}',
        ) from error
    each = [groups[g] for g in found.levels.of_participants]
    truth: dict[str, Any] = {
        name: np.array([g.values[row] for g in groups]) for row, name in enumerate(plan.preferences)
    }
    precision = groups[0].precision
    truth["precision"] = np.full(len(each), precision) if plan.vary_precision else precision
    return truth, each


def as_table(table: Observations, found: Divisions) -> Observations:
    """Choices as rows, with the columns that ``read_divisions`` reads."""
    speaker = table.rows["speaker"].iloc[0]
    rows = []
    for who, q, counts in found.cells():
        group, name = found.levels.participants[who]
        for amount, count in zip(q.amounts, counts, strict=True):
            reply = q.part == "replies"
            rows.append(
                {
                    "speaker": speaker,
                    "group": group,
                    "participant": name,
                    "part": q.part,
                    "endowment": q.stake,
                    "given": amount,
                    "offer": q.offer if reply else amount,
                    "accepted": amount if reply else 0.0,
                    "count": float(count),
                }
            )
    return replace(table, tables={"counts": pd.DataFrame(rows)}, main="counts")
