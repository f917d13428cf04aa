"""Cut inference: part of the data is drawn anew, and the rest is sampled given it.

Each imputation gets a short chain of its own that starts where the one before
ended, under one preconditioner; a chain of the result strings together the
imputations it was given. So the uncertainty of the imputed part is carried
through, and no choice informs it (Plummer 2015, doi:10.1007/s11222-014-9503-z).
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
"""Imputations a chain; four chains give 1,000, so that 400 effective draws are in reach."""
WARMUP = 19
"""Iterations to forget the last imputation and to find a step size.

The preconditioner leaves nothing else to adapt, and from 20 on Stan would
estimate a metric anew from a handful of draws."""


def imputations(settings: Settings) -> int:
    """Imputations that each chain goes through."""
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
    """Draws of ``settings.chains`` chains of ``settings.draws``, over many imputations.

    ``starts`` are places (D,) for the chains to begin at; by default, from the Gaussian.
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
