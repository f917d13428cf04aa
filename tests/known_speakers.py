"""Speakers of known weights as findings see them, their posteriors exact and quick.

Weights are those of a multinomial under a uniform prior on its simplex, phi that of a
binomial under a uniform prior: the posteriors that a fit would have from so many
direct observations of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from many_wolves.figures import Fitted
from many_wolves.findings.fits import DRAWS, PREDICTED, Member

WEIGHTS = ("w_inf", "w_soc", "w_pres")
PLAIN = (0.4, 0.3, 0.3, 0.4)


def speaker(
    rng: np.random.Generator,
    name: str,
    truth: Mapping[str, Sequence[float]],
    n: int = 200,
    failed: bool = False,
    **labels: str | float,
) -> Member:
    """A member whose true (phi, w_inf, w_soc, w_pres) by condition are ``truth``."""
    quantities, predicted = {}, {}
    for condition, (phi, *weights) in truth.items():
        k = rng.binomial(n, phi)
        quantities["phi", condition] = rng.beta(1 + k, 1 + n - k, DRAWS)
        counts = rng.multinomial(n, weights)
        drawn = rng.dirichlet(1 + counts, DRAWS)
        quantities |= {(w, condition): drawn[:, i] for i, w in enumerate(WEIGHTS)}
        cells = [[phi, 1 - phi, 0.0], list(weights)]
        predicted[condition] = np.array(
            [rng.dirichlet(1 + rng.multinomial(n, cell), PREDICTED) for cell in cells]
        ).transpose(1, 0, 2)
    info = {
        "speaker": name,
        "family": "politeness",
        "conditions": list(truth),
        "labels": {"model": name, **labels},
        "checks": [{"name": "state", "ok": not failed}],
    }
    fit = Fitted(Path(name), info, {"ok": True}, pd.DataFrame())
    return Member(fit, quantities, predicted)


def covers(statement, truth):
    low, high = statement.interval
    return low <= truth <= high


def run_of(rng, path, n=400, name="hf/run", **labels):
    """Checkpoints at 0, 100, ..., whose phi follows ``path``; w_soc follows it downwards."""
    return [
        speaker(
            rng,
            name,
            dict.fromkeys(("social", "none"), (x, 0.3, 0.6 - x / 2, 0.1 + x / 2)),
            n,
            step=100.0 * i,
            **labels,
        )
        for i, x in enumerate(path)
    ]
