"""The observed purchase rate as a belief: a logistic curve over the percentile."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_expit

from many_wolves.errors import WolvesError
from many_wolves.observations import Observations


def fitted_rate(observations: Observations) -> tuple[float, float]:
    """``takeover`` and ``slope`` of ``inv_logit(takeover - slope * percentile)``.

    Fitted to whether somebody bought a lot, by the percentile of its declaration, with
    normal(0, 2.5) priors; only purchases that could take effect count.

    Raises
    ------
    WolvesError
        If the observations have no purchases.
    """
    frame = observations.tables.get("purchases")
    if frame is None or not len(frame):
        raise WolvesError(
            "rational beliefs need the table `purchases`: who bought what",
            where=observations.where,
            fix="fit with --beliefs estimated",
        )
    chosen = frame[frame["chosen"].astype(bool)]
    lots = chosen.drop_duplicates(["session", "round", "stage", "lot"])
    at = lots["percentile"].to_numpy(float)
    bought = (lots["buyers"].to_numpy(float) > 0).astype(float)

    def objective(x: np.ndarray) -> float:
        logit = x[0] - x[1] * at
        fit = bought * log_expit(logit) + (1 - bought) * log_expit(-logit)
        return float(-fit.sum() + (x**2).sum() / (2 * 2.5**2))

    found = minimize(objective, np.zeros(2), method="BFGS").x
    return float(found[0]), float(found[1])
