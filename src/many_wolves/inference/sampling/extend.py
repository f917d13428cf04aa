"""More draws from the chains of a fit, with the same or smaller steps."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from many_wolves.contracts import Parameter
from many_wolves.inference.engines.draws import Draws, join_draws
from many_wolves.inference.engines.protocol import Program, Progress
from many_wolves.inference.sampling.cut import sample_imputed
from many_wolves.inference.sampling.effort import steps_of
from many_wolves.inference.sampling.fit import Fit, assemble
from many_wolves.inference.settings import LARGEST_SEED, Settings


def in_smaller_steps(
    done: Fit, program: Program, parameters: tuple[Parameter, ...], say: Progress
) -> Fit:
    """Draw again from the same chains with half the step size; the new draws replace the old."""
    began = time.monotonic()
    say("draws diverged: sampling again with half the step size")
    halved = tuple(replace(one, stepsize=one.stepsize / 2) for one in done.draws.adapted)
    chains = replace(done.draws, adapted=halved)
    draws = _more(done, program, chains, say, done.settings.draws)
    smaller = replace(done, halvings=done.halvings + 1)
    return _of_more(smaller, draws, program, parameters, done.settings, began, draws)


def longer(
    done: Fit, program: Program, parameters: tuple[Parameter, ...], say: Progress, by: float = 1.0
) -> Fit:
    """Extend the same chains to ``by`` times as many draws."""
    began = time.monotonic()
    extra = int(by * done.settings.draws)
    settings = replace(done.settings, draws=done.settings.draws + extra)
    say(f"extending the chains to {settings.draws} draws each")
    more = _more(done, program, done.draws, say, extra)
    draws = join_draws([done.draws, more])
    return _of_more(done, draws, program, parameters, settings, began, more)


def _more(done: Fit, program: Program, chains: Draws, say: Progress, draws: int) -> Draws:
    """Draw on from the last states of the chains."""
    problem, now = done.problem, done.settings
    # A different seed for each length and step size that the chains may reach.
    seed = (now.seed + now.chains * (now.draws + done.halvings + 1)) % LARGEST_SEED
    again = replace(now, seed=seed, draws=draws)
    if problem.impute is None:
        whitening = done.gaussian.whitening
        return program.extend(problem.data, chains, again.chain, whitening, say)
    rng = np.random.default_rng(again.seed)
    ends = list(chains.x[:, -1])
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
    new: Draws,
) -> Fit:
    return assemble(
        done.problem,
        program,
        draws,
        done.gaussian,
        parameters=parameters,
        settings=settings,
        seconds=time.monotonic() - began,
        cpu_seconds=new.cpu_seconds,
        halvings=done.halvings,
        steps=steps_of(new),
    )
