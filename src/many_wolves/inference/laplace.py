"""Modes of a posterior and the Gaussian at the best of them: starts and preconditioner.

The affine map changes the sampler's path, never the posterior; the modes go
into the verdict, so that a chain that misses one is not taken for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from many_wolves.contracts import Array
from many_wolves.inference.engine import Program, Settings, StanData
from many_wolves.inference.threads import on_one_thread

STEP = 1e-4
"""Finite-difference step on the unconstrained scale, where parameters are of order one."""
WORTH_NAMING = 1e-4
"""Share of the mass below which a local maximum is a ledge of the climb, not a mode."""
SAME_MODE = 0.05
"""Modes whose coordinates differ by less, in standard deviations of the best, are one."""
FLAT = 0.1
"""Curvature below this is taken as this: the priors alone bend about that much."""
STEEP = 1e10
"""Curvature above this is taken as this: beyond it no inverse is positive in double precision."""
NEWTON_STEPS = 6
SPREAD = 1.5
"""Starts of the chains are so much wider than the Gaussian."""
SHORT_PATH = 31.0
"""Leapfrog steps a draw up to which a preconditioner is taken without trying to do better."""


@dataclass(frozen=True)
class Mode:
    """A local maximum: where, how high, and ln of the mass that a Gaussian there holds."""

    z: Array
    log_density: float
    log_mass: float


@dataclass(frozen=True)
class Gaussian:
    """Centre (D,) and lower-triangular scale (D, D) at the best mode, and all modes found."""

    centre: Array
    scale: Array
    modes: tuple[Mode, ...]

    @property
    def shares(self) -> Array:
        """(modes,) share of the mass of each mode, by the Gaussians."""
        masses = np.array([mode.log_mass for mode in self.modes])
        shares = np.exp(masses - masses.max())
        normalised: Array = shares / shares.sum()
        return normalised

    def data(self) -> dict[str, Any]:
        """The preconditioner as Stan data."""
        return {
            "M": self.centre.size,
            "centre": self.centre.tolist(),
            "scale": self.scale.tolist(),
        }

    def starts(self, chains: int, rng: np.random.Generator, spread: float = SPREAD) -> list[Array]:
        """Starts for the preconditioned z: wider than the Gaussian by ``spread``."""
        return [rng.normal(0.0, spread, self.centre.size) for _ in range(chains)]


def possible_starts(
    program: Program, data: StanData, gaussian: Gaussian, chains: int, rng: np.random.Generator
) -> list[Array]:
    """Starts at which density and gradient are finite.

    A start that is not is drawn again, nearer to the mode each time: where the mode lies at
    an edge the Gaussian reaches far into places where the density underflows.
    """
    found = []
    for start in gaussian.starts(chains, rng):
        spread = SPREAD
        while not _finite(program, data, start) and spread > SPREAD / 64:
            spread /= 2
            start = gaussian.starts(1, rng, spread)[0]  # noqa: PLW2901
        found.append(start)
    return found


def _finite(program: Program, data: StanData, start: Array) -> bool:
    density = program.log_density(data, start[None])
    return bool(
        np.isfinite(density).all() and np.isfinite(program.gradient(data, start[None])).all()
    )


def unconditioned(size: int) -> dict[str, Any]:
    """Stan data for no preconditioner."""
    return {"M": 0, "centre": [], "scale": np.zeros((0, 0))}


@on_one_thread
def gaussian_at_modes(
    program: Program, data: StanData, size: int, rng: np.random.Generator, starts: int = 6
) -> Gaussian:
    """Climb from dispersed starts, and fit a Gaussian where the mass is.

    Parameters
    ----------
    data
        Stan data without a preconditioner.
    size
        Number of unconstrained parameters D.
    starts
        Number of starts, standard normal in each coordinate.
    """
    plain = {**data, **unconditioned(size), "keep": 0}
    found: list[tuple[Mode, Array]] = []
    for _ in range(starts):
        top = program.optimise(plain, rng.normal(size=size))
        top, curvature = _newton(program, plain, top)
        height = float(program.log_density(plain, top[None])[0])
        if not np.isfinite(height):
            continue
        precision = _positive(curvature)
        log_mass = height + size / 2 * np.log(2 * np.pi) - np.linalg.slogdet(precision)[1] / 2
        if not any(_same(top, other.z, precision) for other, _ in found):
            found.append((Mode(top, height, float(log_mass)), precision))
    if not found:
        return Gaussian(np.zeros(size), np.eye(size), ())
    found.sort(key=lambda pair: -pair[0].log_mass)
    best, precision = found[0]
    # By way of the eigenvalues: inv() would lose the small ones of a steep curvature.
    scale = np.linalg.cholesky(_positive(precision, power=-1)).astype(np.float64)
    return Gaussian(best.z, scale, tuple(mode for mode, _ in found))


def _newton(program: Program, data: StanData, start: Array) -> tuple[Array, Array]:
    """A few damped Newton steps; returns the point and the curvature (-Hessian) there."""
    z = start
    curvature = _curvature(program, data, z)
    height = float(program.log_density(data, z[None])[0])
    for _ in range(NEWTON_STEPS):
        gradient = program.gradient(data, z[None])[0]
        step = np.linalg.solve(_positive(curvature), gradient)
        step *= min(1.0, 2.0 / max(1e-12, float(np.abs(step).max())))
        higher = float(program.log_density(data, (z + step)[None])[0])
        if not higher >= height - 1e-9:
            break
        z, gained, height = z + step, higher - height, higher
        curvature = _curvature(program, data, z)
        if gained < 1e-6:
            break
    return z, curvature


def _curvature(program: Program, data: StanData, z: Array) -> Array:
    shifts = STEP * np.eye(z.size)
    gradients = program.gradient(data, np.concatenate([z + shifts, z - shifts]))
    hessian = (gradients[: z.size] - gradients[z.size :]) / (2 * STEP)
    curvature: Array = -(hessian + hessian.T) / 2
    return curvature


def _positive(curvature: Array, power: int = 1) -> Array:
    values, vectors = np.linalg.eigh(np.nan_to_num(curvature))
    positive: Array = (vectors * np.clip(values, FLAT, STEEP) ** power) @ vectors.T
    return positive


def _same(one: Array, other: Array, precision: Array) -> bool:
    distance = one - other
    return bool(np.sqrt(distance @ precision @ distance / distance.size) < SAME_MODE)


def shorter_path(
    program: Program, data: StanData, gaussian: Gaussian, rng: np.random.Generator
) -> Gaussian:
    """The Gaussian, or none where a short chain takes fewer steps without it.

    Choices that say little have a high and narrow mode far from the bulk of the
    posterior (theta finely tuned at a large alpha); its Gaussian would slow the
    sampler down by far.
    """
    steps = _probe(program, data, gaussian, rng)
    if steps <= SHORT_PATH:
        return gaussian
    plain = Gaussian(np.zeros_like(gaussian.centre), np.eye(gaussian.centre.size), gaussian.modes)
    return plain if _probe(program, data, plain, rng) < steps else gaussian


def _probe(program: Program, data: StanData, gaussian: Gaussian, rng: np.random.Generator) -> float:
    """Mean leapfrog steps of a short chain."""
    draws = program.sample(
        {**data, **gaussian.data(), "keep": 0},
        gaussian.starts(1, rng),
        Settings(chains=1, warmup=60, draws=30, max_depth=8, seed=int(rng.integers(1, 2**31))),
    )
    return float(draws.column("n_leapfrog__").mean())


def describe_modes(gaussian: Gaussian) -> list[dict[str, float]]:
    """Height and share of the mass of every mode worth naming, for the diagnostics."""
    return [
        {"log_density": mode.log_density, "share": float(share)}
        for mode, share in zip(gaussian.modes, gaussian.shares, strict=True)
        if share >= WORTH_NAMING
    ]
