"""What a scripted player expects of others: purchase rates, values behind declarations."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from many_wolves.families.markets.rules.parameters import Rules
from many_wolves.families.markets.rules.view import View
from many_wolves.families.markets.simulation.theory import Array, PurchaseRate


def falling_rate(level: float, slope: float) -> PurchaseRate:
    """``inv_logit(level - slope * percentile)``: high declarations are bought less often."""

    def rate(percentile: Array) -> Array:
        bought: Array = expit(level - slope * percentile)
        return bought

    return rate


def constant_rate(probability: float) -> PurchaseRate:
    """The same purchase probability everywhere."""

    def rate(percentile: Array) -> Array:
        return np.full_like(np.asarray(percentile, float), probability)

    return rate


def shaded_value(
    rules: Rules, lot: int, condition: int, declared: float, base_rate: float, shading: float
) -> float:
    """A buyer's expectation of a lot's value.

    ``(1 - w) d (1 + m) + w * middle of the band``, with w the weight on the base rate and m
    the believed shading.
    """
    band = rules.band(lot, condition)
    return (1 - base_rate) * declared * (1 + shading) + base_rate * (band.low + band.high) / 2


def believed_worth(view: View, condition: int, weight: float = 1.0) -> float:
    """A share's worth by the two signals: ``weight`` on the private one."""
    private, public = view.private_signal, view.public_signal
    if private is None or public is None or private[condition] is None:
        return 0.0
    return weight * (private[condition] or 0.0) + (1 - weight) * (public[condition] or 0.0)
