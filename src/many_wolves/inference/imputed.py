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
from many_wolves.inference.engine import Draws, Program, Progress, Settings
from many_wolves.inference.laplace import Gaussian

IMPUTATIONS = 125
"""Imputations a chain; four chains give 500, so that 400 effective draws are in reach."""
WARMUP = 60
"""Iterations to forget the last imputation: the preconditioner leaves only a step size to find."""


def sample_imputed(
    problem: Problem,
    program: Program,
    gaussian: Gaussian,
    *,
    settings: Settings,
    rng: np.random.Generator,
    progress: Progress,
) -> Draws:
    """Draws of ``settings.chains`` chains of ``settings.draws``, over many imputations."""
    assert problem.impute is not None
    each = max(1, settings.draws // IMPUTATIONS)
    rounds = -(-settings.draws // each)
    starts = gaussian.starts(settings.chains, rng)
    parts: list[Draws] = []
    for number in range(rounds):
        data = {**problem.data, **gaussian.data(), **problem.impute(rng)}
        warmup = settings.warmup if number == 0 else WARMUP
        part = program.sample(
            data,
            starts,
            replace(settings, warmup=warmup, draws=each, seed=settings.seed + number),
        )
        parts.append(part)
        starts = list(part.block("z")[:, -1])
        if number % 25 == 24:
            progress(f"{number + 1} of {rounds} imputations done")
    return _strung(parts, settings.draws)


def _strung(parts: Sequence[Draws], draws: int) -> Draws:
    values: Array = np.concatenate([part.values for part in parts], axis=1)[:, :draws]
    return Draws(
        columns=parts[0].columns,
        values=values,
        cpu_seconds=sum(part.cpu_seconds for part in parts),
        messages=tuple(dict.fromkeys(m for part in parts for m in part.messages)),
    )
