"""The half-normal distribution, without SciPy, which takes a second to load."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from many_wolves.contracts import Array


def nodes(n: int, scale: float) -> Array:
    """(n,) quantiles at the midpoints of n equal parts of probability."""
    shares = (1 + (np.arange(n) + 0.5) / n) / 2
    return scale * np.array([NormalDist().inv_cdf(share) for share in shares])


def log_density(x: Array, scale: float) -> Array:
    """Log-density at non-negative ``x``."""
    found: Array = 0.5 * np.log(2 / np.pi) - np.log(scale) - 0.5 * (x / scale) ** 2
    return found
