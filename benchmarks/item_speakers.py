"""Simulated speakers whose answers to one item are alike, and how alike those of zhao2025 are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit

import many_wolves as mw
from many_wolves.contracts import Array, Observations, Problem
from many_wolves.families.politeness.model.clusters import draw, log_likelihood
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.simulation import simulate
from many_wolves.inference.evaluation.simulation_study import Simulated
from many_wolves.workflows.simulation import Trials

ITEM = {"literal": "fixed", "ranges": "models", "likelihood": "item"}
LAPSE = (0.0, 0.02, 0.05, 0.1)
MANY = 40
"""Times as many items, from which the true correlation within items is computed."""


@dataclass(frozen=True)
class Size:
    """How much the answers to the items of one speaker differ.

    Parameters
    ----------
    sd
        Standard deviation of the effects of item and utterance on the log-odds.
    icc
        Correlation of the answers to one item in one cell, beyond these effects.
    """

    sd: float
    icc: float


def size_of(given: Array) -> Size:
    """Estimate the two sizes from counts (items, conditions, states, utterances), by moments.

    An effect b of item and utterance moves the shares p of a cell by p (b - p.b), to first order.
    So the covariance of the shares between two cells is sd^2 times a known sum, and what the
    variance within cells has beyond that and beyond multinomial noise is the correlation.
    """
    totals = given.sum(axis=-1).reshape(len(given), -1, 1)
    shares = given.reshape(*totals.shape[:2], -1) / totals
    mean = shares.mean(axis=0)
    away = shares - mean
    covariance = np.einsum("icu,idu->cdu", away, away) / (len(given) - 1)
    slope = mean[:, :, None] * (np.eye(mean.shape[1]) - mean[:, None, :])
    per_unit = np.einsum("cuv,duv->cdu", slope, slope)
    between = ~np.eye(len(mean), dtype=bool)
    weight = per_unit[between]
    variance = max(0.0, float((covariance[between] * weight).sum() / (weight**2).sum()))
    noise = (mean * (1 - mean)).sum()
    within = (covariance - variance * per_unit)[~between].sum()
    answers = float(totals.mean())
    icc = (within / noise - 1 / answers) / (1 - 1 / answers)
    return Size(float(np.sqrt(variance)), max(0.0, float(icc)))


def sizes() -> dict[str, Size]:
    """The sizes of the nine speakers of zhao2025."""
    table = mw.data("zhao2025")
    given = {name: build(table.of(name), **ITEM).data["given"] for name in table.speakers}
    return {name: size_of(np.asarray(counts, dtype=float)) for name, counts in given.items()}


@dataclass(frozen=True)
class ItemTrials(Trials):
    """Simulates answers by item, and fits them with ``options``."""

    effects: str = "urn"
    sizes: Sequence[Size] = ()

    def simulate(self, rng: np.random.Generator) -> Simulated:
        problem = build(self.table, **ITEM)
        known = replace(simulate.from_prior(problem, rng), lapse=float(rng.choice(LAPSE)))
        size = self.sizes[rng.integers(len(self.sizes))]
        answered = answers_of(self.table, problem, known, size, rng)
        known = replace(known, icc=true_icc(problem, known, size, rng))
        names = ["alpha", "cost", "w_inf", "w_soc", "w_pres", "phi"]
        names += ["lapse", "icc"] if self.options["likelihood"] == "item" else []
        truth = simulate.truth(problem, known)
        return Simulated({name: truth[name] for name in names}, (answered, tuple(names)))

    def described(self) -> dict[str, Any]:
        own = [(one.sd, one.icc) for one in self.sizes]
        return super().described() | {"effects": self.effects, "sizes": own, "lapse": LAPSE}


def answers_of(
    table: Observations,
    problem: Problem,
    known: simulate.Known,
    size: Size,
    rng: np.random.Generator,
) -> Observations:
    """A table of the same design, with as many answers to each question."""
    each = answers(problem, known, size, totals_of(problem), rng)
    labels = tuple(problem.coords[axis] for axis in ("condition", "state", "utterance"))
    return table.having(counts=simulate._by_cluster(table, problem, each, labels))


def totals_of(problem: Problem) -> Array:
    """Numbers of answers (items, C, S)."""
    found: Array = np.asarray(problem.data["given"]).sum(axis=-1)
    return found


def answers(
    problem: Problem, known: simulate.Known, size: Size, totals: Array, rng: np.random.Generator
) -> Array:
    """Counts (items, C, S, U) of so many answers (items, C, S).

    Effects of items change the choices and not the lapses, which are uniform by definition.
    """
    choice = simulate.choice_probabilities(problem, known)
    effect = rng.normal(size=(len(totals), 1, 1, choice.shape[-1])) * size.sd
    each = choice * np.exp(effect)
    each /= each.sum(axis=-1, keepdims=True)
    shares = (1 - known.lapse) * each + known.lapse / choice.shape[-1]
    pairs = zip(totals, shares, strict=True)
    return np.stack([draw(n[None], p, size.icc, rng)[0] for n, p in pairs])


def true_icc(
    problem: Problem, known: simulate.Known, size: Size, rng: np.random.Generator
) -> float:
    """The icc that describes the answers to many items best, given the other parameters.

    With effects of items, the correlation differs between cells, so no single value is exact.
    """
    if size.sd == 0:
        return size.icc
    many = np.repeat(totals_of(problem), MANY, axis=0)
    given = answers(problem, known, size, many, rng)
    p = simulate.answer_probabilities(problem, known)
    best = minimize_scalar(
        lambda logit: -log_likelihood(given, p, float(expit(logit))), bounds=(-9, 4)
    )
    return float(expit(best.x))
