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
from many_wolves.inference.engine import Draws, Program, Progress, Settings, strung
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


HARDER = (0.95, 0.99, 0.999)
"""Target acceptances to go through where draws diverge."""
ATTEMPTS = 4
"""Further attempts where the verdict is bad."""
QUICK_LOOK = 1600
"""Draws in all below which a bad verdict is left as it is: none better was asked for."""
AGREED = 1.1
"""R-hat below which the draws of a failed attempt tell the shape of the posterior."""


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
    attempts: int = ATTEMPTS,
    longest_path: float = np.inf,
) -> Fit:
    """As ``fit``; where the verdict is bad, with more draws or in smaller steps.

    A posterior with sharp corners (a speaker that always says the same, a million
    choices) needs more than most. Chains that agree go on, until they are twice as long;
    where draws diverged, or chains do not agree, they begin anew, preconditioned by what
    was learnt of the shape. The settings of the result are those that gave it, its
    seconds those of all attempts.

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
    say: Callable[[str], None] = progress or (lambda _: None)
    done = fit(problem, program, parameters, settings, progress)
    if done.settings.chains * done.settings.draws < QUICK_LOOK:
        return done
    for _ in range(attempts):
        path = done.draws.column("n_leapfrog__").mean()
        if done.diagnostics.ok or path >= longest_path:
            break
        before = done
        done = _longer(done, program, parameters, say) or _anew(done, program, parameters, say)
        done = replace(
            done,
            seconds=before.seconds + done.seconds,
            cpu_seconds=before.cpu_seconds + done.cpu_seconds,
        )
    return done


def _longer(
    done: Fit, program: Program, parameters: tuple[Parameter, ...], say: Progress
) -> Fit | None:
    """Twice as many draws of the same chains; None where they would not mend the verdict."""
    if done.diagnostics.divergences or not _agree(done) or not done.draws.adapted:
        return None
    began = time.monotonic()
    longer = replace(done.settings, draws=2 * done.settings.draws)
    say(f"going on, to {longer.draws} draws a chain")
    seed = (done.settings.seed + longer.draws) % 2**31
    data = {**done.problem.data, **done.gaussian.data()}
    more = program.go_on(data, done.draws, replace(done.settings, seed=seed), say)
    return assemble(
        done.problem,
        strung([done.draws, more]),
        done.gaussian,
        parameters=parameters,
        settings=longer,
        engine=program.version,
        seconds=time.monotonic() - began,
        cpu_seconds=more.cpu_seconds,
    )


def _anew(done: Fit, program: Program, parameters: tuple[Parameter, ...], say: Progress) -> Fit:
    """Other chains: in smaller steps where draws diverged, longer where chains disagree."""
    chosen = done.settings
    if done.diagnostics.divergences:
        smaller = next((delta for delta in HARDER if delta > chosen.adapt_delta), HARDER[-1])
        chosen = replace(chosen, adapt_delta=max(smaller, chosen.adapt_delta))
    if not done.diagnostics.divergences or not _agree(done):
        chosen = replace(chosen, warmup=2 * chosen.warmup, draws=2 * chosen.draws)
    say(f"once more, with a target acceptance of {chosen.adapt_delta}")
    return fit(done.problem, program, parameters, chosen, say, gaussian=learnt(done))


def _agree(done: Fit) -> bool:
    """Chains that are only too short, as far as R-hat tells."""
    return done.diagnostics.max_r_hat < AGREED


def learnt(done: Fit) -> Gaussian | None:
    """A preconditioner from the draws; None where the chains disagree too much for one."""
    if not _agree(done):
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
