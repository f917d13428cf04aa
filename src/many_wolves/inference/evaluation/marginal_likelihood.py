"""Log marginal likelihood of a fit, and of each of its modes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import logsumexp

from many_wolves.contracts import Array, Problem
from many_wolves.inference.engines.draws import Draws
from many_wolves.inference.engines.protocol import Program
from many_wolves.inference.evaluation.bridge import Bridge, bridge
from many_wolves.inference.sampling.fit import Fit

MAX_SE = 0.1
"""Largest standard error of a reliable log marginal likelihood, nats."""
DRAWS = 2000
"""Posterior draws on the bridge; the error is already small with this many."""
ROUNDS = 4
"""Factor by which proposals increase if the error is too large."""


def evidence(done: Fit, program: Program, seed: int) -> Bridge | None:
    """Log marginal likelihood of a fit; None for cut inference, which has none."""
    if done.problem.impute is not None:
        return None
    if done.regions:
        return together([region.mass for region in done.regions])
    return mass(done.problem, program, done.draws, seed)


def mass(
    problem: Problem,
    program: Program,
    draws: Draws,
    seed: int,
    *,
    most: int | None = DRAWS,
) -> Bridge:
    """Log of the posterior's integral around the draws, from about ``most`` of them."""
    with program.open(problem.data) as model:
        x = thinned(draws, most)
        found = bridge(x, model.log_density, seed=seed)
        if found.se > 0.8 * MAX_SE and x.shape[1] < draws.x.shape[1]:
            found = bridge(draws.x, model.log_density, seed=seed, proposals=ROUNDS * DRAWS)
        return found


def together(masses: Sequence[Bridge]) -> Bridge:
    """The marginal likelihood of several modes; the first determines the halves."""
    logs = np.array([one.log_ml for one in masses])
    total = float(logsumexp(logs))
    se = float(np.linalg.norm(np.exp(logs - total) * [one.se for one in masses]))
    bad = [one for one in masses if not one.ok]
    return replace(
        masses[0],
        log_ml=total,
        se=se,
        relative_mse=float(np.expm1(se**2)),
        ok=not bad,
        verdict=(bad or masses)[0].verdict,
    )


def thinned(draws: Draws, most: int | None = DRAWS) -> Array:
    """(chains, about most / chains, D) draws; all for None."""
    step = max(1, draws.x.shape[0] * draws.x.shape[1] // most) if most else 1
    return draws.x[:, ::step]
