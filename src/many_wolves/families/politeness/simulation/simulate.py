"""Simulates data with known parameters and a real design, for recovery, calibration and power.

Parameters come from the prior or are given. Answers come from the recursion in
NumPy, which shares no code with the Stan program that is fitted to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import xlog1py, xlogy

from many_wolves.contracts import Array, Problem
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model import clusters, item_effects
from many_wolves.families.politeness.model.axes import literal_table
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.model.recursion import (
    Condition,
    Lexicon,
    by_order,
    phi_quadrature,
    speaker1,
    speaker2,
)
from many_wolves.families.politeness.options import FIRST_ORDER, OWN_MEANINGS, UTILITIES
from many_wolves.families.politeness.reading.clustering import CLUSTERED
from many_wolves.observations import Observations

Counts = npt.NDArray[np.int64]
NODES = 64
"""Number of quadrature nodes of the simulator: more than in the fits that it checks."""


def variants() -> dict[str, dict[str, Any]]:
    """Options of ``problem`` by the name of the variant.

    Seven subsets of utilities, S1, and literal meanings that the choices help to estimate.
    """
    subsets = [c for size in (3, 2, 1) for c in combinations(UTILITIES, size)]
    named: dict[str, dict[str, Any]] = {"+".join(s): {"utilities": s} for s in subsets}
    return named | {
        FIRST_ORDER: {"utilities": (FIRST_ORDER,)},
        OWN_MEANINGS: {"literal": "joint"},
    }


@dataclass(frozen=True)
class Known:
    """Parameters of one speaker.

    Parameters
    ----------
    alpha, cost
        Scalars.
    weights
        (3, C) shares of inf, soc, pres; zero where the variant lacks the utility.
    phi
        (C,) projected goal (of the first-order speaker: its goal).
    theta
        (U, S) probability that an utterance is true of a state.
    place_bias
        (U,) log-odds of each place of an option; sums to zero.
    lapse, icc
        Share of answers by chance, and correlation of the answers of a cluster to a cell.
    item_sd
        Standard deviation of the effects of items.
    """

    alpha: float
    cost: float
    weights: Array
    phi: Array
    theta: Array
    place_bias: Array
    lapse: float = 0.0
    icc: float = 0.0
    item_sd: float = 0.0


def from_prior(problem: Problem, rng: np.random.Generator) -> Known:
    """Draw parameters from the prior of a problem, with theta if the problem infers it."""
    data = problem.data
    C, U, S = data["C"], data["U"], data["S"]
    held = np.array(data["in_simplex"], dtype=bool)
    weights = np.zeros((3, C))
    if held.any():
        weights[held] = rng.dirichlet(np.array(data["weight_prior"])[held], size=C).T
    weights *= np.array(data["has_utility"])[:, None]
    return Known(
        alpha=data["alpha_upper"] * _beta(data["alpha_prior"], rng),
        cost=data["cost_lower"]
        + (data["cost_upper"] - data["cost_lower"]) * _beta(data["cost_prior"], rng),
        weights=weights,
        phi=_beta(data["phi_prior"], rng, C),
        theta=rng.uniform(size=(U, S)) if data["theta_free"] else np.array(data["theta_given"]),
        place_bias=_centred(rng.normal(size=U)) if data["O"] else np.zeros(U),
        lapse=_beta(data["lapse_prior"], rng) if data["J"] else 0.0,
        icc=_beta(data["icc_prior"], rng) if data["J"] else 0.0,
        item_sd=float(rng.exponential(data["item_sd_prior"])) if data["E"] else 0.0,
    )


def _beta(shape: Sequence[float], rng: np.random.Generator, size: int | None = None) -> Any:
    return rng.beta(shape[0], shape[1], size)


def _centred(values: Array) -> Array:
    """Normal draws given that they sum to zero."""
    centred: Array = values - values.mean()
    return centred


def choice_probabilities(problem: Problem, known: Known) -> Array:
    """P(u | s), shape (C, S, U), from the NumPy recursion."""
    data = problem.data
    lexicon = Lexicon(
        known.theta, np.array(data["negated"], dtype=bool), np.array(data["value"], dtype=float)
    )
    cost_form = problem.options["cost_form"]
    if data["first_order"]:
        return speaker1(lexicon, known.alpha, known.cost, known.phi, cost_form)
    conditions = [
        Condition(float(w[0]), float(w[1]), float(w[2]), float(phi))
        for w, phi in zip(known.weights.T, known.phi, strict=True)
    ]
    return speaker2(
        lexicon, known.alpha, known.cost, conditions, *phi_quadrature(NODES), cost_form=cost_form
    )


def answer_probabilities(problem: Problem, known: Known) -> Array:
    """P(u | s) with lapses, of an item without an effect, shape (C, S, U)."""
    probabilities = choice_probabilities(problem, known)
    found: Array = (1 - known.lapse) * probabilities + known.lapse / problem.data["U"]
    return found


def log_likelihood(problem: Problem, known: Known) -> float:
    """Log-likelihood of the choices, and of the literal judgments if they are modelled."""
    counts, _ = _counts(problem)
    probabilities = answer_probabilities(problem, known)
    if problem.data["E"]:
        total = item_effects.log_likelihood(
            np.asarray(problem.data["given"]),
            choice_probabilities(problem, known),
            problem.data["direction"],
            known.lapse,
            known.icc,
            known.item_sd,
        )
        return total + _judged_likelihood(problem, known)
    if problem.data["J"]:
        given = np.asarray(problem.data["given"])
        total = clusters.log_likelihood(given, probabilities, known.icc)
        return total + _judged_likelihood(problem, known)
    if problem.data["O"]:
        counts = np.array(problem.data["placed"]).transpose(0, 1, 3, 2)
        probabilities = by_order(probabilities, known.place_bias, _place(problem))
    with np.errstate(divide="ignore"):
        total = float(xlogy(counts, probabilities).sum())
    return total + _judged_likelihood(problem, known)


def _judged_likelihood(problem: Problem, known: Known) -> float:
    """Log-likelihood of the literal judgments; zero if they are not modelled."""
    if not problem.data["theta_free"]:
        return 0.0
    yes, no = (np.array(problem.data[f"literal_{name}"]) for name in ("yes", "no"))
    return float(xlogy(yes, known.theta).sum() + xlog1py(no, -known.theta).sum())


def simulate(
    table: Observations, known: Known, rng: np.random.Generator, **options: Any
) -> Observations:
    """A table of the same design with answers from ``known``.

    The numbers of answers in every condition and state are those of ``table``, as are the
    judgments of every utterance and state. Expected counts are rounded.
    Judgments are drawn only if the problem models them.
    """
    problem = build(table, **options)
    counts, labels = _counts(problem)
    totals = np.rint(counts.sum(axis=2)).astype(int)
    probabilities = answer_probabilities(problem, known)
    aside = dict(table.aside)
    main: pd.DataFrame | None = None
    if problem.data["J"]:
        each = _drawn(problem, known, probabilities, rng)
        drawn = each.sum(axis=0)
        by_cluster = _by_cluster(table, problem, each, labels)
        if CLUSTERED in aside:
            aside[CLUSTERED] = by_cluster
        else:
            main = by_cluster
    elif problem.data["O"]:
        asked = np.array(problem.data["placed_total"])
        pulled = by_order(probabilities, known.place_bias, _place(problem))
        by_orders = rng.multinomial(asked, pulled)
        aside["placed"] = _placed(table, by_orders, _place(problem), labels)
        drawn = by_orders.sum(axis=0)
    else:
        drawn = rng.multinomial(totals, probabilities)
    frame = _framed(table, drawn, labels) if main is None else main
    if problem.data["theta_free"]:
        aside["literal"] = _judged(table, problem, known, rng)
    else:
        aside["literal"] = literal_table(table)[0]
    return replace(table, tables={**aside, "counts": frame})


def _drawn(
    problem: Problem, known: Known, probabilities: Array, rng: np.random.Generator
) -> Counts:
    """Choices (J, C, S, U) of as many answers as the clusters of the problem gave."""
    totals = np.asarray(problem.data["given"]).sum(axis=-1)
    if not problem.data["E"]:
        return clusters.draw(totals, probabilities, known.icc, rng)
    choice, along = choice_probabilities(problem, known), problem.data["direction"]
    return item_effects.draw(totals, choice, along, known.lapse, known.icc, known.item_sd, rng)


def truth(problem: Problem, known: Known) -> dict[str, Any]:
    """True values under the names that ``draws`` uses."""
    names: dict[str, Any] = {"alpha": known.alpha, "cost": known.cost}
    shared = sum(problem.data["in_simplex"]) > 1
    for j, utility in enumerate(UTILITIES):
        if problem.data["has_utility"][j] and shared:
            names[f"w_{utility}"] = known.weights[j]
    if problem.data["has_utility"][2] or problem.data["first_order"]:
        names["phi"] = known.phi
    if problem.data["theta_free"]:
        names["theta"] = known.theta
    if problem.data["O"]:
        names["place_bias"] = known.place_bias
    if problem.data["J"]:
        names |= {"lapse": known.lapse, "icc": known.icc}
    if problem.data["E"]:
        names["item_sd"] = known.item_sd
    return names | {"log_lik": log_likelihood(problem, known)}


def draws(tree: Any, names: Sequence[str]) -> dict[str, Array]:
    """Posterior draws (chains, draws, ...) of ``names``, from the DataTree of a fit."""
    posterior = tree["posterior"].to_dataset()
    found = {name: posterior[name].to_numpy() for name in names if name != "log_lik"}
    if "log_lik" in names:
        groups = [g for g in ("log_likelihood", "log_likelihood_literal") if g in tree.children]
        parts = [v for g in groups for v in tree[g].to_dataset().data_vars.values()]
        summed = [part.sum([d for d in part.dims if d not in ("chain", "draw")]) for part in parts]
        found["log_lik"] = sum(part.to_numpy() for part in summed)
    return found


def from_json(record: Mapping[str, Any], problem: Problem) -> Known:
    """Read parameters: alpha, cost, weights by condition; theta is that of the problem.

    Raises
    ------
    WolvesError
        If a condition of the table has no weights, or a field is missing.
    """
    conditions = list(problem.coords["condition"])
    try:
        given = [record["weights"][name] for name in conditions]
        return Known(
            alpha=float(record["alpha"]),
            cost=float(record["cost"]),
            weights=np.array([[float(w[f"w_{u}"]) for w in given] for u in UTILITIES]),
            phi=np.array([float(w.get("phi", 0.5)) for w in given]),
            theta=np.array(record.get("theta", problem.data["theta_given"]), dtype=float),
            place_bias=_centred(
                np.array(record.get("place_bias", np.zeros(problem.data["U"])), dtype=float)
            ),
            lapse=float(record.get("lapse", 0.0)) if problem.data["J"] else 0.0,
            icc=float(record.get("icc", 0.0)) if problem.data["J"] else 0.0,
            item_sd=float(record.get("item_sd", 0.0)) if problem.data["E"] else 0.0,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WolvesError(
            f"a field of the given parameters is missing or invalid: {error}; conditions of the "
            f"table: {', '.join(map(str, conditions))}",
            fix='give {"alpha": 5, "cost": 3, "weights": {"informative": '
            '{"w_inf": 0.4, "w_soc": 0.1, "w_pres": 0.5, "phi": 0.5}}}, every condition in it',
        ) from error


def _counts(problem: Problem) -> tuple[Array, tuple[Sequence[Any], ...]]:
    """Counts (C, S, U) and the labels of their axes."""
    axes, values = problem.observed["counts"]
    return np.asarray(values), tuple(problem.coords[axis] for axis in axes)


def _framed(table: Observations, drawn: Counts, labels: tuple[Sequence[Any], ...]) -> pd.DataFrame:
    """Counts with the factors of ``table``, every cell that was asked filled in."""
    conditions, states, utterances = labels
    speaker = table.rows["speaker"].iloc[0]
    framed = "framing" in table.rows and table.rows["framing"].nunique() > 1
    only = table.rows["framing"].iloc[0] if "framing" in table.rows and not framed else ""
    rows = []
    for c, condition in enumerate(conditions):
        goal, _, framing = str(condition).partition("/")
        for s, state in enumerate(states):
            for u, utterance in enumerate(utterances):
                rows.append((speaker, goal, framing or only, state, utterance, drawn[c, s, u]))
    columns = ["speaker", "goal", "framing", "state", "utterance", "count"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame if "framing" in table.rows else frame.drop(columns="framing")


def _by_cluster(
    table: Observations, problem: Problem, each: Counts, labels: tuple[Sequence[Any], ...]
) -> pd.DataFrame:
    """Choices (J, C, S, U) with a column for the cluster."""
    name = problem.outcome.cluster
    parts = [
        _framed(table, one, labels).assign(**{name: label})
        for label, one in zip(problem.coords[name], each, strict=True)
    ]
    joined = pd.concat(parts, ignore_index=True)
    return joined[["speaker", name, *(c for c in joined if c not in ("speaker", name))]]


def _place(problem: Problem) -> npt.NDArray[np.int64]:
    """(O, U) places from zero."""
    return np.array(problem.data["place"], dtype=np.int64) - 1


def _placed(
    table: Observations,
    drawn: Counts,
    place: npt.NDArray[np.int64],
    labels: tuple[Sequence[Any], ...],
) -> pd.DataFrame:
    """Choices (O, C, S, U) as the table ``placed``."""
    parts = []
    for o, counts in enumerate(drawn):
        part = _framed(table, counts, labels)
        places = dict(zip(labels[2], place[o] + 1, strict=True))
        parts.append(part.assign(order=o + 1, place=part["utterance"].map(places)))
    columns = ["speaker", "goal", "framing", "state", "order", "utterance", "place", "count"]
    joined = pd.concat(parts, ignore_index=True)
    return joined[[c for c in columns if c in joined]]


def _judged(
    table: Observations, problem: Problem, known: Known, rng: np.random.Generator
) -> pd.DataFrame:
    _, n = problem.observed["literal_n"]
    yes = rng.binomial(np.rint(n).astype(int), known.theta)
    speaker = table.rows["speaker"].iloc[0]
    rows = [
        (speaker, utterance, state, int(yes[u, s]), int(np.rint(n[u, s])))
        for u, utterance in enumerate(problem.coords["utterance"])
        for s, state in enumerate(problem.coords["state"])
    ]
    return pd.DataFrame(rows, columns=["speaker", "utterance", "state", "yes", "n"])
