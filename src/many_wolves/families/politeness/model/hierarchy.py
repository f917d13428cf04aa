"""Many polite speakers in one model: partial, no and complete pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Array, Outcome, Problem, Variable
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model.axes import (
    Layout,
    cube,
    layout_of,
    literal_table,
    square,
)
from many_wolves.families.politeness.model.problem import recursion_data
from many_wolves.families.politeness.options import (
    FIRST_ORDER,
    UTILITIES,
    PooledOptions,
    Pooling,
)
from many_wolves.families.politeness.reading.validate import check_choices, check_literal
from many_wolves.files import shipped
from many_wolves.observations import Observations

NAME = "polite-hierarchy"
_CODES = {"none": 0, "partial": 1, "complete": 2}
"""Pooling methods -> their numbers in Stan."""
PROGRAM = "rsa-model/stan_model/hierarchy.stan"


@dataclass(frozen=True)
class _Data:
    """All speakers on one set of axes: counts (G, C, U, S), yes and n (G, U, S)."""

    layout: Layout
    counts: Array
    yes: Array
    n: Array
    notes: tuple[str, ...]


def build_pooled(table: Observations, **options: Any) -> Problem:
    """See ``PoliteHierarchy.problem``."""
    given = PooledOptions.read(options, of=f"the model {NAME!r}")
    pooling = given.pooling
    first_order = given.utilities == (FIRST_ORDER,)
    has = [int(not first_order and u in given.utilities) for u in UTILITIES]
    speakers = table.speakers
    if len(speakers) < 2:
        raise WolvesError(
            f"pooling needs two speakers or more; found {len(speakers)}",
            where=table.where,
            fix="give more tables, or fit the one with `wolves fit`",
        )
    group, names = _groups(speakers, given.groups)
    held = _collect(table, speakers)
    layout = held.layout
    theta = _theta(held, given.literal)
    shape = _Shape(len(speakers), len(layout.conditions), len(names), has, first_order)
    data = {
        "U": len(layout.utterances),
        "S": len(layout.states),
        "C": shape.conditions,
        "G": shape.speakers,
        "F": shape.groups,
        "group": group,
        "counts": held.counts.tolist(),
        "total": np.rint(held.counts.sum(axis=2)).astype(int).tolist(),
        "theta_given": theta.tolist(),
        "has_utility": has,
        "first_order": int(first_order),
        "pooling": _CODES[pooling],
        "spread": given.spread,
    } | recursion_data(layout, given.nodes, given.cost_form)
    return Problem(
        model=NAME,
        family=table.family,
        speaker=f"{len(speakers)} speakers",
        program=shipped(PROGRAM),
        data=data,
        coords={
            "speaker": speakers,
            "condition": list(layout.conditions),
            "utterance": list(layout.utterances),
            "state": list(layout.states),
            "coordinate": ["alpha", "cost", *shape.of_condition],
            "within": list(shape.of_condition),
        },
        variables=_variables(shape, layout, pooling),
        observed={
            "counts": (
                ("speaker", "condition", "state", "utterance"),
                held.counts.transpose(0, 1, 3, 2),
            ),
            "literal_yes": (("speaker", "utterance", "state"), held.yes),
            "literal_n": (("speaker", "utterance", "state"), held.n),
        },
        outcome=Outcome("counts", ("s2",), event="utterance", cluster="speaker"),
        options=given.model_dump() | {"utilities": list(given.utilities)},
        notes=held.notes,
    )


@dataclass(frozen=True)
class _Shape:
    """Numbers of speakers, conditions and groups, and which coordinates there are."""

    speakers: int
    conditions: int
    groups: int
    has: Sequence[int]
    first_order: bool

    @property
    def has_phi(self) -> bool:
        return bool(self.first_order or self.has[2])

    @property
    def of_condition(self) -> tuple[str, ...]:
        """Coordinates of a condition: breaks of the stick, then phi."""
        names = [u for u, there in zip(UTILITIES, self.has, strict=True) if there]
        return (*(f"share of {u}" for u in names[:-1]), *(["phi"] if self.has_phi else []))


def _groups(speakers: Sequence[str], groups: Mapping[str, str]) -> tuple[list[int], list[str]]:
    """Number of each speaker's group from one, and the groups' names."""
    if not groups:
        return [1] * len(speakers), [""]
    missing = [s for s in speakers if s not in groups]
    if missing:
        raise WolvesError(
            f"no group is given for {', '.join(missing)}",
            column="group",
            fix="give every speaker a group, or none",
        )
    names = list(dict.fromkeys(groups[s] for s in speakers))
    return [names.index(groups[s]) + 1 for s in speakers], names


def _collect(table: Observations, speakers: Sequence[str]) -> _Data:
    """Counts and judgments of all speakers on common axes."""
    where = table.where
    framings = table.rows["framing"].nunique() if "framing" in table.rows else 1
    choices, judged, notes = [], [], []
    for speaker in speakers:
        own = table.of(speaker)
        found = check_choices(own.rows, where, framed=framings > 1)
        literal, note = literal_table(own)
        check_literal(literal, where)
        choices.append(found)
        judged.append(literal)
        notes += [f"{speaker}: {sentence}" for sentence in note]
    layout = layout_of(pd.concat(choices), pd.concat(judged), where)
    for speaker, found in zip(speakers, choices, strict=True):
        if set(found["utterance"]) != set(layout.utterances):
            raise WolvesError(
                f"{speaker} had different options from the other speakers",
                where=where,
                column="utterance",
                fix="pool speakers that had the same options",
            )
    return _Data(
        layout,
        np.stack([cube(found, layout) for found in choices]),
        np.stack([square(literal, layout, "yes") for literal in judged]),
        np.stack([square(literal, layout, "n") for literal in judged]),
        tuple(notes),
    )


def _theta(held: _Data, literal: str) -> Array:
    """(G, U, S) posterior means of theta under a uniform prior."""
    yes, n = held.yes, held.n
    if literal == "shared":
        yes, n = (np.broadcast_to(a.sum(axis=0), a.shape) for a in (yes, n))
    theta: Array = (yes + 1) / (n + 2)
    return theta


def _variables(shape: _Shape, layout: Layout, pooling: Pooling) -> tuple[Variable, ...]:
    G, C, R = shape.speakers, shape.conditions, len(shape.of_condition)
    S, U = len(layout.states), len(layout.utterances)
    cells = (("speaker", "condition", "state", "utterance"), (G, C, S, U))
    listed = [
        Variable("posterior", "alpha", "alpha", ("speaker",), (G,)),
        Variable("posterior", "cost", "cost", ("speaker",), (G,)),
    ]
    for j, utility in enumerate(UTILITIES):
        if shape.has[j]:
            each = (("speaker", "condition"), (3, G, C), j)
            listed.append(Variable("posterior", f"w_{utility}", "weights", *each))
            if pooling == "partial":
                middle = (("condition",), (3, C), j)
                listed.append(
                    Variable("posterior", f"w_{utility}_middle", "weights_middle", *middle)
                )
    if shape.has_phi:
        listed.append(Variable("posterior", "phi", "phi", ("speaker", "condition"), (G, C)))
    if pooling == "partial":
        kinds, within = (("coordinate",), (2 + R,)), (("within",), (R,))
        listed.append(Variable("posterior", "sd_speaker", "sd_speaker", *kinds))
        if shape.has_phi:
            listed.append(Variable("posterior", "phi_middle", "phi_middle", ("condition",), (C,)))
        if shape.groups > 1:
            listed.append(Variable("posterior", "sd_group", "sd_group", *kinds))
        if C > 1 and R:
            listed.append(Variable("posterior", "sd_cell", "sd_cell", *within))
    listed += [
        Variable("posterior", "s2", "choice", *cells),
        Variable("posterior_predictive", "counts", "counts_rep", *cells),
        Variable("log_likelihood", "counts", "log_lik", *cells),
    ]
    return tuple(listed)
