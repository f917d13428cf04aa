"""Serving the user or the principal: hierarchical logistic regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from many_wolves.contracts import Array, Problem
from many_wolves.errors import WolvesError
from many_wolves.families.dilemmas.model.decisions import (
    Cells,
    Known,
    Words,
    decision_problem,
    from_prior,
    log_likelihood,
    probability,
)
from many_wolves.families.dilemmas.model.principal_asked import (
    FACTORS,
    SERVED,
    Situations,
    principals_of,
)
from many_wolves.families.dilemmas.options import SPREAD
from many_wolves.observations import Observations

NAME = "principal-agent"
ADAPT_DELTA = 0.99
"""Choices all alike leave a posterior with sharp edges."""
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "information and principal": {},
    "principal": {"information": False},
    "information": {"by_principal": False},
    "neither": {"information": False, "by_principal": False},
}


def simulate(
    table: Observations,
    rng: np.random.Generator,
    given: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[Mapping[str, Any], Observations]:
    """See ``PrincipalAgent.simulate``."""
    found = Situations.of(table, **options)
    plan = found.prior
    spread = float(options.get("spread", SPREAD))
    known = from_prior(found.levels, plan, spread, rng) if given is None else _given(given, found)
    total = np.rint(found.cells.counts.sum(axis=1)).astype(int)
    user = rng.binomial(total, probability(found.cells, known.coefficient))
    cells = replace(found.cells, counts=np.stack([user, total - user], axis=1).astype(float))
    truth: dict[str, Any] = {**known.truth(), **_derived(found, known.coefficient)}
    truth["log_lik"] = log_likelihood(cells, known.coefficient)
    return truth, _as_table(table, found, cells)


def build(
    table: Observations,
    *,
    information: bool = True,
    by_principal: bool = True,
    spread: float = SPREAD,
) -> Problem:
    """See ``PrincipalAgent.problem``."""
    found = Situations.of(table, information, by_principal, spread)
    situation = found.situation

    def derive(posterior: Mapping[str, Array]) -> dict[str, tuple[tuple[str, ...], Array]]:
        derived = _derived(found, posterior["log_odds"])
        dims = {"user_served": ("principal",), "effect": ("shared",)}
        return {name: (dims[name], value) for name, value in derived.items()}

    return decision_problem(
        model=NAME,
        table=table,
        levels=found.levels,
        cells=found.cells,
        prior=found.prior,
        words=Words(SERVED, found.names),
        extra={
            f"cell_{name}": (("cell",), situation[name].to_numpy(dtype=float))
            for name in FACTORS
            if name in situation
        }
        | {"cell_principal": (("cell",), principals_of(found)[1].astype(float))},
        coords={
            "principal": principals_of(found)[0],
            "shared": [FACTORS[f] for f in found.factors],
        },
        derive=derive,
        kept=("user_served",),
        options={"information": information, "by_principal": by_principal},
        notes=(*table.meta.get("notes", ()), *_notes(found)),
        spread=spread,
        adapt_delta=ADAPT_DELTA,
    )


def _derived(found: Situations, coefficient: Array) -> dict[str, Array]:
    """Share served by principal, and the mean change that each factor makes, (..., P), (..., F).

    Parameters
    ----------
    coefficient
        (..., K, J) log-odds.
    """
    own = np.moveaxis(coefficient[..., found.cells.participant], -1, -2)
    asked = found.cells.counts.sum(axis=1)
    served = expit((own * found.cells.design).sum(axis=-1))
    names, at = principals_of(found)
    weight = np.stack([asked * (at == p) for p in range(len(names))], axis=-1)
    derived = {"user_served": served @ (weight / weight.sum(axis=0))}
    if found.factors:
        effects = []
        for column in range(1, found.cells.design.shape[1]):
            with_, without = found.cells.design.copy(), found.cells.design.copy()
            with_[:, column], without[:, column] = 0.5, -0.5
            change = expit((own * with_).sum(axis=-1)) - expit((own * without).sum(axis=-1))
            effects.append(change @ (asked / asked.sum()))
        derived["effect"] = np.stack(effects, axis=-1)
    return derived


def _notes(found: Situations) -> list[str]:
    notes = []
    user, principal = found.cells.counts.sum(axis=0)
    if min(user, principal) == 0:
        who = "user" if principal == 0 else "principal"
        notes.append(
            f"All {user + principal:,.0f} choices served the {who}. So the data bound effects "
            "only as far as this remains nearly certain. Their size in log-odds comes from the "
            "prior."
        )
    for factor in found.constant:
        notes.append(
            f"Whether there were {FACTORS[factor].replace('shown', 'to be shown')} did not vary: "
            "it has no effect here."
        )
    if found.levels.by_participant and len(found.levels.participants) < 4:
        notes.append(
            f"There are only {len(found.levels.participants)} principals, so the variation between "
            "principals comes mostly from the prior."
        )
    return notes


def _given(given: Mapping[str, Any], found: Situations) -> Known:
    """The same known log-odds for every principal.

    Raises
    ------
    WolvesError
        If a coefficient is missing.
    """
    try:
        one = np.array([float(given[name]) for name in found.names])
    except (KeyError, TypeError, ValueError) as error:
        raise WolvesError(
            f"a given coefficient is missing or invalid: {error}",
            fix="give log-odds: {" + ", ".join(f'"{name}": 1' for name in found.names) + "}",
        ) from error
    coefficient = np.tile(one[:, None], len(found.levels.participants))
    return Known(coefficient, np.zeros(0), np.zeros(0), np.zeros(0))


def _as_table(table: Observations, found: Situations, cells: Cells) -> Observations:
    """Choices as rows of a table like the one that was read."""
    parts = []
    for column, who in enumerate(SERVED):
        part = found.situation.assign(served=who, count=cells.counts[:, column])
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True)
    frame.insert(0, "speaker", table.rows["speaker"].iloc[0])
    return replace(table, tables={"counts": frame}, main="counts")
