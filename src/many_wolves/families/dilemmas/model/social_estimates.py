"""Estimates of each participant's first preference from its gifts alone.

A map between standard normals and effects of participants uses it. The map changes the
sampler's path, never the posterior, so a rough estimate is enough.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax, logsumexp
from scipy.stats import norm

from many_wolves.contracts import Array
from many_wolves.families.dilemmas.model.divisions import Divisions, Question
from many_wolves.families.dilemmas.model.preferences import (
    INDIFFERENT,
    PRECISION_MEDIAN,
    PRECISION_SD,
    Form,
    from_coordinates,
    utility,
)
from many_wolves.families.dilemmas.model.social_plan import Plan

COORDINATES = np.arange(-4.0, 4.005, 0.01)
"""Standard normal coordinates of the first preference that are tried."""
LEAST = 1e-6
"""Information below this is rounding."""
PRECISIONS = np.linspace(-3.0, 3.0, 25)
"""Coordinates of precision that are tried; all participants are taken to share one."""


def estimates(found: Divisions, plan: Plan) -> tuple[Array, Array]:
    """Estimate (J,) of the first coordinate and its information (J,), one over the variance.

    Where utility is linear in the preference, gifts show the distance of the coordinate from
    ``INDIFFERENT`` times precision. The estimate is of that over ``PRECISION_MEDIAN``.
    The information is zero for whoever was not asked for gifts, and for all where no
    preference varies between participants.
    """
    J = len(found.levels.participants)
    if not found.levels.by_participant or not plan.preferences:
        return np.zeros(J), np.zeros(J)
    before = norm.logpdf(COORDINATES)
    after = before + _log_likelihoods(found, plan.form)  # precision, participant, coordinate
    evidence = logsumexp(after, axis=2).sum(axis=1) + norm.logpdf(PRECISIONS)
    best = int(evidence.argmax())
    mean, variance = _moments(after[best])
    # What the choices add to the prior, were the posterior Gaussian.
    information = 1 / variance - 1 / _moments(before[None])[1]
    information = np.where(information > LEAST, information, 0.0)
    estimate = np.divide(mean / variance, information, out=np.zeros(J), where=information > 0)
    if plan.form not in INDIFFERENT:
        return estimate, information
    relative = np.exp(PRECISION_SD * PRECISIONS[best])
    return (estimate - INDIFFERENT[plan.form]) * relative, information / relative**2


def _moments(log_weight: Array) -> tuple[Array, Array]:
    """Mean and variance (n,) of the coordinate under unnormalised log weights (n, coordinates)."""
    weight = np.exp(log_weight - logsumexp(log_weight, axis=1, keepdims=True))
    mean = weight @ COORDINATES
    step = COORDINATES[1] - COORDINATES[0]
    return mean, np.maximum(weight @ COORDINATES**2 - mean**2, step**2)


def _log_likelihoods(found: Divisions, form: Form) -> Array:
    """(precisions, J, coordinates) of the gifts; the second preference is at its median."""
    total = np.zeros((PRECISIONS.size, len(found.levels.participants), COORDINATES.size))
    choices = {q: _log_choices(q, form, found.unit) for q in found.questions if q.part == "gifts"}
    for who, question, counts in found.cells():
        if question in choices:
            total[:, who] += choices[question] @ counts
    return total


def _log_choices(question: Question, form: Form, unit: float) -> Array:
    """(precisions, coordinates, A) log-probability of every option."""
    own, other = question.payoffs
    preferences = [from_coordinates(form, np.array([c, 0, 0]), unit) for c in COORDINATES]
    utilities = np.stack([utility(one, own, other) for one in preferences])
    precision = PRECISION_MEDIAN / unit * np.exp(PRECISION_SD * PRECISIONS)
    found: Array = log_softmax(precision[:, None, None] * utilities, axis=2)
    return found
