"""From a problem to a fit: modes, preconditioned chains, summary, verdict."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Array, Parameter, Problem
from many_wolves.inference.engines.draws import Draws
from many_wolves.inference.engines.protocol import Program, Progress
from many_wolves.inference.evaluation.bridge import Bridge
from many_wolves.inference.sampling.cut import sample_imputed
from many_wolves.inference.sampling.datatree import to_tree
from many_wolves.inference.sampling.diagnostics import Diagnostics, RegionShare, judge
from many_wolves.inference.sampling.effort import steps_of
from many_wolves.inference.sampling.modes import (
    Gaussian,
    describe_modes,
    gaussian_at_better_mode,
    gaussian_at_modes,
    possible_starts,
    shorter_path,
)
from many_wolves.inference.sampling.summary import scalars, summarise
from many_wolves.inference.sampling.tempering import TEMPERED
from many_wolves.inference.settings import Settings

if TYPE_CHECKING:
    import xarray as xr

NEARBY = 50.0
"""Nats below the best mode up to which a mode may be the best one of a similar problem."""


@dataclass(frozen=True)
class Region:
    """A mode of the posterior that chains do not leave.

    Parameters
    ----------
    draws
        Draws from it, with the preconditioner ``gaussian``.
    mass
        Log of the integral of the unnormalised posterior over it.
    share, share_se
        Share of the posterior, with its standard error from bridge sampling.
    """

    draws: Draws
    gaussian: Gaussian
    mass: Bridge
    share: float
    share_se: float


@dataclass(frozen=True)
class Fit:
    """A posterior with its summary and verdict.

    Parameters
    ----------
    problem
        The problem that was fitted.
    tree
        ArviZ DataTree.
    summary
        parameter, condition, mean, sd, hdi_low, hdi_high (95 %), ess_bulk,
        ess_tail, r_hat.
    diagnostics
        The verdict.
    settings, engine, seconds, cpu_seconds
        Settings, engine, wall time and processor time of the sampling.
    gaussian
        The preconditioner that was used.
    draws
        Draws as sampled; those of several modes are mixed.
    regions
        The modes between which chains do not move; empty if there is only one.
    halvings
        Number of times that the step size was halved because draws diverged.
    steps
        Leapfrog steps of the last attempt, with those of its warm-up as estimated.
    """

    problem: Problem
    tree: xr.DataTree
    summary: pd.DataFrame
    diagnostics: Diagnostics
    settings: Settings
    engine: str
    seconds: float
    cpu_seconds: float
    gaussian: Gaussian
    draws: Draws
    regions: tuple[Region, ...] = ()
    halvings: int = 0
    steps: float = 0.0

    @property
    def points(self) -> tuple[Array, ...]:
        """Modes (D,) that were found, from which to look for those of a similar problem."""
        best = max((mode.log_mass for mode in self.gaussian.modes), default=0.0)
        return tuple(m.x for m in self.gaussian.modes if best - m.log_mass < NEARBY)

    @property
    def tempered(self) -> bool:
        """Whether the draws come from tempered ensembles."""
        return self.engine.endswith(TEMPERED)


def fit(
    problem: Problem,
    program: Program,
    parameters: tuple[Parameter, ...],
    settings: Settings | None = None,
    progress: Progress | None = None,
    gaussian: Gaussian | None = None,
    known: Sequence[Array] = (),
) -> Fit:
    """Sample the posterior of a problem.

    Parameters
    ----------
    program
        The compiled program of the problem, from ``engine.load``.
    parameters
        Parameters to summarise and judge.
    settings
        Chains, iterations, seed.
    progress
        Called with a sentence at each step.
    gaussian
        Preconditioner; by default, one is computed at the best mode.
    known
        Points (D,) from which to look for modes, in addition to dispersed starts.
    """
    chosen = settings or Settings()
    chosen = replace(chosen, adapt_delta=max(chosen.adapt_delta, problem.adapt_delta))
    say: Callable[[str], None] = progress or (lambda _: None)
    began, cpu_began = time.monotonic(), _cpu_seconds()
    rng = np.random.default_rng(chosen.seed)
    if gaussian is None:
        say("looking for modes")
        with program.open(problem.data) as model:
            gaussian = gaussian_at_modes(model, rng, ridge=problem.ridge, known=known)
        gaussian = shorter_path(program, problem.data, gaussian, rng)
    # Each chain reports its processor time.
    cpu = _cpu_seconds() - cpu_began
    say(f"sampling {chosen.chains} chains of {chosen.warmup} + {chosen.draws}")
    draws = _sampled(problem, program, gaussian, chosen, rng, say)
    cpu += draws.cpu_seconds
    better = _better(problem, program, gaussian, draws)
    if better is not None:
        say("the chains led to a mode of more mass; sampling again from there")
        gaussian = better
        draws = _sampled(problem, program, gaussian, chosen, rng, say)
        cpu += draws.cpu_seconds
    return assemble(
        problem,
        program,
        draws,
        gaussian,
        parameters=parameters,
        settings=chosen,
        seconds=time.monotonic() - began,
        cpu_seconds=cpu,
        steps=steps_of(draws, chosen.warmup),
    )


def _sampled(
    problem: Problem,
    program: Program,
    gaussian: Gaussian,
    settings: Settings,
    rng: np.random.Generator,
    say: Progress,
) -> Draws:
    if problem.impute is not None:
        return sample_imputed(problem, program, gaussian, settings=settings, rng=rng, progress=say)
    with program.open(problem.data) as density:
        starts = possible_starts(density, gaussian, settings.chains, rng)
    return program.sample(problem.data, starts, settings.chain, gaussian.whitening, say)


def _better(
    problem: Problem, program: Program, gaussian: Gaussian, draws: Draws
) -> Gaussian | None:
    """The Gaussian at a mode of more mass, if the chains' last states lead to one."""
    if problem.impute is not None:
        return None
    with program.open(problem.data) as density:
        return gaussian_at_better_mode(density, gaussian, draws.x[:, -1])


def assemble(
    problem: Problem,
    program: Program,
    draws: Draws,
    gaussian: Gaussian,
    *,
    parameters: tuple[Parameter, ...],
    settings: Settings,
    seconds: float,
    cpu_seconds: float,
    regions: tuple[Region, ...] = (),
    halvings: int = 0,
    steps: float = 0.0,
) -> Fit:
    """Build tree, summary and verdict from draws."""
    tree = to_tree(problem, program, draws, settings.seed)
    posterior = tree["posterior"].to_dataset()
    summary = summarise(posterior, parameters)
    names = tuple(p.name for p in parameters)
    labelled = {f"{n} {label}".strip(): v for n, label, v in scalars(posterior, names)}
    return Fit(
        problem=problem,
        tree=tree,
        summary=summary,
        diagnostics=judge(
            draws,
            summary,
            labelled,
            settings,
            tuple(describe_modes(gaussian)),
            tuple(RegionShare(one.share, one.share_se) for one in regions),
            moving=problem.impute is not None or not draws.adapted,
        ),
        settings=settings,
        engine=draws.engine,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        gaussian=gaussian,
        draws=draws,
        regions=regions,
        halvings=halvings,
        steps=steps,
    )


def _cpu_seconds() -> float:
    """Processor time of this process and of the children it has waited for."""
    return sum(os.times()[:4])


def with_data(problem: Problem, **changes: Any) -> Problem:
    """The same problem with some of its Stan data replaced."""
    data: Mapping[str, Any] = {**problem.data, **changes}
    return replace(problem, data=data)
