"""The knowledge about a speaker before its next answers: draws, and the quantities at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from many_wolves.cognitive import AnswerKind
from many_wolves.contracts import Array, Problem
from many_wolves.errors import WolvesError
from many_wolves.inference.engines.protocol import Model, Program
from many_wolves.inference.evaluation.information import Evaluate, Knowledge, Values
from many_wolves.inference.sampling.datatree import shaped
from many_wolves.inference.sampling.modes import gaussian_at_modes, possible_starts
from many_wolves.inference.settings import LARGEST_SEED, ChainSettings
from many_wolves.sources import nearest

DRAWS = 24
"""Draws at which the information is evaluated; its mean hardly changes with more."""
MANY = 600
"""Draws for widths and covariances."""
CHAINS, DELTA, DEPTH = 4, 0.8, 8
"""Short chains. Importance weights of Gaussians at the modes left few effective draws, and
standard deviations that were far too small."""
AGREED = 1.1
"""R-hat below which short chains agree."""


@dataclass(frozen=True)
class Effort:
    """Warmup iterations, and draws, of each short chain."""

    warmup: int = 200
    draws: int = 300


USUAL = Effort()
TAIL = 0.025
"""Share of the posterior on each side of an interval."""

Target = tuple[str, str]
"""Parameter and condition, as in the summary of a fit."""


@dataclass(frozen=True)
class Known:
    """The knowledge about one speaker.

    Parameters
    ----------
    targets
        Target parameters and conditions of the design.
    kinds
        Names of the kinds of questions, in the order of ``knowledge``.
    knowledge
        For the choice of the next answers; the targets come first.
    mean, sd, low, high
        (T,) posterior mean, standard deviation, and ends of the central 95 % interval.
    reliable
        Whether they can be trusted: they come from a fit, or from short chains that agree.
    """

    targets: tuple[Target, ...]
    kinds: tuple[str, ...]
    knowledge: Knowledge
    mean: Array
    sd: Array
    low: Array
    high: Array
    reliable: bool

    @property
    def width(self) -> Array:
        """(T,) widths of the 95 % intervals."""
        return self.high - self.low


def targets_of(problem: Problem, about: Sequence[str]) -> tuple[Target, ...]:
    """Parse targets such as ``w_inf`` or ``w_inf:social`` into parameters and conditions.

    Raises
    ------
    WolvesError
        If there is no such parameter or condition.
    """
    labels = {
        v.name: ["/".join(map(str, at)) for at in product(*(problem.coords[d] for d in v.dims))]
        for v in problem.variables
        if v.group == "posterior"
    }
    found: dict[Target, None] = {}
    for words in about:
        name, colon, condition = words.partition(":")
        if name not in labels:
            raise WolvesError(
                f"the model {problem.model!r} has no parameter {name!r} for these questions",
                fix=nearest(name, list(labels)),
            )
        if colon and condition not in labels[name]:
            raise WolvesError(
                f"{name} has no condition {condition!r}",
                fix=nearest(condition, labels[name]) if labels[name][0] else f"--about {name}",
            )
        found |= dict.fromkeys((name, one) for one in labels[name] if not colon or one == condition)
    return tuple(found)


def companions_of(
    problem: Problem, targets: Sequence[Target], together: Sequence[Sequence[str]]
) -> dict[Target, int]:
    """Find the other parameters of the targets' groups, and which target each follows."""
    known = {v.name for v in problem.variables if v.group == "posterior"}
    found: dict[Target, int] = {}
    for n, (name, condition) in enumerate(targets):
        for group in together:
            others = [(other, condition) for other in group if name in group and other in known]
            for other in others:
                if other not in targets:
                    found.setdefault(other, n)
    return found


def learn(
    problem: Problem,
    program: Program,
    kinds: Mapping[str, AnswerKind],
    about: Sequence[str],
    rng: np.random.Generator,
    x: Array | None = None,
    earlier: tuple[Array, Sequence[Sequence[int]]] | None = None,
    together: Sequence[Sequence[str]] = (),
) -> Known:
    """Compute the knowledge about a speaker.

    Parameters
    ----------
    problem, program
        The problem of the answers so far, or of the questions before any answer.
    kinds
        Kinds of questions that can be asked.
    about
        Target parameters.
    x
        (draws, D) draws of the posterior on the unconstrained scale; by default those of short
        chains.
    earlier
        (D, D) prior covariance of the parameters, and the answers so far as ``Knowledge`` takes
        them. None if there are no answers.
    together
        Groups of parameters that trade off. Greedy choices for one of a group alone need more
        answers than choices for all of it (``benchmarks/adaptive.py``).
    """
    targets = targets_of(problem, about)
    beside = companions_of(problem, targets, together)
    named = len(targets)
    reliable = True
    if x is None:
        x, reliable = drawn(problem, program, rng)
    with program.open(problem.data) as model:
        evaluate = evaluator(problem, model, kinds, (*targets, *beside))
        rows = x[rng.choice(len(x), min(MANY, len(x)), replace=False)]
        values = evaluate(rows).targets
        low, high = np.quantile(values, (TAIL, 1 - TAIL), axis=0)
        covariance, levels = earlier or (covariance_of(x), ())
        leads = (*range(named), *beside.values())
        knowledge = Knowledge(rows[:DRAWS], covariance, evaluate, high - low, levels, leads)
    own = values[:, :named]
    return Known(
        targets,
        tuple(kinds),
        knowledge,
        own.mean(axis=0),
        own.std(axis=0),
        low[:named],
        high[:named],
        reliable,
    )


def covariance_of(x: Array) -> Array:
    """(D, D) covariance of draws (draws, D)."""
    found: Array = np.cov(x.T, dtype=np.float64) + 1e-9 * np.eye(x.shape[1])
    return found


def covariance_before(problem: Problem, program: Program, rng: np.random.Generator) -> Array:
    """(D, D) covariance of the parameters in the problem of some questions before any answer."""
    return covariance_of(drawn(problem, program, rng)[0])


def evaluator(
    problem: Problem, model: Model, kinds: Mapping[str, AnswerKind], targets: Sequence[Target]
) -> Evaluate:
    """The quantities of a program at points, by the names of the problem."""
    names = model.quantity_names
    known = {v.name: v for v in problem.variables if v.group == "posterior"}
    needed = {name for name, _ in targets} | {kind.variable for kind in kinds.values()}
    needed |= {kind.correlation for kind in kinds.values() if kind.correlation}
    places = {
        name: list(product(*(map(str, problem.coords[d]) for d in known[name].dims)))
        for name, _ in targets
    }

    def evaluate(x: Array) -> Values:
        written = model.quantities(x, 1)[None]
        values = {name: shaped(names, written, known[name])[0] for name in needed}
        rows = len(x)
        wanted = []
        for name, label in targets:
            at = ["/".join(place) for place in places[name]].index(label)
            wanted.append(values[name].reshape(rows, -1)[:, at])
        answers, correlations = [], []
        for kind in kinds.values():
            p = values[kind.variable][(slice(None), *kind.at)]
            answers.append(np.stack([p, 1 - p], axis=1) if kind.binary else p)
            alike = values[kind.correlation] if kind.correlation else np.zeros(rows)
            correlations.append(alike.reshape(rows))
        return Values(np.stack(wanted, axis=1), answers, correlations)

    return evaluate


def drawn(
    problem: Problem, program: Program, rng: np.random.Generator, effort: Effort | None = None
) -> tuple[Array, bool]:
    """(draws, D) of the posterior by short chains, and whether the chains agree."""
    effort = effort or USUAL
    from arviz_stats.base import array_stats

    with program.open(problem.data) as model:
        gaussian = gaussian_at_modes(model, rng, ridge=problem.ridge)
        starts = possible_starts(model, gaussian, CHAINS, rng)
    seed = int(rng.integers(1, LARGEST_SEED))
    settings = ChainSettings(effort.warmup, effort.draws, DELTA, DEPTH, seed)
    chains = program.sample(problem.data, starts, settings, gaussian.whitening).x
    r_hat = max(
        float(array_stats.rhat(chains[:, :, d], chain_axis=0, draw_axis=1))
        for d in range(chains.shape[2])
    )
    return chains.reshape(-1, chains.shape[2]), r_hat < AGREED
