"""Identifiability of a model's parameters in a design, computed without any answers.

The expected information comes from the scores of simulated answers. Parameters are drawn from the
prior, moves are drawn in the given situations, and each log-likelihood is differentiated
numerically. Combined with the prior, the information gives each parameter's expected posterior
standard deviation, as a share of the prior's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from many_wolves.outcomes import Array

HARDLY = 0.8
"""Expected posterior sd, as a share of the prior's, above which a parameter is weakly
identified."""
TIED = 0.85
"""Expected correlation above which two parameters are identified only jointly."""
_DRAWS = 6
_STEP = 1e-4


class Oracle(Protocol):
    """A likelihood in NumPy, its parameters standard normal a priori."""

    @property
    def names(self) -> Sequence[str]:
        """Names of the parameters."""
        ...

    def draw(self, x: Array, rng: np.random.Generator) -> Any:
        """Answers drawn from parameters ``x`` in the given situations."""
        ...

    def rows(self, x: Array, drawn: Any) -> Array:
        """(N,) log-likelihood of each drawn answer."""
        ...


@dataclass(frozen=True)
class Identified:
    """Identifiability in a design.

    Parameters
    ----------
    names
        Parameters.
    remaining
        (P,) expected posterior sd as a share of the prior's.
    correlation
        (P, P) expected posterior correlations.
    """

    names: tuple[str, ...]
    remaining: Array
    correlation: Array

    @property
    def hardly(self) -> list[tuple[str, float]]:
        """Weakly identified parameters, with the share of prior sd that remains."""
        return [
            (name, float(share))
            for name, share in zip(self.names, self.remaining, strict=True)
            if share > HARDLY
        ]

    @property
    def tied(self) -> list[tuple[str, str, float]]:
        """Pairs that are identified only jointly, with their correlation."""
        P = len(self.names)
        return [
            (self.names[a], self.names[b], float(self.correlation[a, b]))
            for a in range(P)
            for b in range(a)
            if abs(self.correlation[a, b]) > TIED
        ]


def identified(oracle: Oracle, seed: int = 1, draws: int = _DRAWS) -> Identified:
    """Compute how well a design identifies the parameters of an oracle.

    Parameters
    ----------
    oracle
        The model in the given situations.
    seed
        Of the parameters and answers that are drawn.
    draws
        Draws from the prior over which the expected variances are averaged.
    """
    rng = np.random.default_rng(seed)
    names = tuple(oracle.names)
    covariance = np.zeros((len(names), len(names)))
    for _ in range(draws):
        x = 0.7 * rng.normal(size=len(names))
        covariance += expected_covariance(oracle, x, rng) / draws
    sd = np.sqrt(np.diag(covariance))
    return Identified(names, sd, covariance / np.outer(sd, sd))


def expected_covariance(oracle: Oracle, x: Array, rng: np.random.Generator) -> Array:
    """(P, P) posterior covariance that answers from parameters ``x`` (P,) lead one to expect."""
    scores = _scores(oracle, x, oracle.draw(x, rng))
    found: Array = np.asarray(np.linalg.inv(np.eye(x.size) + scores.T @ scores), dtype=float)
    return found


def _scores(oracle: Oracle, x: Array, drawn: Any) -> Array:
    """(N, P) derivatives of each answer's log-likelihood."""
    columns = []
    for p in range(x.size):
        step = np.zeros(x.size)
        step[p] = _STEP
        up, down = oracle.rows(x + step, drawn), oracle.rows(x - step, drawn)
        columns.append(np.nan_to_num((up - down) / (2 * _STEP), posinf=0.0, neginf=0.0))
    found: Array = np.column_stack(columns)
    return found


_FOUND: dict[str, Identified] = {}
"""Results for the designs of this process, because simulations fit one design many times."""


def not_told(oracle: Oracle, *situations: Any) -> list[str]:
    """Describe in sentences what a design does not identify; computed from the situations alone.

    Parameters
    ----------
    oracle
        The model in the given situations.
    situations
        Arrays and numbers that make up these situations.
    """
    key = hashlib.sha256(
        b"|".join([repr(oracle.names).encode(), *(np.asarray(s).tobytes() for s in situations)])
    ).hexdigest()
    found = _FOUND[key] = _FOUND.get(key) or identified(oracle)
    sentences = []
    if found.hardly:
        listed = ", ".join(f"{name} ({share:.0%})" for name, share in found.hardly)
        sentences.append(
            "These situations hardly inform the following parameters, whatever the moves. In "
            "brackets: the expected posterior standard deviation as a share of the prior's. "
            f"{listed}."
        )
    if found.tied:
        listed = "; ".join(f"{one} and {two} ({r:+.2f})" for one, two, r in found.tied)
        sentences.append(
            f"These situations identify the following only jointly (expected correlation): "
            f"{listed}."
        )
    return sentences
