"""Social preferences in NumPy: utilities of payoffs, and choice by softmax.

The Stan program computes the same; tests compare the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, log_softmax
from scipy.stats import norm

from many_wolves.contracts import Array
from many_wolves.families.dilemmas.model.divisions import Question

Form = Literal["selfish", "fehr-schmidt", "charness-rabin", "ces"]
FORMS: tuple[Form, ...] = ("selfish", "fehr-schmidt", "charness-rabin", "ces")
"""In the order of their numbers in Stan."""
NAMES: dict[str, tuple[str, ...]] = {
    "selfish": (),
    "fehr-schmidt": ("guilt", "envy"),
    "charness-rabin": ("rho", "sigma"),
    "ces": ("weight_self", "r"),
}
"""Parameters of each form other than precision."""
INDIFFERENT: dict[str, float] = {"fehr-schmidt": 0.0, "charness-rabin": float(norm.ppf(0.75))}
"""First coordinate at which all gifts up to half have the same utility (guilt or rho of one half).
Of the forms with linear utility, gifts show its distance from there times precision."""
ENVY_MEAN = 0.8
"""Near the mean of the distribution that Fehr & Schmidt (1999) propose, 0.85."""
PRECISION_MEDIAN, PRECISION_SD = 10.0, 1.5


@dataclass(frozen=True)
class Preference:
    """The two parameters of a form, and precision per dollar of utility."""

    form: Form
    values: tuple[float, ...]
    precision: float


def from_coordinates(form: Form, coordinates: Array, unit: float) -> Preference:
    """A preference from standard normal coordinates, the last one that of precision.

    ``unit`` are the dollars that precision is around ``PRECISION_MEDIAN`` for: the stake.
    """
    precision = float(PRECISION_MEDIAN / unit * np.exp(PRECISION_SD * coordinates[-1]))
    if form == "selfish":
        return Preference(form, (), precision)
    first, second = (float(c) for c in coordinates[:2])
    share = float(norm.cdf(first))
    if form == "fehr-schmidt":
        return Preference(form, (share, ENVY_MEAN * _exponential(second)), precision)
    if form == "charness-rabin":
        rho = 2 * share - 1
        return Preference(form, (rho, (1 + rho) * float(norm.cdf(second)) - 1), precision)
    return Preference(form, (share, 1 - _exponential(second) / float(np.log(2))), precision)


def _exponential(coordinate: float) -> float:
    """Exponential with mean 1 where the coordinate is standard normal."""
    return -float(norm.logsf(coordinate))


def utility(preference: Preference, own: Array, other: Array) -> Array:
    """Utility of payoffs, in their unit.

    Fehr & Schmidt (1999, doi:10.1162/003355399556151), Charness & Rabin (2002,
    doi:10.1162/003355302760193904), Andreoni & Miller (2002,
    doi:10.1111/1468-0262.00302).
    """
    ahead, behind = np.maximum(own - other, 0.0), np.maximum(other - own, 0.0)
    if preference.form == "selfish":
        return own
    first, second = preference.values
    if preference.form == "fehr-schmidt":
        return own - first * ahead - second * behind
    if preference.form == "charness-rabin":
        return own - first * ahead + second * behind
    return _ces(first, second, own, other)


def _ces(weight: float, r: float, own: Array, other: Array) -> Array:
    """(weight own^r + (1 - weight) other^r)^(1/r); zero where a payoff is and r is not positive."""
    if abs(r) < 1e-5:
        cobb_douglas: Array = own**weight * other ** (1 - weight)
        return cobb_douglas
    with np.errstate(divide="ignore"):
        logs = np.stack([np.log(weight) + r * np.log(own), np.log1p(-weight) + r * np.log(other)])
    # With a negative r a payoff of zero makes the sum infinite, and its root zero.
    found: Array = np.exp(np.logaddexp(*logs) / r)
    return found


def log_choice(preference: Preference, question: Question) -> Array:
    """(A,) log-probability of every option of a question."""
    own, other = question.payoffs
    value = utility(preference, own, other)
    if question.part == "offers":
        # The other gets `other` if it accepts and nothing if not; it is taken to be alike.
        value = value * expit(preference.precision * utility(preference, other, own))
    found: Array = log_softmax(preference.precision * value)
    return found
