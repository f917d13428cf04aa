"""Cut inference: part of the data is imputed, and the rest is sampled given it.

Each imputation gets a short chain, which starts at the last state of the one before and uses the
same preconditioner. A chain of the result joins the short chains of its imputations. So the
uncertainty of the imputed part is carried through, and no choice informs it (Plummer 2015,
doi:10.1007/s11222-014-9503-z).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from many_wolves.contracts import Array, Problem
from many_wolves.inference.engines.draws import Draws
from many_wolves.inference.engines.protocol import Program, Progress
from many_wolves.inference.sampling.modes import Gaussian
from many_wolves.inference.settings import Settings

IMPUTATIONS = 250
"""Imputations per chain; four chains give 1,000, enough for 400 effective draws."""
WARMUP = 19
"""Iterations to forget the last imputation and to find a step size. Nothing else needs to adapt
under the preconditioner. From 20 iterations on, Stan would estimate a new metric from a handful of
draws."""


def imputations(settings: Settings) -> int:
    """Number of imputations per chain."""
    return -(-settings.draws // max(1, settings.draws // IMPUTATIONS))


def sample_imputed(
    problem: Problem,
    program: Program,
    gaussian: Gaussian,
    *,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress,
    starts: Sequence[Array] | None = None,
) -> Draws:
    """Draw ``settings.chains`` chains of ``settings.draws`` over many imputations.

    ``starts`` are points (D,) at which the chains start; by default, draws from the Gaussian.
    """
    assert problem.impute is not None
    each = max(1, settings.draws // IMPUTATIONS)
    rounds = imputations(settings)
    impute = problem.impute
    changes = [[impute(rng) for _ in range(rounds)] for _ in range(settings.chains)]
    draws = program.sample_replaced(
        gaussian.starts(settings.chains, rng) if starts is None else starts,
        replace(settings.chain, warmup=WARMUP, draws=each),
        gaussian.whitening,
        [[{**problem.data, **change} for change in chain] for chain in changes],
        progress,
    )
    kept = settings.draws
    return replace(
        draws,
        x=draws.x[:, :kept],
        sampler=draws.sampler[:, :kept],
        changes=tuple(
            tuple(change for change in chain for _ in range(each))[:kept] for chain in changes
        ),
    )
