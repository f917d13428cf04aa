"""The polite speaker as a cognitive model: choices to Stan data, draws to named weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from many_wolves.contracts import (
    Alternative,
    Array,
    CognitiveModel,
    Parameter,
    Problem,
    Variable,
)
from many_wolves.errors import WolvesError
from many_wolves.families.politeness import human
from many_wolves.families.politeness.placing import Placed, check_same, no_orders, read_placed
from many_wolves.families.politeness.recursion import CostForm, gauss_legendre, is_negation
from many_wolves.families.politeness.validate import check_choices, check_literal, one_answer
from many_wolves.files import shipped
from many_wolves.records import ChoiceTable

LiteralTreatment = Literal["joint", "cut", "fixed"]
UTILITIES = ("inf", "soc", "pres")
FIRST_ORDER = "s1"
"""In place of utilities: the choices come from the first-order speaker S1."""
NODES = 32
"""Gauss-Legendre nodes: over the human posterior S2 is within 1e-6 of that with 200 nodes."""
FINE_NODES = 200
"""Nodes that show what the quadrature leaves out."""
ALPHA_UPPER = 20.0
COST_RANGE = (1.0, 10.0)
PROGRAM = "rsa-model/stan_model/politeness.stan"


@dataclass(frozen=True)
class Priors:
    """Shapes of the priors; all ones are those of the paper.

    ``alpha`` and ``cost`` are Beta on their share of (0, 20) and (1, 10), ``phi``
    is Beta, ``weights`` Dirichlet over (inf, soc, pres).
    """

    alpha: tuple[float, float] = (1.0, 1.0)
    cost: tuple[float, float] = (1.0, 1.0)
    phi: tuple[float, float] = (1.0, 1.0)
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Layout:
    """Labels of the axes of one fit."""

    utterances: tuple[str, ...]
    states: tuple[int, ...]
    conditions: tuple[str, ...]

    @property
    def cells(self) -> list[str]:
        """``utterance/state``, the states within each utterance."""
        return [f"{u}/{s}" for u in self.utterances for s in self.states]


class PoliteSpeaker:
    """Second-order pragmatic speaker of Yoon et al. (2020), all variants."""

    name: str = "polite-speaker"
    tasks: tuple[str, ...] = ("politeness",)
    takes: tuple[str, ...] = (
        "literal",
        "utilities",
        "cost_form",
        "weights_form",
        "nodes",
        "position_bias",
    )
    parameters: tuple[Parameter, ...] = (
        Parameter("w_inf", "share", "Dirichlet(1, 1, 1)", "weight of being informative"),
        Parameter("w_soc", "share", "Dirichlet(1, 1, 1)", "weight of being kind"),
        Parameter("w_pres", "share", "Dirichlet(1, 1, 1)", "weight of how it wants to be seen"),
        Parameter("phi", "share", "U(0, 1)", "projected goal: 1 informative, 0 kind"),
        Parameter("alpha", "inverse utility", "U(0, 20)", "speaker optimality"),
        Parameter("cost", "nats", "U(1, 10)", "cost of a negation; other utterances cost 1"),
        Parameter("theta", "probability", "U(0, 1)", "that an utterance is true of a state"),
        Parameter(
            "place_bias", "log-odds", "normal(0, 1), sum zero", "pull of the place of an option"
        ),
    )

    def problem(self, table: ChoiceTable, **options: Any) -> Problem:
        """Stan data for one speaker.

        Parameters
        ----------
        table
            Choices of one speaker, with its literal judgments in ``aside``; those
            of people are taken where it has none.
        literal
            ``joint``, ``cut`` or ``fixed``.
        utilities
            Non-empty subset of inf, soc, pres; or ``("s1",)``.
        cost_form
            ``prior`` (reference implementation) or ``utility`` (equation of the paper).
        weights_form
            ``normalised`` over the utilities at hand, or ``three-way`` as published.
        nodes, priors
            Quadrature nodes and ``Priors``.
        position_bias
            Whether each place in the list of options has log-odds of its own.

        Raises
        ------
        WolvesError
            If the table cannot be fitted; the message says why and what to do.
        """
        return build(table, **options)

    def alternatives(self, **options: Any) -> Mapping[str, Alternative]:
        """Form of the cost, priors of phi and the weights, quadrature."""
        form: CostForm = "prior" if options.get("cost_form") == "utility" else "utility"
        where = "inside alpha * (...)" if form == "utility" else "beside alpha * utility"
        given = options.get("priors") or Priors()
        return {
            f"cost: {form}": Alternative({"cost_form": form}, f"the cost stands {where}"),
            "phi ~ Beta(2, 2)": Alternative(
                {"priors": replace(given, phi=(2.0, 2.0))}, "phi is likely in the middle"
            ),
            "phi ~ Beta(.5, .5)": Alternative(
                {"priors": replace(given, phi=(0.5, 0.5))}, "phi is likely at an end"
            ),
            "w ~ Dirichlet(2)": Alternative(
                {"priors": replace(given, weights=(2.0, 2.0, 2.0))}, "even weights are likely"
            ),
            "200 nodes": Alternative(
                {"nodes": FINE_NODES}, "the integral over phi has 200 quadrature nodes"
            ),
        }

    def variants(self) -> Mapping[str, Mapping[str, Any]]:
        """The seven subsets of utilities, the full model first, and the first-order speaker."""
        return _simulate().variants()  # type: ignore[no-any-return]

    def simulate(
        self,
        table: ChoiceTable,
        rng: np.random.Generator,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> tuple[Mapping[str, Any], ChoiceTable]:
        """True parameters, and a table of the same design answered with them."""
        parts = _simulate()
        problem = build(table, **options)
        known = parts.from_prior(problem, rng) if given is None else parts.from_json(given, problem)
        answered = parts.simulate(table, known, rng, **options)
        return parts.truth(build(answered, **options), known), answered

    def draws(self, tree: Any, names: Sequence[str]) -> Mapping[str, Array]:
        """Posterior draws (chains, draws, ...) of parameters named as ``simulate`` names them."""
        return _simulate().draws(tree, names)  # type: ignore[no-any-return]


def _simulate() -> Any:
    # Later, because simulating needs the problems of this module.
    from many_wolves.families.politeness import simulate

    return simulate


def build(
    table: ChoiceTable,
    *,
    literal: LiteralTreatment = "joint",
    utilities: Sequence[str] = UTILITIES,
    cost_form: CostForm = "prior",
    weights_form: Literal["normalised", "three-way"] = "normalised",
    nodes: int = NODES,
    priors: Priors | None = None,
    position_bias: bool = False,
) -> Problem:
    """See ``PoliteSpeaker.problem``."""
    given = priors or Priors()
    chosen = check_utilities(utilities)
    judged, notes = literal_table(table)
    where = str(table.meta.get("path", "the choice table"))
    choices = check_choices(table.counts, where)
    check_literal(
        judged, str(Path(where).with_name("literal.csv")) if "path" in table.meta else where
    )
    layout = layout_of(choices, judged, where)
    counts = cube(choices, layout)
    yes, no = (square(judged, layout, c) for c in ("yes", "no"))
    placed = _placed(table, layout, counts, where) if position_bias else None
    first_order = chosen == (FIRST_ORDER,)
    has = [int(not first_order and u in chosen) for u in UTILITIES]
    simplex = [int(weights_form == "three-way" and not first_order)] * 3
    simplex = simplex if any(simplex) else has
    size = _size(layout, literal, has, simplex, first_order)
    size += len(layout.utterances) - 1 if placed else 0
    node, weight = gauss_legendre(nodes)
    data = {
        "U": len(layout.utterances),
        "S": len(layout.states),
        "C": len(layout.conditions),
        "value": [float(s) for s in layout.states],
        "negated": [float(is_negation(u)) for u in layout.utterances],
        "counts": counts.tolist(),
        "total": np.rint(counts.sum(axis=1)).astype(int).tolist(),
        "has_utility": has,
        "in_simplex": simplex,
        "first_order": int(first_order),
        "theta_free": int(literal == "joint"),
        "literal_yes": yes.tolist(),
        "literal_no": no.tolist(),
        "theta_given": ((yes + 1) / (yes + no + 2)).tolist(),
        "Q": nodes,
        "node": node.tolist(),
        "node_weight": weight.tolist(),
        "cost_in_utility": int(cost_form == "utility"),
        "alpha_upper": ALPHA_UPPER,
        "cost_lower": COST_RANGE[0],
        "cost_upper": COST_RANGE[1],
        "alpha_prior": list(map(float, given.alpha)),
        "cost_prior": list(map(float, given.cost)),
        "phi_prior": list(map(float, given.phi)),
        "weight_prior": list(map(float, given.weights)),
        "likelihood_on": 1,
        "keep": 1,
        "D": size,
    } | (placed or no_orders(*counts.shape)).data()
    return Problem(
        model=PoliteSpeaker.name,
        family=table.family,
        speaker=str(table.counts["speaker"].iloc[0]),
        program=shipped(PROGRAM),
        data=data,
        size=size,
        coords=_coords(layout, placed is not None),
        variables=_variables(data, has, first_order),
        observed={
            "counts": (("condition", "state", "utterance"), counts.transpose(0, 2, 1)),
            "literal_yes": (("utterance", "state"), yes),
            "literal_n": (("utterance", "state"), yes + no),
        },
        impute=_theta_from_judgments(yes, no) if literal == "cut" else None,
        without=None if placed or literal == "cut" else _without(layout, counts),
        options={
            "literal": literal,
            "utilities": list(chosen),
            "cost_form": cost_form,
            "weights_form": weights_form,
            "nodes": nodes,
            "priors": vars(given),
        }
        | ({"position_bias": True} if placed else {}),
        notes=tuple(notes),
        refused=one_answer(counts, layout.utterances, where) if literal == "joint" else None,
    )


def _without(
    layout: Layout, counts: Array
) -> Callable[[Mapping[str, Any], float], Mapping[str, Any]]:
    axes = ("condition", "utterance", "state")
    labels = (layout.conditions, layout.utterances, layout.states)

    def without(part: Mapping[str, Any], most: float) -> Mapping[str, Any]:
        at = tuple(
            own.index(part[axis]) if axis in part else slice(None)
            for axis, own in zip(axes, labels, strict=True)
        )
        left = counts.copy()
        left[at] = np.maximum(left[at] - most, 0.0)
        return {"counts": left.tolist()}

    return without


def _coords(layout: Layout, placed: bool) -> dict[str, Sequence[Any]]:
    coords: dict[str, Sequence[Any]] = {
        "condition": layout.conditions,
        "utterance": layout.utterances,
        "state": layout.states,
    }
    return coords | ({"place": range(1, len(layout.utterances) + 1)} if placed else {})


def _placed(table: ChoiceTable, layout: Layout, counts: Array, where: str) -> Placed:
    file = str(Path(where).with_name("placed.csv")) if "path" in table.meta else where
    labels = (layout.conditions, layout.utterances, layout.states)
    placed = read_placed(table, *labels, file)
    check_same(placed, counts, file)
    return placed


def literal_table(table: ChoiceTable) -> tuple[pd.DataFrame, list[str]]:
    """The literal judgments to use, and a note where they are not the speaker's own."""
    own = table.aside.get("literal")
    if own is not None and len(own) and not ("n" in own and (own["n"] == 0).all()):
        return own, []
    return human.literal_counts(), [
        "The speaker gave no literal judgments of its own; those of 49 people "
        f"({human.CITATION}) stand in for them."
    ]


def check_utilities(utilities: Sequence[str]) -> tuple[str, ...]:
    """The utilities in their order; WolvesError unless they are a subset, or s1 alone."""
    chosen = tuple(u for u in (*UTILITIES, FIRST_ORDER) if u in set(utilities))
    unknown = [u for u in utilities if u not in (*UTILITIES, FIRST_ORDER)]
    if unknown or not chosen or (FIRST_ORDER in chosen and len(chosen) > 1):
        raise WolvesError(
            "expected a non-empty subset of inf, soc, pres, or s1 alone; "
            f"found {', '.join(utilities) or 'nothing'}",
            mend="--utilities inf,soc,pres",
        )
    return chosen


def layout_of(choices: pd.DataFrame, judged: pd.DataFrame, where: str) -> Layout:
    """Axes of choices and judgments; WolvesError where these do not fit each other."""
    utterances = tuple(sorted(set(choices["utterance"]), key=human.order))
    states = tuple(sorted({int(s) for s in choices["state"]} | {int(s) for s in judged["state"]}))
    missing = set(utterances) - set(judged["utterance"])
    if missing:
        first = int(choices["utterance"].isin(list(missing)).to_numpy().argmax())
        raise WolvesError(
            f"unknown utterance: no literal judgments for {', '.join(sorted(missing))}",
            where=where,
            line=int(choices["row"].iloc[first]) + 2,
            column="utterance",
            mend="correct its spelling; or collect the literal task for them "
            "(`wolves compile --task literal`), or give their judgments in literal.csv "
            "(utterance,state,yes,n) beside the counts",
        )
    if len(utterances) < 2:
        raise WolvesError(
            "a choice needs two utterances or more; found one",
            where=where,
            column="utterance",
            mend="keep the rows of utterances that were offered and never chosen, with count 0",
        )
    if len(states) < 2:
        raise WolvesError(
            "with one state only there is nothing to be informative about",
            where=where,
            column="state",
            mend="collect choices in two states or more",
        )
    unjudged = {s for s in states if s not in {int(v) for v in judged["state"]}}
    if unjudged:
        raise WolvesError(
            f"no literal judgments for state {', '.join(map(str, sorted(unjudged)))}",
            where=where,
            column="state",
            mend="give literal judgments on the same scale as the choices, in literal.csv "
            "(utterance,state,yes,n) beside the counts",
        )
    return Layout(utterances, states, tuple(dict.fromkeys(choices["condition"])))


def cube(choices: pd.DataFrame, layout: Layout) -> Array:
    """(C, U, S) counts; zero where there is no row."""
    index = pd.MultiIndex.from_product(
        [layout.conditions, layout.utterances, layout.states],
        names=["condition", "utterance", "state"],
    )
    summed = choices.groupby(["condition", "utterance", "state"])["count"].sum()
    shape = tuple(map(len, (layout.conditions, layout.utterances, layout.states)))
    found: Array = summed.reindex(index, fill_value=0.0).to_numpy(dtype=float).reshape(shape)
    return found


def square(judged: pd.DataFrame, layout: Layout, column: str) -> Array:
    """(U, S) yes-counts, no-counts or judgments of the literal task."""
    frame = judged.assign(no=judged["n"] - judged["yes"], state=judged["state"].astype(int))
    index = pd.MultiIndex.from_product([layout.utterances, layout.states])
    summed = frame.groupby(["utterance", "state"])[column].sum()
    found: Array = summed.reindex(index, fill_value=0.0).to_numpy(dtype=float)
    return found.reshape(len(layout.utterances), len(layout.states))


def _size(
    layout: Layout,
    literal: LiteralTreatment,
    has: Sequence[int],
    simplex: Sequence[int],
    first_order: bool,
) -> int:
    conditions = len(layout.conditions)
    theta = len(layout.utterances) * len(layout.states) if literal == "joint" else 0
    ratios = conditions * max(0, sum(simplex) - 1)
    return theta + 2 + ratios + (conditions if first_order or has[2] else 0)


def _theta_from_judgments(yes: Array, no: Array) -> Any:
    def impute(rng: np.random.Generator) -> Mapping[str, Any]:
        return {"theta_given": rng.beta(yes + 1, no + 1).clip(1e-12, 1 - 1e-12).tolist()}

    return impute


def _variables(
    data: Mapping[str, Any], has: Sequence[int], first_order: bool
) -> tuple[Variable, ...]:
    C, U, S = data["C"], data["U"], data["S"]
    cells = (("condition", "state", "utterance"), (C, S, U))
    listed = [Variable("posterior", "alpha", "alpha"), Variable("posterior", "cost", "cost")]
    for j, utility in enumerate(UTILITIES):
        if has[j]:
            listed.append(
                Variable("posterior", f"w_{utility}", "weights", ("condition",), (3, C), j)
            )
    if first_order or has[2]:
        listed.append(Variable("posterior", "phi", "phi", ("condition",), (C,)))
    if data["O"]:
        listed += [
            Variable("posterior", "place_bias", "place_bias", ("place",), (U,)),
            Variable("posterior", "predicted", "predicted", *cells),
        ]
    listed.append(Variable("posterior", "theta", "theta", ("utterance", "state"), (U, S)))
    if data["theta_free"]:
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
        Variable("log_likelihood", "counts", "log_lik", *cells),
        Variable("log_prior", "lprior", "lprior"),
    ]
    return tuple(listed)


def models() -> Mapping[str, CognitiveModel]:
    """The family's cognitive models by name."""
    from many_wolves.families.politeness.hierarchy import PoliteHierarchy

    return {PoliteSpeaker.name: PoliteSpeaker(), PoliteHierarchy.name: PoliteHierarchy()}
