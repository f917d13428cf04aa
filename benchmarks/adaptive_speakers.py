"""Simulated speakers of ``adaptive.py``: near fitted speakers, or drawn from the prior."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from many_wolves import inference
from many_wolves.contracts import Array, Observations, Problem
from many_wolves.families.politeness.simulation import simulate
from many_wolves.inference.evaluation.knowledge import evaluator, targets_of
from many_wolves.inference.sampling.modes import gaussian_at_modes
from many_wolves.records import Trial
from many_wolves.workflows.data import reference
from many_wolves.workflows.models import problem_of

REFERENCES = ("zhao2025", "yoon2020", "yoon2017", "morton2025")
UTILITIES = ("inf", "soc", "pres")
FACTORS = ("item", "goal", "framing", "state")
JITTER = 0.3
"""Standard deviation from a fitted speaker, of probits, and of logarithms of the weights."""
EVERY = 5
"""One speaker of so many is drawn from the prior."""
EDGE = 0.005
"""Distance from the ends of a range within which a fitted value is moved inwards."""

Fitted = dict[str, Any]
"""Parameters of a fitted speaker: by parameter, those of conditions by condition."""


def fitted(model: Any, path: Path) -> list[Fitted]:
    """The best modes of nine models, people of two studies, and one more model; cached."""
    if path.exists():
        found: list[Fitted] = json.loads(path.read_text())
        return found
    found = []
    for name in REFERENCES:
        table = reference(name)
        for speaker in table.speakers:
            found.append({"name": speaker, **_at_mode(model, table.of(speaker))})
    path.write_text(json.dumps(found, indent=1))
    return found


def _at_mode(model: Any, table: Observations) -> Fitted:
    problem = problem_of(table, model, {"literal": "fixed", "ranges": "yoon2020"}, None)
    names = ["alpha", "cost", "w_inf", "w_soc", "w_pres", "phi"]
    names += ["lapse", "icc"] if problem.data["J"] else []
    targets = targets_of(problem, names)
    with inference.load(problem.program).open(problem.data) as density:
        best = gaussian_at_modes(density, np.random.default_rng(1), ridge=problem.ridge)
        values = evaluator(problem, density, {}, targets)(best.modes[0].x[None]).targets[0]
    found: Fitted = {}
    for (name, condition), value in zip(targets, values, strict=True):
        if condition:
            found.setdefault(name, {})[condition] = float(value)
        else:
            found[name] = float(value)
    return found


def truth_of(seed: int, problem: Problem, known: Sequence[Fitted]) -> tuple[str, simulate.Known]:
    """Where a speaker comes from, and its parameters.

    Parameters that a fitted speaker lacks are at the median over the others, and a goal that it
    was not asked is at the mean over its goals.
    """
    rng = np.random.default_rng([seed, 7])
    if seed % EVERY == 0:
        return "prior", simulate.from_prior(problem, rng)
    one = known[(seed - 1 - seed // EVERY) % len(known)]

    def near(value: float, low: float = 0.0, high: float = 1.0) -> float:
        share = np.clip((value - low) / (high - low), EDGE, 1 - EDGE)
        return float(low + (high - low) * norm.cdf(norm.ppf(share) + JITTER * rng.normal()))

    def single(name: str) -> float:
        others = [other[name] for other in known if name in other]
        return float(one.get(name, np.median(others)))

    weights = {}
    for goal in map(str, problem.coords["condition"]):
        own = {
            name: one[name].get(goal, np.mean(list(one[name].values())))
            for name in (*(f"w_{utility}" for utility in UTILITIES), "phi")
        }
        phi = near(own.pop("phi"))
        log_w = np.log(np.clip(list(own.values()), EDGE, 1)) + JITTER * rng.normal(size=3)
        shares = np.exp(log_w) / np.exp(log_w).sum()
        weights[goal] = {**dict(zip(own, shares, strict=True)), "phi": phi}
    record = {
        "alpha": near(single("alpha"), 0, 20),
        "cost": near(single("cost"), 1, 10),
        "lapse": near(single("lapse")),
        "icc": near(single("icc")),
        "weights": weights,
    }
    return str(one["name"]), simulate.from_json(record, problem)


@dataclass
class Speaker:
    """A simulated speaker: an urn for each trial, and its answers so far.

    Parameters
    ----------
    probabilities
        (trials, U) of the first answer, options in the order of their ids.
    icc
        Correlation of the answers to one trial.
    """

    trials: Sequence[Trial]
    probabilities: Array
    icc: float
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.counts = np.zeros(self.probabilities.shape)

    def answer(self, question: int) -> None:
        """Draw the next answer to a trial."""
        seen = self.counts[question]
        n = seen.sum()
        p = self.probabilities[question] * (1 - self.icc) + seen * self.icc
        seen[self.rng.choice(len(p), p=p / (1 - self.icc + n * self.icc))] += 1

    @property
    def levels(self) -> list[int]:
        """Answers to each trial."""
        return [int(n) for n in self.counts.sum(axis=1)]

    @property
    def observations(self) -> Observations:
        """The answers as a table."""
        rows = [
            ("simulated", *(trial.cell[name] for name in FACTORS), option, n)
            for trial, own in zip(self.trials, self.counts, strict=True)
            if own.sum()
            for option, n in zip(sorted(o.id for o in trial.options), own, strict=True)
        ]
        columns = ["speaker", *FACTORS, "utterance", "count"]
        return Observations.from_rows("politeness", pd.DataFrame(rows, columns=columns))


def speaker_of(
    trials: Sequence[Trial], problem: Problem, known: simulate.Known, seed: int
) -> Speaker:
    """A speaker that answers the trials by known parameters."""
    p = simulate.answer_probabilities(problem, known)
    names = list(problem.coords["utterance"])
    order = [names.index(name) for name in sorted(names)]
    conditions, states = list(problem.coords["condition"]), list(problem.coords["state"])
    each = np.stack(
        [p[conditions.index(t.cell["goal"]), states.index(t.cell["state"]), order] for t in trials]
    )
    return Speaker(trials, each, known.icc, np.random.default_rng([seed, 8]))
