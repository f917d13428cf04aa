"""Fits with retries: more draws, smaller steps or tempering after a bad verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from many_wolves.contracts import Array, Parameter, Problem
from many_wolves.inference.engines.protocol import Program, Progress
from many_wolves.inference.sampling.effort import allowance, ended, steps_of
from many_wolves.inference.sampling.extend import in_smaller_steps, longer
from many_wolves.inference.sampling.fit import Fit, assemble, fit
from many_wolves.inference.sampling.modes import SMALL, Gaussian
from many_wolves.inference.sampling.multimodal import in_best_mode, with_regions
from many_wolves.inference.sampling.tempering import sample_tempered
from many_wolves.inference.settings import Settings

HARDER = (0.95, 0.99, 0.999)
"""Target acceptances to try if draws diverge."""
ATTEMPTS = 8
"""Further attempts after a bad verdict."""
LONGEST = 4
"""Chains that agree are extended up to this multiple of the requested draws. Those that are
``CLOSE`` by R-hat are extended to four times that, in shorter stretches."""
CLOSE = 1.02
QUICK_LOOK = 1600
"""Total draws below which a bad verdict is not retried: the user wants a quick look."""
TEMPERED_DELTA = 0.99
"""Minimum target acceptance of tempered chains, which reach corners that other chains miss."""
AGREED = 1.1
"""R-hat below which the draws of a failed attempt give a preconditioner."""
OVERLAPPING = 1.3
"""R-hat below which chains are too short rather than apart, if no parameter shows them apart.
Extending them costs a few percent of what tempered ensembles cost."""


def fit_with_retries(
    problem: Problem,
    program: Program,
    parameters: tuple[Parameter, ...],
    settings: Settings | None = None,
    progress: Progress | None = None,
    *,
    attempts: int = ATTEMPTS,
    longest_path: float = np.inf,
    known: Sequence[Array] = (),
) -> Fit:
    """Fit as ``fit`` does, and after a bad verdict try more draws or smaller steps.

    A posterior with sharp corners (a speaker that always says the same, a million choices) needs
    more than most. Chains that agree are extended to 1.5 or 2 times their length, or continue with
    half the step size if draws diverged. Chains in different modes are restarted in the best one;
    other chains that disagree are restarted or tempered. Modes that optimization found but no
    chain visited are sampled, too. The settings of the result are those of its last attempt; its
    seconds are the sum over all attempts. If fewer than 1,600 draws in all were requested, a bad
    verdict is not retried and mentions this.

    No attempt begins if one as long as the last would exceed ``effort.allowance``. The verdict then
    gives this reason.

    Parameters
    ----------
    attempts
        Maximum number of further attempts.
    longest_path
        Leapfrog steps per draw above which chains that disagree are not retried.
    known
        Points (D,) from which to look for modes, in addition to dispersed starts.

    Raises
    ------
    WolvesError
        If the problem cannot be fitted.
    """
    if problem.refused is not None:
        raise problem.refused
    say: Callable[[str], None] = progress or (lambda _: None)
    chosen = settings or Settings()
    done = fit(problem, program, parameters, chosen, progress, known=known)
    if done.settings.chains * done.settings.draws < QUICK_LOOK:
        return _quick_look(done)
    if done.diagnostics.chains_apart and attempts:
        attempts -= 1
        alone = in_best_mode(done, program, parameters, say, attempts)
        done = done if alone is None else _after(done, alone)
    left = allowance(chosen)
    for _ in range(attempts):
        path = done.draws.statistic("n_leapfrog__").mean()
        if done.diagnostics.ok or (path >= longest_path and not _agree(done)):
            break
        if done.steps > left:
            return replace(done, diagnostics=ended(done.diagnostics, chosen))
        further = _next(done, program, parameters, say, longest=LONGEST * chosen.draws)
        if further is None:
            break
        left -= further.steps
        done = _after(done, further)
    return with_regions(done, program, parameters, say) if done.diagnostics.ok else done


def _after(done: Fit, further: Fit) -> Fit:
    """A further attempt, with the time of all attempts."""
    return replace(
        further,
        seconds=done.seconds + further.seconds,
        cpu_seconds=done.cpu_seconds + further.cpu_seconds,
    )


def _quick_look(done: Fit) -> Fit:
    """A fit of few draws; a bad verdict mentions that nothing more was tried."""
    if done.diagnostics.ok:
        return done
    words = (
        f"Fewer than {QUICK_LOOK:,} draws in all were requested, so nothing was retried. With "
        f"--draws {-(-QUICK_LOOK // done.settings.chains)}, chains are extended or restarted "
        "with smaller steps until the verdict is good."
    )
    judged = replace(done.diagnostics, verdict=(*done.diagnostics.verdict, words))
    return replace(done, diagnostics=judged)


def _next(
    done: Fit, program: Program, parameters: tuple[Parameter, ...], say: Progress, longest: int
) -> Fit | None:
    """Try to fix the verdict by smaller steps, more draws or tempering; None if nothing is left."""
    now = done.settings
    diverged = done.diagnostics.divergences > 0
    if (_agree(done) or _overlap(done)) and not done.tempered:
        if diverged and done.draws.adapted:
            return in_smaller_steps(done, program, parameters, say)
        close = done.diagnostics.max_r_hat < CLOSE
        if not diverged and now.draws < (4 * longest if close else longest):
            return longer(done, program, parameters, say, by=0.5 if close else 1.0)
    enough = now.draws >= 4 * longest
    if done.tempered:
        return None if enough else _tempered(done, program, parameters, 2 * now.draws, say)
    smallest = not diverged or now.adapt_delta >= TEMPERED_DELTA
    if smallest and done.problem.tempered is not None:
        return _tempered(done, program, parameters, longest, say)
    return None if enough else _anew(done, program, parameters, say)


def _tempered(
    done: Fit, program: Program, parameters: tuple[Parameter, ...], draws: int, say: Progress
) -> Fit:
    """Sample tempered ensembles, because the chains of ``done`` disagree."""
    began = time.monotonic()
    smaller = _smaller(done)
    delta = max(smaller.adapt_delta, TEMPERED_DELTA)
    chosen = replace(smaller, draws=draws, adapt_delta=delta)
    say(f"the chains disagree: sampling {chosen.chains} tempered ensembles of {draws} draws")
    sampled = sample_tempered(done.problem, done.gaussian, chosen, say)
    return assemble(
        done.problem,
        program,
        sampled,
        done.gaussian,
        parameters=parameters,
        settings=chosen,
        seconds=time.monotonic() - began,
        cpu_seconds=sampled.cpu_seconds,
        steps=steps_of(sampled),
    )


def _anew(done: Fit, program: Program, parameters: tuple[Parameter, ...], say: Progress) -> Fit:
    """Restart the chains: with smaller steps if draws diverged, longer if chains disagree."""
    chosen = _smaller(done)
    if not done.diagnostics.divergences or not _agree(done):
        chosen = replace(chosen, warmup=2 * chosen.warmup, draws=2 * chosen.draws)
    say(f"sampling again with a target acceptance of {chosen.adapt_delta}")
    return fit(done.problem, program, parameters, chosen, say, gaussian=learnt(done))


def _smaller(done: Fit) -> Settings:
    """The settings of a fit, with smaller steps if its draws diverged."""
    now = done.settings.adapt_delta
    if not done.diagnostics.divergences:
        return done.settings
    return replace(done.settings, adapt_delta=min((d for d in HARDER if d > now), default=now))


def _agree(done: Fit) -> bool:
    """Whether the chains are only too short, by R-hat."""
    return done.diagnostics.max_r_hat < AGREED


def _overlap(done: Fit) -> bool:
    """Whether the chains move through the same places, but slowly."""
    found = done.diagnostics
    return not found.chains_apart and found.max_r_hat < OVERLAPPING


def learnt(done: Fit) -> Gaussian | None:
    """A preconditioner from the draws; None if the chains disagree too much.

    That of the fit is kept for many parameters, whose covariance needs more draws than there are.
    """
    if done.draws.x.shape[2] > SMALL:
        return done.gaussian
    if not _agree(done):
        return None
    x = done.draws.flat
    centre: Array = x.mean(axis=0)
    spread = np.cov(x.T, dtype=np.float64) + 1e-9 * np.eye(x.shape[1])
    scale: Array = np.asarray(np.linalg.cholesky(spread), dtype=np.float64)
    return Gaussian(centre, scale, done.gaussian.modes)
