"""The half-normal distribution, without the second that ``scipy.stats`` takes to load."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from many_wolves.contracts import Array


def nodes(n: int, scale: float) -> Array:
    """(n,) quantiles at the middles of n equal parts of probability."""
    found: Array = scale * ndtri((1 + (np.arange(n) + 0.5) / n) / 2)
    return found


def log_density(x: Array, scale: float) -> Array:
    """Log-density at non-negative ``x``."""
    found: Array = 0.5 * np.log(2 / np.pi) - np.log(scale) - 0.5 * (x / scale) ** 2
    return found
