"""From a problem to a fit: modes, preconditioned chains, summary, verdict."""

from __future__ import annotations

import os
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
    gaussian_at_better_mode,
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
ATTEMPTS = 6
"""Further attempts where the verdict is bad."""
LONGEST = 4
"""Times as many draws as asked for, up to which chains that agree go on; those that are
``CLOSE`` by R-hat go on to four times that."""
CLOSE = 1.02
QUICK_LOOK = 1600
"""Draws in all below which a bad verdict is left as it is: none better was asked for."""
TEMPERED_DELTA = 0.99
"""Target acceptance of tempered chains at least: they come to corners that others miss."""
TEMPERED = ", tempered"
"""Ends the name of the engine where ensembles of tempered chains gave the draws."""
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

    @property
    def tempered(self) -> bool:
        """Whether tempered ensembles gave the draws."""
        return self.engine.endswith(TEMPERED)


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
    began, cpu_began = time.monotonic(), _cpu_seconds()
    rng = np.random.default_rng(chosen.seed)
    if gaussian is None:
        say("looking for modes")
        gaussian = gaussian_at_modes(program, problem.data, problem.size, rng)
        gaussian = shorter_path(program, problem.data, gaussian, rng)
    # Chains tell their own time.
    cpu = _cpu_seconds() - cpu_began
    say(f"sampling {chosen.chains} chains of {chosen.warmup} + {chosen.draws}")
    draws = _sampled(problem, program, gaussian, chosen, rng, say)
    cpu += draws.cpu_seconds
    better = _better(problem, program, gaussian, draws)
    if better is not None:
        say("the chains lead to a mode of more mass; once more from there")
        gaussian = better
        draws = _sampled(problem, program, gaussian, chosen, rng, say)
        cpu += draws.cpu_seconds
    return assemble(
        problem,
        draws,
        gaussian,
        parameters=parameters,
        settings=chosen,
        engine=program.version,
        seconds=time.monotonic() - began,
        cpu_seconds=cpu,
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
    data = {**problem.data, **gaussian.data()}
    with program.opened({**data, "keep": 0}) as density:
        starts = possible_starts(density, gaussian, settings.chains, rng)
    return program.sample(data, starts, settings, say)


def _better(
    problem: Problem, program: Program, gaussian: Gaussian, draws: Draws
) -> Gaussian | None:
    """The Gaussian at a mode of more mass to which the ends of the chains lead, if they do."""
    if problem.impute is not None:
        return None
    ends = gaussian.centre + draws.block("z")[:, -1] @ gaussian.scale.T
    return gaussian_at_better_mode(program, problem.data, gaussian, ends)


def fit_carefully(
    problem: Problem,
    program: Program,
    parameters: tuple[Parameter, ...],
    settings: Settings | None = None,
    progress: Progress | None = None,
    *,
    attempts: int = ATTEMPTS,
) -> Fit:
    """As ``fit``; where the verdict is bad, with more draws or in smaller steps.

    A posterior with sharp corners (a speaker that always says the same, a million
    choices) needs more than most. Chains that agree go on, until they are twice as long, or
    in half the steps where draws diverged; chains that do not agree begin anew, or are
    tempered. The settings of the result are those that gave it, its seconds those of all
    attempts.

    Parameters
    ----------
    attempts
        How many more to make at most.

    Raises
    ------
    WolvesError
        If the problem is one to refuse.
    """
    if problem.refused is not None:
        raise problem.refused
    say: Callable[[str], None] = progress or (lambda _: None)
    chosen = settings or Settings()
    done = fit(problem, program, parameters, chosen, progress)
    if done.settings.chains * done.settings.draws < QUICK_LOOK:
        return done
    for _ in range(attempts):
        if done.diagnostics.ok:
            break
        before = done
        done = _next(done, program, parameters, say, longest=LONGEST * chosen.draws)
        done = replace(
            done,
            seconds=before.seconds + done.seconds,
            cpu_seconds=before.cpu_seconds + done.cpu_seconds,
        )
    return done


def _next(
    done: Fit, program: Program, parameters: tuple[Parameter, ...], say: Progress, longest: int
) -> Fit:
    """What may mend the verdict: smaller steps, more draws, or tempering."""
    if done.tempered:
        return _tempered(done, parameters, 2 * done.settings.draws, say)
    diverged = done.diagnostics.divergences > 0
    if _agree(done) and diverged and done.draws.adapted:
        return _in_smaller_steps(done, program, parameters, say)
    if _agree(done) and not diverged:
        short = done.settings.draws < longest
        if short or (done.diagnostics.max_r_hat < CLOSE and done.settings.draws < 4 * longest):
            return _longer(done, program, parameters, say)
    if not diverged and done.problem.tempered is not None:
        return _tempered(done, parameters, longest, say)
    return _anew(done, program, parameters, say)


def _in_smaller_steps(
    done: Fit, program: Program, parameters: tuple[Parameter, ...], say: Progress
) -> Fit:
    """As many draws of the same chains, in steps half as long, in place of those that diverged."""
    began = time.monotonic()
    say("draws diverged: once more, in half the steps")
    halved = tuple(replace(one, stepsize=one.stepsize / 2) for one in done.draws.adapted)
    draws = _more(done, program, replace(done.draws, adapted=halved), say)
    settings = replace(done.settings, halvings=done.settings.halvings + 1)
    return _of_more(done, draws, program, parameters, settings, began, draws.cpu_seconds)


def _longer(done: Fit, program: Program, parameters: tuple[Parameter, ...], say: Progress) -> Fit:
    """Twice as many draws of the same chains."""
    began = time.monotonic()
    longer = replace(done.settings, draws=2 * done.settings.draws)
    say(f"going on, to {longer.draws} draws a chain")
    more = _more(done, program, done.draws, say)
    draws = strung([done.draws, more])
    return _of_more(done, draws, program, parameters, longer, began, more.cpu_seconds)


def _more(done: Fit, program: Program, chains: Draws, say: Progress) -> Draws:
    """As many draws as there are, from where the chains ended."""
    problem, now = done.problem, done.settings
    # Another seed for each length and step size that the chains may come to.
    seed = (now.seed + now.chains * (now.draws + now.halvings + 1)) % 2**31
    again = replace(now, seed=seed)
    if problem.impute is None:
        return program.go_on({**problem.data, **done.gaussian.data()}, chains, again, say)
    rng = np.random.default_rng(again.seed)
    ends = list(chains.block("z")[:, -1])
    return sample_imputed(
        problem, program, done.gaussian, settings=again, rng=rng, progress=say, starts=ends
    )


def _of_more(
    done: Fit,
    draws: Draws,
    program: Program,
    parameters: tuple[Parameter, ...],
    settings: Settings,
    began: float,
    cpu_seconds: float,
) -> Fit:
    return assemble(
        done.problem,
        draws,
        done.gaussian,
        parameters=parameters,
        settings=settings,
        engine=program.version,
        seconds=time.monotonic() - began,
        cpu_seconds=cpu_seconds,
    )


def _tempered(done: Fit, parameters: tuple[Parameter, ...], draws: int, say: Progress) -> Fit:
    """Ensembles of tempered chains, where those of ``done`` do not come to one posterior."""
    from many_wolves.inference.tempering import sample_tempered

    began = time.monotonic()
    smaller = _smaller(done)
    delta = max(smaller.adapt_delta, TEMPERED_DELTA)
    chosen = replace(smaller, draws=draws, adapt_delta=delta)
    say(f"the chains do not come together: {chosen.chains} tempered ensembles of {draws} draws")
    sampled = sample_tempered(done.problem, done.gaussian, chosen, say)
    return assemble(
        done.problem,
        sampled,
        done.gaussian,
        parameters=parameters,
        settings=chosen,
        engine=f"{done.engine.removesuffix(TEMPERED)}{TEMPERED}",
        seconds=time.monotonic() - began,
        cpu_seconds=sampled.cpu_seconds,
    )


def _anew(done: Fit, program: Program, parameters: tuple[Parameter, ...], say: Progress) -> Fit:
    """Other chains: in smaller steps where draws diverged, longer where chains disagree."""
    chosen = _smaller(done)
    if not done.diagnostics.divergences or not _agree(done):
        chosen = replace(chosen, warmup=2 * chosen.warmup, draws=2 * chosen.draws)
    say(f"once more, with a target acceptance of {chosen.adapt_delta}")
    return fit(done.problem, program, parameters, chosen, say, gaussian=learnt(done))


def _smaller(done: Fit) -> Settings:
    """The settings of a fit, with smaller steps where its draws diverged."""
    now = done.settings.adapt_delta
    if not done.diagnostics.divergences:
        return done.settings
    return replace(done.settings, adapt_delta=min((d for d in HARDER if d > now), default=now))


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
            moving=problem.impute is not None or not draws.adapted,
        ),
        settings=settings,
        engine=engine,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        gaussian=gaussian,
        draws=draws,
    )


def _cpu_seconds() -> float:
    """Processor time of this process and of the children it has waited for."""
    return sum(os.times()[:4])


def with_data(problem: Problem, **changes: Any) -> Problem:
    """The same problem with some of its Stan data replaced."""
    data: Mapping[str, Any] = {**problem.data, **changes}
    return replace(problem, data=data)
