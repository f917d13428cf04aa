"""Posterior modes that no chain visited, and the mass of each mode. Optimization may find a mode
that no chain visited. New chains start there, too. If they stay, bridge sampling estimates the mass
of each mode, and the draws are mixed in that proportion.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from many_wolves.contracts import Array, Parameter
from many_wolves.inference.engines.draws import Draws
from many_wolves.inference.engines.protocol import Program, Progress
from many_wolves.inference.evaluation.bridge import Bridge
from many_wolves.inference.evaluation.marginal_likelihood import mass
from many_wolves.inference.sampling.effort import allowance, steps_of
from many_wolves.inference.sampling.extend import in_smaller_steps, longer
from many_wolves.inference.sampling.fit import Fit, Region, assemble
from many_wolves.inference.sampling.modes import (
    SMALL,
    Mode,
    gaussian_at,
    gaussian_with_modes,
    leads_to,
)
from many_wolves.inference.threads import on_one_thread

WORTH_A_LOOK = 1e-3
"""Smallest mass by Gaussian approximation, which can be wrong by a factor of ten for a narrow
mode."""
WORTH_MIXING = 2e-3
"""Mass by bridge sampling below which a mode is left out."""
NARROW = 0.5
"""Standard deviation of the starts around a mode, small enough that chains do not leave at once."""
ATTEMPTS = 3
"""Further attempts if the chains of a mode fail."""
AGREED = 1.05
"""R-hat below which the chains of a mode agree."""


def in_best_mode(
    done: Fit,
    program: Program,
    parameters: tuple[Parameter, ...],
    say: Progress,
    attempts: int = ATTEMPTS,
) -> Fit | None:
    """Sample the best mode alone, if the chains of a fit were in different modes.

    ``with_regions`` then adds the other modes, among them those in which the chains were.

    Returns
    -------
    Fit or None
        None if optimization from the chains finds no second mode, or if the new chains do not
        stay in the same mode. Then ensembles that move between modes are needed.
    """
    if done.problem.impute is not None or done.draws.x.shape[2] > SMALL:
        return None
    with program.open(done.problem.data) as density:
        gaussian = gaussian_with_modes(density, done.gaussian, done.draws.x[:, -1])
    if len(gaussian.modes) < 2:
        return None
    say("the chains are in different modes; sampling the best one")
    seed, most = done.settings.seed, min(attempts, ATTEMPTS)
    alone = _at(gaussian.modes[0], done, program, parameters, say, seed=seed, attempts=most)
    return replace(alone, gaussian=gaussian) if alone.diagnostics.max_r_hat < AGREED else None


def with_regions(
    done: Fit, program: Program, parameters: tuple[Parameter, ...], say: Progress
) -> Fit:
    """Add the modes that the chains of a fit missed, if they have enough mass."""
    if done.problem.impute is not None or done.draws.x.shape[2] > SMALL:
        return done
    began, cpu_seconds = time.monotonic(), 0.0
    clouds = [done.draws.flat]
    fits = [done]
    for mode, share in zip(done.gaussian.modes, done.gaussian.shares, strict=True):
        if share < WORTH_A_LOOK or _seen(program, done, clouds, mode):
            continue
        say(f"found an unvisited mode (about {100 * share:.2g} % of the mass); sampling it")
        seed = done.settings.seed + len(fits)
        there = _at(mode, done, program, parameters, say, seed=seed, clouds=clouds)
        cpu_seconds += there.cpu_seconds
        stayed = _stayed(clouds, there)
        if stayed.sum() > 1 and there.diagnostics.max_r_hat < AGREED:
            there = replace(there, draws=_of_chains(there.draws, stayed))
            fits.append(there)
            clouds.append(there.draws.flat)
    worth = _worth(fits, program) if len(fits) > 1 else ()
    if len(worth) > 1:
        whole = assemble(
            done.problem,
            program,
            mixed(worth, done.settings.seed),
            done.gaussian,
            parameters=parameters,
            settings=done.settings,
            seconds=done.seconds,
            cpu_seconds=done.cpu_seconds,
            regions=worth,
        )
    else:
        whole = done
    return replace(
        whole,
        seconds=done.seconds + time.monotonic() - began,
        cpu_seconds=done.cpu_seconds + cpu_seconds,
    )


@on_one_thread
def _seen(program: Program, done: Fit, clouds: Sequence[Array], mode: Mode) -> bool:
    """Whether the draw nearest to a mode leads to it."""
    with program.open(done.problem.data) as density:
        for x in clouds:
            apart = x - mode.x
            nearest = x[np.argmin(np.einsum("ni,ij,nj->n", apart, mode.precision, apart))]
            if leads_to(density, nearest, mode):
                return True
    return False


def _at(
    mode: Mode,
    done: Fit,
    program: Program,
    parameters: tuple[Parameter, ...],
    say: Progress,
    *,
    seed: int,
    clouds: Sequence[Array] = (),
    attempts: int = ATTEMPTS,
) -> Fit:
    """Run the same number of chains from a mode; they go on only while two stay off the clouds."""
    began = time.monotonic()
    gaussian = gaussian_at((mode,), mode.x.size)
    settings = replace(done.settings, seed=seed)
    starts = gaussian.starts(settings.chains, np.random.default_rng(seed), NARROW)
    draws = program.sample(done.problem.data, starts, settings.chain, gaussian.whitening, say)
    there = assemble(
        done.problem,
        program,
        draws,
        gaussian,
        parameters=parameters,
        settings=settings,
        seconds=time.monotonic() - began,
        cpu_seconds=draws.cpu_seconds,
        steps=steps_of(draws, settings.warmup),
    )
    left = allowance(settings)
    for _ in range(attempts):
        useless = there.diagnostics.max_r_hat >= AGREED or _stayed(clouds, there).sum() < 2
        if there.diagnostics.ok or useless or there.steps > left:
            break
        spent = there.cpu_seconds
        better = in_smaller_steps if there.diagnostics.divergences else longer
        there = better(there, program, parameters, say)
        left -= there.steps
        there = replace(there, cpu_seconds=spent + there.cpu_seconds)
    return there


def _stayed(clouds: Sequence[Array], there: Fit) -> NDArray[np.bool_]:
    """(chains,) which chains did not leave: a plane separates their draws from each of the
    clouds."""
    return np.array([all(parted(cloud, chain) for cloud in clouds) for chain in there.draws.x])


def _of_chains(draws: Draws, kept: NDArray[np.bool_]) -> Draws:
    adapted = tuple(one for one, k in zip(draws.adapted, kept, strict=True) if k)
    return replace(draws, x=draws.x[kept], sampler=draws.sampler[kept], adapted=adapted)


def parted(one: Array, other: Array) -> bool:
    """Whether Fisher's linear discriminant separates two clouds (n, D) completely."""
    within = np.cov(one.T) + np.cov(other.T)
    across = other.mean(axis=0) - one.mean(axis=0)
    normal = np.linalg.lstsq(np.atleast_2d(within), across, rcond=None)[0]
    return bool((one @ normal).max() < (other @ normal).min())


def _worth(fits: Sequence[Fit], program: Program) -> tuple[Region, ...]:
    """The modes of fits, without those of negligible mass."""
    masses = [mass(one.problem, program, one.draws, one.settings.seed, most=None) for one in fits]
    kept = [i for i, (share, _) in enumerate(shares(masses)) if share > WORTH_MIXING]
    return tuple(
        Region(fits[i].draws, fits[i].gaussian, masses[i], *found)
        for i, found in zip(kept, shares([masses[i] for i in kept]), strict=True)
    )


def shares(masses: Sequence[Bridge]) -> list[tuple[float, float]]:
    """Posterior mass of each mode, with its standard error."""
    logs = np.array([one.log_ml for one in masses])
    se = np.array([one.se for one in masses])
    share = np.exp(logs - np.logaddexp.reduce(logs))
    others = np.sum((share * se) ** 2) - (share * se) ** 2
    error = share * np.sqrt(((1 - share) * se) ** 2 + others)
    return list(zip(share.tolist(), error.tolist(), strict=True))


def mixed(regions: Sequence[Region], seed: int) -> Draws:
    """Draws of the first mode, with its share of them replaced by draws of the others."""
    first = regions[0].draws
    chains, n, _ = first.x.shape
    rng = np.random.default_rng([seed, len(regions)])
    source = rng.choice(len(regions), p=[one.share for one in regions], size=(chains, n))
    x, sampler = first.x.copy(), first.sampler.copy()
    for number, region in enumerate(regions[1:], 1):
        theirs = region.draws
        wanted = source == number
        drawn = np.resize(rng.permutation(len(theirs.flat)), wanted.sum())
        x[wanted] = theirs.flat[drawn]
        sampler[wanted] = theirs.sampler.reshape(-1, sampler.shape[2])[drawn]
    messages = tuple(dict.fromkeys(m for one in regions for m in one.draws.messages))
    return Draws(x, sampler, first.cpu_seconds, first.engine, messages)
