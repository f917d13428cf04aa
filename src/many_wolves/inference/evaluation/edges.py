"""Posteriors that pile up at a bound of a prior's range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from many_wolves.inference import Fit

NEAR = 0.05
"""Part of the range next to a bound."""
PRESSED = 0.25
"""Posterior mass in that part from which a bound is reported: five times that of a flat prior."""


def edges(fit: Fit) -> list[dict[str, Any]]:
    """Find the bounds at which posteriors pile up.

    Returns
    -------
    list
        ``parameter``, ``end`` (the value), ``which`` (``lower`` or ``upper``), ``mass`` within 5 %
        of the range from the bound, and ``option``, which widens the range. A natural bound, such
        as zero for a precision, is not reported.
    """
    found = []
    posterior = fit.tree["posterior"].dataset
    for name, ends in fit.problem.ranges.items():
        if name not in posterior:
            continue
        draws = posterior[name].to_numpy().ravel()
        near = NEAR * (ends.high - ends.low)
        for which, end, mass in (
            ("lower", ends.low, float(np.mean(draws < ends.low + near))),
            ("upper", ends.high, float(np.mean(draws > ends.high - near))),
        ):
            if mass >= PRESSED and which in ends.open:
                found.append(
                    {
                        "parameter": name,
                        "end": float(end),
                        "which": which,
                        "mass": mass,
                        "option": ends.option,
                    }
                )
    return found
