"""Modes of a posterior, and the Gaussian at the best one: starts and preconditioner. The affine map
changes the sampler's path, never the posterior. The verdict names the modes, including those that a
chain missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from many_wolves.contracts import Array
from many_wolves.inference.engines.draws import Whitening
from many_wolves.inference.engines.protocol import Density, Model, Program, StanData
from many_wolves.inference.settings import LARGEST_SEED, ChainSettings
from many_wolves.inference.threads import on_one_thread

STEP = 1e-4
"""Finite-difference step on the unconstrained scale, where parameters are of order one."""
WORTH_NAMING = 1e-4
"""Share of the mass below which a local maximum does not count as a mode."""
SAME_MODE = 0.05
"""Modes that differ by less than this, in standard deviations of the best one, are the same."""
FLAT = 0.1
"""Lower bound of the curvature: about that of the priors alone."""
STEEP = 1e10
"""Upper bound of the curvature: above it, inverses lose positive definiteness in double
precision."""
SMALL = 100
"""Number of parameters up to which optimization uses Newton steps throughout, without a limit."""
NEGLIGIBLE = 1e-4
"""Share of a parameter's standard deviation below which an entry of a large scale is set to zero.
Without such entries, a leapfrog step of 1,650 parameters takes a thirteenth of the time."""
STARTS, MOST_STARTS = 6, 24
SPREADS = (1.0, 1.5)
"""Standard deviations of the starts, used alternately; that of the priors is about one."""
MOST_RIDGES = 4
"""Times that runs along a ridge begin again, because they led to a better mode."""
CLIMB_STEPS, LAST_STEPS = 120, 6
HELD = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Values on the unconstrained scale at which a coordinate is held."""
AT_REST = 0.1
"""An optimization run has converged if twice its Newton step's expected gain, in nats, is
smaller."""
SLOPE = 1e-3
"""An optimization run ends if its gradient is shorter."""
LOWEST = -1e300
"""Replaces a log density that is not finite."""
MOST = 1e100
"""Entries of gradients and curvatures beyond this size are set to it: products stay finite."""
SPREAD = 1.5
"""Factor by which the chains' starts are wider than the Gaussian."""
SHORT_PATH = 31.0
"""Leapfrog steps per draw up to which a preconditioner is accepted without a comparison."""


@dataclass(frozen=True)
class Mode:
    """A local maximum: its position, its height, and the log mass of a Gaussian there.

    ``x`` (D,) is the position, ``precision`` (D, D) the curvature there, made positive definite.
    ``reached`` counts the optimization runs that ended there.
    """

    x: Array
    log_density: float
    log_mass: float
    precision: Array
    reached: int = 1


@dataclass(frozen=True)
class Gaussian:
    """Centre (D,) and lower-triangular scale (D, D) at the best mode, and all modes found."""

    centre: Array
    scale: Array
    modes: tuple[Mode, ...]

    @property
    def shares(self) -> Array:
        """(modes,) share of the mass of each mode, by Gaussian approximation."""
        masses = np.array([mode.log_mass for mode in self.modes])
        shares = np.exp(masses - masses.max())
        normalised: Array = shares / shares.sum()
        return normalised

    @property
    def whitening(self) -> Whitening:
        """The map to coordinates in which the Gaussian is standard normal."""
        return Whitening(self.centre, self.scale)

    def starts(self, chains: int, rng: np.random.Generator, spread: float = SPREAD) -> list[Array]:
        """Starts (D,) of chains: draws from the Gaussian, widened by ``spread``."""
        size = self.centre.size
        return [self.centre + self.scale @ rng.normal(0.0, spread, size) for _ in range(chains)]


def possible_starts(
    density: Density, gaussian: Gaussian, chains: int, rng: np.random.Generator
) -> list[Array]:
    """Starts at which density and gradient are finite.

    A start with an infinite density is drawn again, closer to the mode each time. Near a mode at an
    edge, the Gaussian reaches far into places where the density underflows.
    """
    found = []
    for start in gaussian.starts(chains, rng):
        spread = SPREAD
        while not _finite(density, start) and spread > SPREAD / 64:
            spread /= 2
            start = gaussian.starts(1, rng, spread)[0]  # noqa: PLW2901
        found.append(start)
    return found


def _finite(density: Density, start: Array) -> bool:
    value, gradient = density.log_density_gradient(start[None])
    return bool(np.isfinite(value).all() and np.isfinite(gradient).all())


@on_one_thread
def gaussian_at_modes(
    model: Model,
    rng: np.random.Generator,
    *,
    starts: int = STARTS,
    ridge: Iterable[str] = (),
    known: Iterable[Array] = (),
) -> Gaussian:
    """Optimize from dispersed starts, and fit a Gaussian at the mode with the most mass.

    If only one optimization run reached that mode, more runs search for a better one. Runs along a
    ridge find modes that other runs may miss. They start at the best points with one coordinate
    held at each of several values, and again from a better mode that they lead to.

    With more than ``SMALL`` parameters, only the highest of the points that L-BFGS reaches becomes
    a mode: the curvature at each would take minutes.

    Parameters
    ----------
    model
        The program with its data.
    starts
        Minimum number of starts, normal in each coordinate.
    ridge
        Names of the unconstrained parameters to hold.
    known
        Further starts (D,), such as the modes of a problem that differs little. Those of another
        number of parameters are left out.
    """
    modes: list[Mode] = []
    size = model.param_unc_num
    points = [point for point in known if point.size == size]
    if size > SMALL:
        points += [_dispersed(n, size, rng) for n in range(starts)]
        points = [_highest(model, points)]
    for point in points:
        modes = _with_climb(modes, model, point)
    for climb in range(MOST_STARTS if size <= SMALL else 0):
        if climb >= starts and modes and modes[0].reached > 1:
            break
        modes = _with_climb(modes, model, _dispersed(climb, size, rng))
    for _ in range(MOST_RIDGES):
        best = modes[:1]
        for mode, name, place in product(best, ridge, HELD):
            coordinate = model.param_unc_names.index(name)
            modes = _with_climb(modes, model, _held(model, mode.x, coordinate, place))
        if not best or _same(modes[0].x, best[0].x, best[0].precision):
            break
    return gaussian_at(modes, size)


def _dispersed(number: int, size: int, rng: np.random.Generator) -> Array:
    """A start (size,); starts alternate between the ``SPREADS``."""
    return rng.normal(0.0, SPREADS[number % len(SPREADS)], size)


def _highest(density: Density, starts: Sequence[Array]) -> Array:
    """(D,) the highest point that L-BFGS reaches from the starts (D,)."""
    reached = np.array([_near(density, start) for start in starts])
    highest: Array = reached[np.argmax(density.log_density(reached))]
    return highest


@on_one_thread
def gaussian_at_better_mode(
    density: Density, gaussian: Gaussian, points: Iterable[Array]
) -> Gaussian | None:
    """Return the Gaussian at a mode of more mass, if the points lead to one.

    Returns None also if the Gaussian is not at its best mode, because no mode helps then.

    Parameters
    ----------
    points
        Points (D,) of the posterior.
    """
    modes, size = gaussian.modes, gaussian.centre.size
    if not modes or size > SMALL or not np.array_equal(gaussian.centre, modes[0].x):
        return None
    found = gaussian_with_modes(density, gaussian, points)
    better = found.modes[0].log_mass - modes[0].log_mass > np.log(2)
    return found if better else None


@on_one_thread
def gaussian_with_modes(density: Density, gaussian: Gaussian, points: Iterable[Array]) -> Gaussian:
    """The Gaussian at the best mode, among those known and those that the points (D,) lead to."""
    modes = list(gaussian.modes)
    for point in points:
        modes = _with_climb(modes, density, point)
    return gaussian_at(modes, gaussian.centre.size)


def gaussian_at(modes: Sequence[Mode], size: int) -> Gaussian:
    """The Gaussian at the first mode, or the standard Gaussian without modes."""
    if not modes:
        return Gaussian(np.zeros(size), np.eye(size), ())
    # Through the eigenvalues: inv() would lose the small ones of a steep curvature.
    scale = np.linalg.cholesky(_positive(modes[0].precision, power=-1)).astype(np.float64)
    if size > SMALL:
        scale = _thinned(scale)
    return Gaussian(modes[0].x, scale, tuple(modes))


def _thinned(scale: Array) -> Array:
    """A lower-triangular scale (D, D) without its negligible entries off the diagonal."""
    sd = np.linalg.norm(scale, axis=1, keepdims=True)
    kept = (np.abs(scale) > NEGLIGIBLE * sd) | np.eye(len(scale), dtype=bool)
    return np.where(kept, scale, 0.0)


def _with_climb(modes: Sequence[Mode], density: Density, start: Array) -> list[Mode]:
    """The modes by decreasing mass, including the one that optimization from ``start`` reaches."""
    top = _climb(density, start)
    height, slope, curvature = _evaluated(density, top)
    precision = _positive(curvature)
    on_the_way = top.size <= SMALL and slope @ np.linalg.solve(precision, slope) > AT_REST
    if height <= LOWEST or on_the_way:
        return list(modes)
    log_mass = height + top.size / 2 * np.log(2 * np.pi) - np.linalg.slogdet(precision)[1] / 2
    known = [_same(top, mode.x, mode.precision) for mode in modes]
    if any(known):
        at = known.index(True)
        again = replace(modes[at], reached=modes[at].reached + 1)
        return [again if i == at else mode for i, mode in enumerate(modes)]
    new = Mode(top, height, float(log_mass), precision)
    return sorted([*modes, new], key=lambda mode: -mode.log_mass)


def leads_to(density: Density, start: Array, mode: Mode) -> bool:
    """Whether optimization from ``start`` (D,) ends at a known mode."""
    found = _with_climb((), density, start)
    return bool(found) and _same(found[0].x, mode.x, mode.precision)


# A step that overflows is refused; NumPy's warning about it tells the user nothing.
@np.errstate(over="ignore", invalid="ignore")
def _climb(density: Density, start: Array) -> Array:
    """(D,) local maximum reached by Newton steps in a trust region.

    Quasi-Newton steps may end on a low and wide hill. Newton steps also find a high and narrow one
    next to it, which may have more mass.
    """
    from scipy.optimize import minimize

    small = start.size <= SMALL
    at: dict[bytes, tuple[float, Array, Array]] = {}

    def evaluated(x: Array) -> tuple[float, Array, Array]:
        key = x.tobytes()
        if key not in at:
            at.clear()
            at[key] = _evaluated(density, x)
        return at[key]

    if not small:
        # A Hessian by differences takes 2 D gradients.
        start = _near(density, start)
    top: Array = minimize(
        lambda x: -evaluated(x)[0],
        start,
        jac=lambda x: -evaluated(x)[1],
        hess=lambda x: evaluated(x)[2],
        method="trust-exact",
        options={"gtol": SLOPE, "maxiter": CLIMB_STEPS if small else LAST_STEPS},
    ).x
    return top


def _held(density: Density, start: Array, coordinate: int, place: float) -> Array:
    """(D,) approximate maximum with one coordinate held."""
    moved = start.copy()
    moved[coordinate] = place
    free = np.arange(start.size) != coordinate
    return _near(density, moved, free)


def _near(density: Density, start: Array, free: NDArray[np.bool_] | None = None) -> Array:
    """(D,) approximate local maximum over the free coordinates, by L-BFGS."""
    from scipy.optimize import minimize

    moving = np.ones(start.size, dtype=bool) if free is None else free
    x = start.copy()

    def negative(part: Array) -> tuple[float, Array]:
        x[moving] = part
        values, gradients = density.log_density_gradient(x[None])
        return -float(np.maximum(values[0], LOWEST)), -np.nan_to_num(gradients[0])[moving]

    x[moving] = minimize(negative, start[moving], jac=True, method="L-BFGS-B").x
    return x


def _evaluated(density: Density, x: Array) -> tuple[float, Array, Array]:
    """Log density, gradient (D,) and curvature (D, D), the negative Hessian, by differences."""
    shifts = STEP * np.eye(x.size)
    values, gradients = density.log_density_gradient(
        np.concatenate([x[None], x + shifts, x - shifts])
    )
    # Far out, gradients overflow.
    with np.errstate(over="ignore", invalid="ignore"):
        hessian = (gradients[1 : 1 + x.size] - gradients[1 + x.size :]) / (2 * STEP)
        curvature = -_bounded((hessian + hessian.T) / 2)
    return float(np.maximum(values[0], LOWEST)), _bounded(gradients[0]), curvature


def _bounded(entries: Array) -> Array:
    return np.clip(np.nan_to_num(entries), -MOST, MOST)


def _positive(curvature: Array, power: int = 1) -> Array:
    values, vectors = np.linalg.eigh(curvature)
    positive: Array = (vectors * np.clip(values, FLAT, STEEP) ** power) @ vectors.T
    return positive


def _same(one: Array, other: Array, precision: Array) -> bool:
    distance = one - other
    return bool(np.sqrt(distance @ precision @ distance / distance.size) < SAME_MODE)


def shorter_path(
    program: Program, data: StanData, gaussian: Gaussian, rng: np.random.Generator
) -> Gaussian:
    """Return the Gaussian, or the standard one if a short chain takes fewer steps with that.

    Uninformative choices have a high and narrow mode far from the bulk of the posterior: theta is
    finely tuned at a large alpha. The Gaussian of that mode would slow the sampler down severely.
    """
    steps = _probe(program, data, gaussian, rng)
    if steps <= SHORT_PATH:
        return gaussian
    plain = Gaussian(np.zeros_like(gaussian.centre), np.eye(gaussian.centre.size), gaussian.modes)
    return plain if _probe(program, data, plain, rng) < steps else gaussian


def _probe(program: Program, data: StanData, gaussian: Gaussian, rng: np.random.Generator) -> float:
    """Mean leapfrog steps of a short chain."""
    starts = gaussian.starts(1, rng)
    seed = int(rng.integers(1, LARGEST_SEED))
    settings = ChainSettings(warmup=60, draws=30, adapt_delta=0.8, max_depth=8, seed=seed)
    draws = program.sample(data, starts, settings, gaussian.whitening)
    return float(draws.statistic("n_leapfrog__").mean())


def describe_modes(gaussian: Gaussian) -> list[dict[str, float]]:
    """Height and mass of every mode that is large enough to name, for the diagnostics."""
    return [
        {"log_density": mode.log_density, "share": float(share)}
        for mode, share in zip(gaussian.modes, gaussian.shares, strict=True)
        if share >= WORTH_NAMING
    ]
