"""Draws on the unconstrained scale, with all that is needed to resume the chains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from many_wolves.contracts import Array

SAMPLER_COLUMNS = (
    "lp__",
    "accept_stat__",
    "stepsize__",
    "treedepth__",
    "n_leapfrog__",
    "divergent__",
    "energy__",
)
"""The columns that Stan's NUTS reports for each draw, in its order."""


@dataclass(frozen=True)
class Whitening:
    """An affine map x = centre + scale @ z, in whose coordinates z a posterior is sampled.

    Parameters
    ----------
    centre
        (D,).
    scale
        (D, D), lower triangular.
    """

    centre: Array
    scale: Array

    @classmethod
    def none(cls, size: int) -> Whitening:
        """The identity of ``size`` parameters."""
        return cls(np.zeros(size), np.eye(size))


@dataclass(frozen=True)
class Adapted:
    """Step size and inverse metric of a chain.

    Parameters
    ----------
    stepsize
        Of a leapfrog step.
    metric
        Variances (D,) of whitened coordinates, or covariances (D, D) of the unconstrained scale.
    """

    stepsize: float
    metric: Array


@dataclass(frozen=True)
class Draws:
    """Draws of all chains.

    Parameters
    ----------
    x
        (chains, draws, D) on the unconstrained scale.
    sampler
        (chains, draws, 7) the sampler's report on each draw: ``SAMPLER_COLUMNS``.
    cpu_seconds
        Processor time of warm-up and sampling, all chains together.
    engine
        Name and version of the engine that drew them.
    messages
        Stan's messages, without its progress lines.
    adapted
        Step size and metric of each chain; empty if they changed during sampling.
    changes
        Data that differed from the problem's, by chain and draw; empty if none did.
    """

    x: Array
    sampler: Array
    cpu_seconds: float
    engine: str
    messages: tuple[str, ...] = ()
    adapted: tuple[Adapted, ...] = ()
    changes: tuple[tuple[Mapping[str, Any], ...], ...] = ()

    def statistic(self, name: str) -> Array:
        """(chains, draws) of one of ``SAMPLER_COLUMNS``."""
        return self.sampler[:, :, SAMPLER_COLUMNS.index(name)]

    @property
    def flat(self) -> Array:
        """(chains * draws, D) of ``x``."""
        return self.x.reshape(-1, self.x.shape[2])


def join_chains(chains: Sequence[Draws]) -> Draws:
    """The draws of several chains as one."""
    adapted = tuple(one for chain in chains for one in chain.adapted)
    changes = tuple(own for chain in chains for own in chain.changes)
    return _together(chains, 0, adapted, changes)


def join_draws(parts: Sequence[Draws]) -> Draws:
    """Successive draws of the same chains as one."""
    changes = tuple(
        tuple(one for own in chain for one in own)
        for chain in zip(*(part.changes for part in parts), strict=True)
    )
    return _together(parts, 1, parts[-1].adapted, changes)


def _together(
    parts: Sequence[Draws],
    axis: int,
    adapted: tuple[Adapted, ...],
    changes: tuple[tuple[Mapping[str, Any], ...], ...],
) -> Draws:
    return Draws(
        x=np.concatenate([part.x for part in parts], axis=axis),
        sampler=np.concatenate([part.sampler for part in parts], axis=axis),
        cpu_seconds=sum(part.cpu_seconds for part in parts),
        engine=parts[0].engine,
        messages=tuple(dict.fromkeys(m for part in parts for m in part.messages)),
        adapted=adapted,
        changes=changes,
    )
