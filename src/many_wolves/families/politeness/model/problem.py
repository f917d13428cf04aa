"""Turns choices and literal judgments of one speaker into the data of a Stan program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Array, Outcome, Problem, Range, Variable
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model.axes import (
    Layout,
    cube,
    layout_of,
    literal_table,
    square,
)
from many_wolves.families.politeness.model.clusters import (
    Clustered,
    known_clusters,
    read_clusters,
)
from many_wolves.families.politeness.model.item_effects import direction_of, stan_data
from many_wolves.families.politeness.model.recursion import phi_quadrature
from many_wolves.families.politeness.options import (
    ALPHA_UPPER,
    COST_RANGE,
    FIRST_ORDER,
    NODES,
    UNIFORM,
    UTILITIES,
    CostForm,
    PoliteOptions,
    Priors,
)
from many_wolves.families.politeness.reading.clustering import CLUSTERED
from many_wolves.families.politeness.reading.foreign_choices import check_total
from many_wolves.families.politeness.reading.negation import negations, note_without_negations
from many_wolves.families.politeness.reading.position_bias import (
    Placed,
    check_same,
    no_orders,
    read_placed,
)
from many_wolves.families.politeness.reading.validate import (
    check_choices,
    check_literal,
    one_answer,
    overwhelmed,
)
from many_wolves.files import shipped
from many_wolves.observations import Observations

NAME = "polite-speaker"
PROGRAM = "rsa-model/stan_model/politeness.stan"
OUTCOME = Outcome("counts", ("predicted", "s2"), event="utterance")
ADAPT_DELTA = 0.95
"""Minimum target acceptance: in each condition, the weights and phi lie on a thin curved ridge."""


def build(table: Observations, **options: Any) -> Problem:
    """See ``PoliteSpeaker.problem``."""
    given = PoliteOptions.read(options, of=f"the model {NAME!r}")
    chosen = given.for_speaker(model=is_language_model(table))
    where = table.where
    held = _collect(table, chosen, where)
    yes, no = held.yes, held.no
    cut, joint = chosen.literal == "cut", chosen.literal == "joint"
    variant = _variant(chosen.utilities, chosen.weights_form == "three-way", joint)
    data = _stan_data(held, variant, chosen)
    return Problem(
        model=NAME,
        family=table.family,
        speaker=str(table.rows["speaker"].iloc[0]),
        program=shipped(PROGRAM),
        data=data,
        coords=_coords(held),
        variables=_variables(held, variant),
        observed=_observed(held),
        outcome=_outcome(held.clustered),
        impute=_theta_from_judgments(yes, no) if cut else None,
        tempered=None if cut else _tempered(data),
        without=None if held.placed or cut else _without(held),
        parts=_parts(held),
        options=_recorded(chosen, held),
        notes=tuple(held.notes),
        ridge=("alpha_probit", "cost_probit"),
        adapt_delta=ADAPT_DELTA,
        ranges=_ranges(chosen),
        refused=None if chosen.literal == "fixed" else _refused(held, where),
    )


def is_language_model(table: Observations) -> bool:
    """Whether it is known to be a language model, from its provider or its data card."""
    speaker = str(table.rows["speaker"].iloc[0])
    asked = table.meta.get("speakers", {}).get(speaker)
    if asked is not None:
        return bool(asked["provider"] != "simulated")
    labels = table.meta.get("labels", {}).get(speaker, {})
    return table.meta.get("answered_by") == "models" or "training" in labels


def _recorded(chosen: PoliteOptions, held: _Data) -> dict[str, Any]:
    """The options for the record of a fit, with effective ranges and likelihood."""
    by = held.clustered.name if held.clustered is not None else "counts"
    likelihood = by if held.direction is None else chosen.likelihood
    taken = {"utilities": list(chosen.utilities), "likelihood": likelihood}
    return chosen.model_dump(exclude={"ranges"}) | chosen.ends._asdict() | taken


def _outcome(clustered: Clustered | None) -> Outcome:
    if clustered is None:
        return OUTCOME
    return replace(OUTCOME, cluster=clustered.name, by_cluster=CLUSTERED)


def _observed(held: _Data) -> dict[str, tuple[tuple[str, ...], Array]]:
    found: dict[str, tuple[tuple[str, ...], Array]] = {
        "counts": (("condition", "state", "utterance"), held.counts.transpose(0, 2, 1)),
        "literal_yes": (("utterance", "state"), held.yes),
        "literal_n": (("utterance", "state"), held.yes + held.no),
    }
    if held.clustered is not None:
        totals = held.clustered.totals.astype(float)
        axes: tuple[str, ...] = (held.clustered.name, "condition", "state")
        if held.direction is not None:
            axes, totals = axes[:1], totals.sum(axis=(1, 2))
        found[CLUSTERED] = (axes, totals)
    return found


def _refused(held: _Data, where: str) -> WolvesError | None:
    judgments = float((held.yes + held.no).sum())
    return one_answer(held.counts, held.layout.utterances, where) or overwhelmed(
        float(held.counts.sum()), judgments, where
    )


@dataclass(frozen=True)
class _Data:
    """Choices (C, U, S), yes- and no-judgments (U, S).

    Also choices by place where it has a bias, by cluster where their answers are alike, and by
    each cluster that the table knows. ``direction`` is that of the effects of items, if any.
    """

    layout: Layout
    counts: Array
    yes: Array
    no: Array
    negated: Sequence[bool]
    placed: Placed | None
    clustered: Clustered | None
    known: tuple[Clustered, ...]
    notes: Sequence[str]
    direction: Array | None


def _collect(table: Observations, chosen: PoliteOptions, where: str) -> _Data:
    judged, notes = literal_table(table)
    choices = check_choices(table.rows, where)
    check_literal(judged, _beside(table, where, "literal.csv"))
    layout = layout_of(choices, judged, where)
    counts = cube(choices, layout)
    check_total(float(table.rows["count"].astype(float).sum()), float(counts.sum()), where)
    negated = negations(layout.utterances, table.meta.get("negated"))
    without = note_without_negations(layout.utterances, negated)
    clustered, left_out = _clusters(table, choices, layout, chosen, where)
    known = known_clusters(table, choices, layout)
    notes = [*table.meta.get("notes", ()), *notes, *([without] if without else []), *left_out]
    yes, no = (square(judged, layout, c) for c in ("yes", "no"))
    placed = (
        _placed(table, layout, counts, _beside(table, where, "placed.csv"))
        if chosen.position_bias
        else None
    )
    literal = (yes + 1) / (yes + no + 2)
    along = direction_of(chosen.likelihood, negated, literal, layout.states)
    return _Data(layout, counts, yes, no, negated, placed, clustered, known, notes, along)


def _clusters(
    table: Observations, choices: pd.DataFrame, layout: Layout, chosen: PoliteOptions, where: str
) -> tuple[Clustered | None, tuple[str, ...]]:
    """The choices by cluster; None with a position bias, which needs independent answers."""
    if not chosen.position_bias:
        return read_clusters(table, choices, layout, chosen.likelihood, where)
    if chosen.likelihood in ("auto", "counts"):
        return None, ()
    raise WolvesError(
        f"position bias is estimated from independent answers, not by {chosen.likelihood}",
        where=where,
        fix="leave --position-bias out; or --likelihood counts",
    )


def _beside(table: Observations, where: str, name: str) -> str:
    """The file of a further table, for messages."""
    return str(Path(where).with_name(name)) if "path" in table.meta else where


def _placed(table: Observations, layout: Layout, counts: Array, file: str) -> Placed:
    labels = (layout.conditions, layout.utterances, layout.states)
    placed = read_placed(table, *labels, file)
    check_same(placed, counts, file)
    return placed


@dataclass(frozen=True)
class _Variant:
    """The parameters of a variant; ``has`` and ``simplex`` are 0 or 1 for each of UTILITIES.

    ``has`` marks the utilities of the speaker, ``simplex`` those with a share of the weights.
    """

    has: Sequence[int]
    simplex: Sequence[int]
    first_order: bool
    theta_free: bool

    @property
    def has_phi(self) -> bool:
        return bool(self.first_order or self.has[2])


def _variant(chosen: tuple[str, ...], three_way: bool, theta_free: bool) -> _Variant:
    first_order = chosen == (FIRST_ORDER,)
    has = [int(not first_order and u in chosen) for u in UTILITIES]
    simplex = [1, 1, 1] if three_way and not first_order else has
    return _Variant(has, simplex, first_order, theta_free)


def _stan_data(held: _Data, variant: _Variant, chosen: PoliteOptions) -> dict[str, Any]:
    priors: Priors = chosen.priors
    layout, counts, yes, no = held.layout, held.counts, held.yes, held.no
    data = {
        "U": len(layout.utterances),
        "S": len(layout.states),
        "C": len(layout.conditions),
        "counts": counts.tolist(),
        "total": np.rint(counts.sum(axis=1)).astype(int).tolist(),
        "has_utility": variant.has,
        "in_simplex": variant.simplex,
        "first_order": int(variant.first_order),
        "theta_free": int(variant.theta_free),
        "literal_yes": yes.tolist(),
        "literal_no": no.tolist(),
        "theta_given": ((yes + 1) / (yes + no + 2)).tolist(),
        "alpha_prior": list(map(float, priors.alpha or UNIFORM)),
        "cost_prior": list(map(float, priors.cost or UNIFORM)),
        "phi_prior": list(map(float, priors.phi)),
        "weight_prior": list(map(float, priors.weights)),
        "lapse_prior": list(map(float, priors.lapse)),
        "icc_prior": list(map(float, priors.icc)),
    }
    C, U, S = counts.shape
    none = np.zeros((0, C, S, U), dtype=np.int64)
    alike = stan_data(held.clustered.given if held.clustered else none, held.direction)
    placed = held.placed or no_orders(*counts.shape)
    recursion = recursion_data(layout, chosen.nodes or NODES, chosen.cost_form, held.negated)
    return data | alike | recursion | chosen.ends._asdict() | placed.data()


def _ranges(chosen: PoliteOptions) -> dict[str, Range]:
    """The ranges of priors that an option can widen."""
    most, least, dearest = chosen.ends
    named = "--ranges wide" if chosen.ends.alpha_upper <= ALPHA_UPPER else ""
    ends = f"--cost-lower {least - 10:g} --cost-upper {dearest + 10:g}"
    return {
        "alpha": Range(0.0, most, named or f"--alpha-upper {5 * most:g}", ("upper",)),
        "cost": Range(least, dearest, ends if (least, dearest) != COST_RANGE else named or ends),
    }


def recursion_data(
    layout: Layout, nodes: int, cost_form: CostForm, negated: Sequence[bool] | None = None
) -> dict[str, Any]:
    """Stan data of the recursion alone: values, negations, quadrature, cost, ranges."""
    node, weight = phi_quadrature(nodes)
    return {
        "value": [float(s) for s in layout.states],
        "negated": list(map(float, negated or negations(layout.utterances))),
        "Q": nodes,
        "node": node.tolist(),
        "node_weight": weight.tolist(),
        "cost_in_utility": int(cost_form == "utility"),
        "alpha_upper": ALPHA_UPPER,
        "cost_lower": COST_RANGE[0],
        "cost_upper": COST_RANGE[1],
    }


def _coords(held: _Data) -> dict[str, Sequence[Any]]:
    layout = held.layout
    coords: dict[str, Sequence[Any]] = {
        "condition": layout.conditions,
        "utterance": layout.utterances,
        "state": layout.states,
    }
    if held.placed:
        coords["place"] = range(1, len(layout.utterances) + 1)
    if held.clustered is not None:
        coords[held.clustered.name] = held.clustered.labels
    return coords


def _variables(held: _Data, variant: _Variant) -> tuple[Variable, ...]:
    C, U, S = held.counts.shape
    cells = (("condition", "state", "utterance"), (C, S, U))
    listed = [Variable("posterior", "alpha", "alpha"), Variable("posterior", "cost", "cost")]
    for j, utility in enumerate(UTILITIES):
        if variant.has[j]:
            listed.append(
                Variable("posterior", f"w_{utility}", "weights", ("condition",), (3, C), j)
            )
    if variant.has_phi:
        listed.append(Variable("posterior", "phi", "phi", ("condition",), (C,)))
    if held.placed:
        listed += [
            Variable("posterior", "place_bias", "place_bias", ("place",), (U,)),
            Variable("posterior", "predicted", "predicted", *cells),
        ]
    likelihood = Variable("log_likelihood", "counts", "log_lik", *cells)
    if held.clustered is not None:
        axes = (held.clustered.name, "condition", "state")
        shape = held.clustered.totals.shape
        likelihood = Variable("log_likelihood", CLUSTERED, "cluster_lik", axes, shape)
        if held.direction is not None:
            likelihood = Variable("log_likelihood", CLUSTERED, "whole_lik", axes[:1], shape[:1])
            listed.append(Variable("posterior", "item_sd", "item_sd", (), (1,), 0))
        listed += [
            Variable("posterior", "lapse", "lapse", (), (1,), 0),
            Variable("posterior", "icc", "icc", (), (1,), 0),
            Variable("posterior", "predicted", "predicted", *cells),
        ]
    listed.append(Variable("posterior", "theta", "theta", ("utterance", "state"), (U, S)))
    if variant.theta_free:
        listed.append(
            Variable(
                "log_likelihood_literal",
                "literal",
                "literal_log_lik",
                ("utterance", "state"),
                (U, S),
            )
        )
    listed += [
        Variable("posterior", "s2", "choice", *cells),
        Variable("posterior", "l1_state", "l1_state", ("utterance", "state"), (U, S)),
        Variable("posterior_predictive", "counts", "counts_rep", *cells),
        likelihood,
        Variable("log_prior", "lprior", "lprior"),
    ]
    return tuple(listed)


def _parts(held: _Data) -> dict[str, Sequence[str]]:
    """Clusters that can be left out as a whole; for a likelihood by cluster, only its own."""
    if held.placed:
        return {}
    left_out = held.known if held.clustered is None else (held.clustered,)
    return {one.name: one.labels for one in left_out}


def _without(held: _Data) -> Callable[[Mapping[str, Any], float], Mapping[str, Any]]:
    layout, counts = held.layout, held.counts
    axes = ("condition", "utterance", "state")
    labels = (layout.conditions, layout.utterances, layout.states)

    def without(part: Mapping[str, Any], most: float) -> Mapping[str, Any]:
        if held.clustered is not None:
            given = held.clustered.without(part, layout).given
            alike = stan_data(given, held.direction)
            return {"counts": given.sum(axis=0).transpose(0, 2, 1)} | alike
        for one in held.known:
            if one.name in part:
                given = one.without(part, layout).given
                return {"counts": given.sum(axis=0).transpose(0, 2, 1).astype(float)}
        at = tuple(
            own.index(part[axis]) if axis in part else slice(None)
            for axis, own in zip(axes, labels, strict=True)
        )
        left = counts.copy()
        left[at] = np.maximum(left[at] - most, 0.0)
        return {"counts": left.tolist()}

    return without


def _tempered(data: Mapping[str, Any]) -> Callable[[float], Mapping[str, Any]]:
    """The likelihood is a product over answers: its power is that of so many times the answers."""
    answers = ("counts", "placed", "literal_yes", "literal_no")
    by_cluster = ("times", "asked_times", "urn", "asked_each")

    def tempered(power: float) -> Mapping[str, Any]:
        return {name: power * np.asarray(data[name]) for name in answers + by_cluster}

    return tempered


def _theta_from_judgments(yes: Array, no: Array) -> Any:
    def impute(rng: np.random.Generator) -> Mapping[str, Any]:
        return {"theta_given": rng.beta(yes + 1, no + 1).clip(1e-12, 1 - 1e-12).tolist()}

    return impute
