"""Parallel tempering for a posterior whose modes a chain rarely leaves. Chains at powers of the
likelihood from 1 down to ``COLDEST`` run in parallel and swap states. At low powers the modes
merge, so at power 1 each mode gets its share of the draws. Swaps alternate between even and odd
pairs. The powers are spaced so that all pairs have the same rejection rate (Syed,
Bouchard-Cote, Deligiannidis & Doucet 2022, doi:10.1111/rssb.12464).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from many_wolves.contracts import Array, Problem
from many_wolves.inference.engines.draws import Adapted, Draws, join_chains, join_draws
from many_wolves.inference.engines.embedded import EmbeddedProgram, in_threads
from many_wolves.inference.engines.embedded_library import Meter, StanModel
from many_wolves.inference.engines.protocol import Progress
from many_wolves.inference.sampling.modes import Gaussian
from many_wolves.inference.settings import LARGEST_SEED, ChainSettings, Settings

TEMPERED = ", tempered"
"""Suffix of the engine's name for draws from tempered ensembles."""
POWERS = 10
"""Number of chains of an ensemble."""
COLDEST = 0.3
"""Lowest power of the likelihood."""
WARMUP = 150
"""Iterations in which a chain adapts to its power."""
TRIAL = 100
"""Rounds of swaps before the powers are spaced again, and to forget the start."""
SPACINGS = 2
"""Number of times that the powers are spaced again."""
NEAREST = 0.01
"""A start within this distance of the centre, in standard deviations, is used unchanged."""


@dataclass
class Swaps:
    """The assignment of states to ``powers``, and statistics of the swaps."""

    powers: Array
    refused: Array = field(init=False)
    offered: Array = field(init=False)
    state: NDArray[np.int_] = field(init=False)
    """Number of the state at each power."""
    trips: int = 0
    """Number of times that a state moved from the lowest power to the highest."""
    returning: set[int] = field(default_factory=set)
    """States that visited the lowest power since they were last at the highest."""

    def __post_init__(self) -> None:
        pairs = len(self.powers) - 1
        self.refused, self.offered = np.zeros(pairs), np.zeros(pairs)
        self.state = np.arange(pairs + 1)

    def offer(self, likelihoods: Array, odd: bool, rng: np.random.Generator) -> NDArray[np.int_]:
        """Propose swaps of even or odd pairs; return the position from which each takes its state.

        Parameters
        ----------
        likelihoods
            (powers,) log-likelihood of the state at each power.
        """
        source = np.arange(len(self.powers))
        for i in range(int(odd), len(self.powers) - 1, 2):
            gain = (self.powers[i] - self.powers[i + 1]) * (likelihoods[i + 1] - likelihoods[i])
            self.offered[i] += 1
            self.refused[i] += 1 - np.exp(min(0.0, gain))
            if np.log(rng.uniform()) < gain:
                source[[i, i + 1]] = source[[i + 1, i]]
        self.state = self.state[source]
        if self.state[0] in self.returning:
            self.returning.remove(self.state[0])
            self.trips += 1
        self.returning.add(self.state[-1])
        return source

    @property
    def refusals(self) -> Array:
        """(powers - 1,) mean probability that a swap is rejected."""
        rates: Array = self.refused / np.maximum(1, self.offered)
        return rates


def respaced(powers: Array, refusals: Array) -> Array:
    """Space as many powers between the same ends, so that all pairs have equal rejection rates."""
    barrier = np.concatenate([[0.0], np.cumsum(np.maximum(refusals, 1e-3))])
    wanted = np.linspace(0.0, barrier[-1], len(powers))
    new: Array = np.interp(wanted, barrier, powers)
    return new


def sample_tempered(
    problem: Problem,
    gaussian: Gaussian,
    settings: Settings,
    progress: Progress | None = None,
) -> Draws:
    """Draw ``settings.draws`` times at power 1 from each of ``settings.chains`` ensembles.

    Tempering runs on the embedded engine. The messages of the draws report on the swaps.

    Raises
    ------
    WolvesError
        If the program does not compile or a chain cannot start.
    """
    program = EmbeddedProgram.load(problem.program, progress)

    def ensemble(number: int, meter: Meter) -> Draws:
        with ExitStack() as stack:
            return _Ensemble(problem, gaussian, program, settings, number, meter, stack).draws()

    each = POWERS * ((SPACINGS + 1) * (WARMUP + 1 + TRIAL) + settings.draws)
    return join_chains(in_threads(ensemble, settings.chains, each, progress))


class _Ensemble:
    """Chains at several powers of one likelihood."""

    def __init__(
        self,
        problem: Problem,
        gaussian: Gaussian,
        program: EmbeddedProgram,
        settings: Settings,
        number: int,
        meter: Meter,
        stack: ExitStack,
    ) -> None:
        assert problem.tempered is not None
        self._temper = problem.tempered
        self._data, self._gaussian = problem.data, gaussian
        self._program, self._settings, self._number = program, settings, number
        self._meter, self._stack = meter, stack
        self._rng = np.random.default_rng([settings.seed, number])
        self._posterior, self._prior = self._at(1.0), self._at(0.0)
        self._seconds = 0.0
        self._states = np.zeros((POWERS, self._posterior.param_unc_num))
        self._swaps = Swaps(np.geomspace(1.0, COLDEST, POWERS))

    def draws(self) -> Draws:
        """Warm up, and draw at power 1."""
        self._spaced(self._swaps.powers)
        self._anneal()
        for _ in range(SPACINGS):
            self._rounds(TRIAL)
            self._spaced(respaced(self._swaps.powers, self._swaps.refusals))
            self._adapt(range(POWERS))
        self._rounds(TRIAL)
        self._swaps = Swaps(self._swaps.powers)
        return self._with_message(self._rounds(self._settings.draws))

    def _at(self, power: float) -> StanModel:
        data = {**self._data, **self._temper(power)}
        return self._stack.enter_context(self._program.open(data))

    def _spaced(self, powers: Array) -> None:
        self._swaps = Swaps(powers)
        self._chains = [self._at(power) for power in powers]
        self._adapted: list[Adapted | None] = [None] * len(powers)

    def _anneal(self) -> None:
        """Start at the lowest power; each other chain starts from the last state of the one below.
        A chain that starts at power 1 may stay in a corner of negligible mass.
        """
        self._states[-1] = self._start()
        for place in reversed(range(POWERS)):
            self._adapt([place])
            if place > 0:
                self._states[place - 1] = self._states[place]

    def _start(self) -> Array:
        """(D,) draw from the widened Gaussian, closer to its centre if the density fails."""
        centre, scale = self._gaussian.centre, self._gaussian.scale
        apart = self._rng.normal(0.0, 1 / np.sqrt(COLDEST), centre.size)
        while np.abs(apart).max() > NEAREST and self._fails(centre + scale @ apart):
            apart /= 2
        return centre + scale @ apart

    def _fails(self, start: Array) -> bool:
        return not np.isfinite(self._posterior.log_density_gradient(start)[1]).all()

    def _adapt(self, places: Iterable[int]) -> None:
        own = replace(self._settings.chain, warmup=WARMUP, draws=1)
        for place in places:
            self._adapted[place] = self._step(place, own).adapted[0]

    def _rounds(self, rounds: int) -> Draws:
        """Draw at power 1: each iteration moves every chain once, then swaps states."""
        drawn = []
        own = replace(self._settings.chain, warmup=0, draws=1)
        for turn in range(rounds):
            for place in range(len(self._chains)):
                draws = self._step(place, own)
                if place == 0:
                    drawn.append(draws)
            likelihoods = self._posterior.log_density(self._states)
            likelihoods -= self._prior.log_density(self._states)
            source = self._swaps.offer(likelihoods, bool(turn % 2), self._rng)
            self._states = self._states[source]
        return join_draws(drawn)

    def _step(self, place: int, own: ChainSettings) -> Draws:
        """Move the state of one chain."""
        own = replace(own, seed=int(self._rng.integers(1, LARGEST_SEED)))
        chain, state = self._chains[place], self._states[place]
        draws = chain.sample(
            state, own, self._gaussian.whitening, place + 1, self._meter, self._adapted[place]
        )
        self._seconds += draws.cpu_seconds
        self._states[place] = draws.x[0, -1]
        return draws

    def _with_message(self, draws: Draws) -> Draws:
        """The draws, with a message on the swaps."""
        taken = 100 * (1 - float(self._swaps.refusals.mean()))
        message = (
            f"Ensemble {self._number + 1}: {POWERS} powers of the likelihood from 1 to {COLDEST}, "
            f"{taken:.0f} % of swaps accepted, {self._swaps.trips} round trips."
        )
        return replace(
            draws,
            cpu_seconds=self._seconds,
            engine=f"{draws.engine}{TEMPERED}",
            messages=(message,),
            adapted=(),
        )
