"""Identifiability in a design, from the Fisher information at the middle of the prior."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from many_wolves.families.markets.model.parts import Array

STEP = 1e-4
"""Step of the difference quotients; parameters are near unit scale."""
LITTLE = 0.7
"""Share of the prior's standard deviation above which a parameter rests on its prior."""
TRADED = 0.8
"""Parameters whose estimates correlate this strongly cannot be separated."""


@dataclass(frozen=True)
class Scale:
    """A parameter on the scale of its prior: its middle and its standard deviation there."""

    middle: float
    sd: float


@dataclass(frozen=True)
class Limits:
    """How much the answers to a design's questions would teach about each parameter.

    Parameters
    ----------
    names
        Of the parameters, (P,).
    remaining
        Standard deviation after the answers as a share of the prior's, (P,).
    correlation
        Of the estimates, (P, P).
    """

    names: tuple[str, ...]
    remaining: Array
    correlation: Array

    def notes(self) -> list[str]:
        """Sentences for parameters that rest on their priors, or trade with another."""
        said = []
        open_ = [
            f"{name} ({100 * share:.0f} %)"
            for name, share in zip(self.names, self.remaining, strict=True)
            if share > LITTLE
        ]
        if open_:
            said.append(
                "This design leaves most of the prior's standard deviation (computed at the "
                f"prior's middle) to: {', '.join(open_)}. What is reported of them rests mostly "
                "on the prior."
            )
        for i, one in enumerate(self.names):
            for j in range(i):
                if abs(self.correlation[i, j]) >= TRADED:
                    said.append(
                        f"This design does not separate {self.names[j]} and {one}: their "
                        f"estimates would correlate by {self.correlation[i, j]:.2f}."
                    )
        return said


def difference(function: Callable[[Array], Array], at: Array) -> Array:
    """Derivatives of a function's values by each parameter, (P, ...)."""
    steps = STEP * np.eye(len(at))
    return np.stack([(function(at + s) - function(at - s)) / (2 * STEP) for s in steps])


def choice_information(log_probability: Callable[[Array], Array], at: Array) -> Array:
    """Fisher information of choices among the last axis of ``log_probability``, (P, P)."""
    with np.errstate(invalid="ignore"):
        slopes = difference(log_probability, at)
    p = np.exp(log_probability(at))
    flat = np.where(p > 0, slopes, 0.0).reshape(len(at), -1)
    found: Array = (flat * p.reshape(-1)) @ flat.T
    return found


def limits(scales: Mapping[str, Scale], information: Array) -> Limits:
    """What is left open where the answers bring some information.

    Parameters
    ----------
    scales
        Parameters in the order of the information.
    information
        Fisher information at the middles of the priors, (P, P).
    """
    sd = np.array([scale.sd for scale in scales.values()])
    covariance = np.linalg.inv(information + np.diag(sd**-2))
    left = np.sqrt(np.diag(covariance))
    return Limits(tuple(scales), left / sd, covariance / np.outer(left, left))


def middles(scales: Mapping[str, Scale]) -> Array:
    """Middles of the priors, (P,)."""
    return np.array([scale.middle for scale in scales.values()])
