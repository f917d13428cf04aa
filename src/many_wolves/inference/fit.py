"""From a problem to a fit: modes, preconditioned chains, summary, verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Array, Parameter, Problem
from many_wolves.inference.diagnostics import Diagnostics, judge
from many_wolves.inference.engine import Draws, Program, Progress, Settings
from many_wolves.inference.imputed import sample_imputed
from many_wolves.inference.laplace import (
    Gaussian,
    describe_modes,
    gaussian_at_modes,
    possible_starts,
    shorter_path,
)
from many_wolves.inference.summary import scalars, summarise
from many_wolves.inference.tree import to_tree

if TYPE_CHECKING:
    import xarray as xr


HARDER = ((2, 0.95), (4, 0.99))
"""Further attempts where the verdict is bad: how many times as long, and the target acceptance
where draws diverged."""
QUICK_LOOK = 1600
"""Draws in all below which a bad verdict is left as it is: none better was asked for."""
AGREED = 1.1
"""R-hat below which the draws of a failed attempt still tell the shape of the posterior."""


@dataclass(frozen=True)
class Fit:
    """A posterior with its summary and verdict: never the one without the other.

    Parameters
    ----------
    problem
        What was fitted.
    tree
        ArviZ DataTree.
    summary
        parameter, condition, mean, sd, hdi_low, hdi_high (95 %), ess_bulk,
        ess_tail, r_hat.
    diagnostics
        The verdict.
    settings, engine, seconds, cpu_seconds
        How it was sampled, with what, in how much wall and processor time.
    gaussian
        The preconditioner that was used.
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


def fit(
    problem: Problem,
    program: Program,
    parameters: tuple[Parameter, ...],
    settings: Settings | None = None,
    progress: Progress | None = None,
    gaussian: Gaussian | None = None,
) -> Fit:
    """Sample the posterior of a problem.

    Parameters
    ----------
    program
        The compiled program of the problem, from ``engine.load``.
    parameters
        What to summarise and judge.
    settings
        Chains, iterations, seed.
    progress
        Called with a sentence at each step.
    gaussian
        Preconditioner; without one, modes are looked for.
    """
    chosen = settings or Settings()
    chosen = replace(chosen, adapt_delta=max(chosen.adapt_delta, problem.adapt_delta))
    say: Callable[[str], None] = progress or (lambda _: None)
    began, cpu_began = time.monotonic(), time.process_time()
    rng = np.random.default_rng(chosen.seed)
    if gaussian is None:
        say("looking for modes")
        gaussian = gaussian_at_modes(program, problem.data, problem.size, rng)
        gaussian = shorter_path(program, problem.data, gaussian, rng)
    # Chains may run in this process, and tell their own time.
    cpu_before = time.process_time() - cpu_began
    say(f"sampling {chosen.chains} chains of {chosen.warmup} + {chosen.draws}")
    if problem.impute is not None:
        draws = sample_imputed(problem, program, gaussian, settings=chosen, rng=rng, progress=say)
    else:
        data = {**problem.data, **gaussian.data()}
        plain = {**data, "keep": 0}
        starts = possible_starts(program, plain, gaussian, chosen.chains, rng)
        draws = program.sample(data, starts, chosen, say)
    return assemble(
        problem,
        draws,
        gaussian,
        parameters=parameters,
        settings=chosen,
        engine=program.version,
        seconds=time.monotonic() - began,
        cpu_seconds=cpu_before + draws.cpu_seconds,
    )


def fit_carefully(
    problem: Problem,
    program: Program,
    parameters: tuple[Parameter, ...],
    settings: Settings | None = None,
    progress: Progress | None = None,
    *,
    attempts: int = len(HARDER),
    longest_path: float = np.inf,
) -> Fit:
    """As ``fit``; where the verdict is bad, again in longer chains and smaller steps.

    A posterior with sharp corners (a speaker that always says the same, a million
    choices) needs more than most. Steps are smaller where draws diverged. What was learnt
    of the shape preconditions the next attempt. The settings of the result are those
    that gave it.

    Parameters
    ----------
    attempts
        How many more to make at most.
    longest_path
        Leapfrog steps a draw from which none is made: it would take long and mend nothing.

    Raises
    ------
    WolvesError
        If the problem is one to refuse.
    """
    if problem.refused is not None:
        raise problem.refused
    chosen = settings or Settings()
    done = fit(problem, program, parameters, chosen, progress)
    further = HARDER[:attempts] if chosen.chains * chosen.draws >= QUICK_LOOK else ()
    for longer, delta in further:
        path = done.draws.column("n_leapfrog__").mean()
        if done.diagnostics.ok or path >= longest_path:
            break
        smaller = done.diagnostics.divergences > 0
        if smaller:
            # Chains that are only too short would gain nothing from it.
            chosen = replace(chosen, adapt_delta=max(chosen.adapt_delta, delta))
        if progress is not None:
            steps = " and in smaller steps" if smaller else ""
            progress(f"once more, {longer} times as long{steps}")
        harder = replace(chosen, warmup=longer * chosen.warmup, draws=longer * chosen.draws)
        done = fit(problem, program, parameters, harder, progress, gaussian=learnt(done))
    return done


def learnt(done: Fit) -> Gaussian | None:
    """A preconditioner from the draws; None where the chains disagree too much for one."""
    if not done.diagnostics.max_r_hat < AGREED:
        return None
    z = done.draws.block("z")
    x: Array = done.gaussian.centre + z.reshape(-1, z.shape[2]) @ done.gaussian.scale.T
    centre: Array = x.mean(axis=0)
    spread = np.cov(x.T, dtype=np.float64) + 1e-9 * np.eye(x.shape[1])
    scale: Array = np.asarray(np.linalg.cholesky(spread), dtype=np.float64)
    return Gaussian(centre, scale, done.gaussian.modes)


def assemble(
    problem: Problem,
    draws: Draws,
    gaussian: Gaussian,
    *,
    parameters: tuple[Parameter, ...],
    settings: Settings,
    engine: str,
    seconds: float,
    cpu_seconds: float,
) -> Fit:
    """Tree, summary and verdict of draws that were taken."""
    tree = to_tree(problem, draws, settings.seed)
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
            imputed=problem.impute is not None,
        ),
        settings=settings,
        engine=engine,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        gaussian=gaussian,
        draws=draws,
    )


def with_data(problem: Problem, **changes: Any) -> Problem:
    """The same problem with some of its Stan data replaced."""
    data: Mapping[str, Any] = {**problem.data, **changes}
    return replace(problem, data=data)
