"""Parallel tempering: for a posterior whose regions a chain seldom leaves.

Chains at powers of the likelihood from 1 down to ``COLDEST`` run side by side and swap
places; where the power is low the regions join, and each holds its share of the draws at
power 1. Swaps go by turns over even and odd pairs, and the powers are spaced so that all
pairs refuse as often (Syed, Bouchard-Cote, Deligiannidis & Doucet 2022,
doi:10.1111/rssb.12464).
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
"""Ends the name of the engine where ensembles of tempered chains gave the draws."""
POWERS = 10
"""Chains of an ensemble."""
COLDEST = 0.3
"""The lowest power of the likelihood."""
WARMUP = 150
"""Iterations in which a chain adapts to its power."""
TRIAL = 100
"""Rounds of swaps from which the powers are spaced anew, and that forget the start."""
SPACINGS = 2
"""Times that the powers are spaced anew."""
NEAREST = 0.01
"""A start that is no further from the centre, in standard deviations, is taken as it is."""


@dataclass
class Swaps:
    """Which state stands at which of ``powers``, and how offers to swap went."""

    powers: Array
    refused: Array = field(init=False)
    offered: Array = field(init=False)
    state: NDArray[np.int_] = field(init=False)
    """By place, the number of the state there."""
    trips: int = 0
    """Times that a state came from the lowest power to the highest."""
    returning: set[int] = field(default_factory=set)
    """States on the way from the lowest power."""

    def __post_init__(self) -> None:
        pairs = len(self.powers) - 1
        self.refused, self.offered = np.zeros(pairs), np.zeros(pairs)
        self.state = np.arange(pairs + 1)

    def offer(self, likelihoods: Array, odd: bool, rng: np.random.Generator) -> NDArray[np.int_]:
        """The place from which each place takes its state; even or odd pairs may swap.

        Parameters
        ----------
        likelihoods
            (powers,) log-likelihoods of the states, by place.
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
        """(powers - 1,) mean probability that a swap is refused."""
        rates: Array = self.refused / np.maximum(1, self.offered)
        return rates


def respaced(powers: Array, refusals: Array) -> Array:
    """As many powers with the same ends, between which all pairs refuse as often."""
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
    """``settings.draws`` draws of each of ``settings.chains`` ensembles, at power 1.

    It runs on the embedded engine. The messages of the draws tell how the swaps went.

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
        """Let the chain at the lowest power begin, and each other where the one below it ended.

        A chain that began at power 1 might sit in a corner that holds no mass.
        """
        self._states[-1] = self._start()
        for place in reversed(range(POWERS)):
            self._adapt([place])
            if place > 0:
                self._states[place - 1] = self._states[place]

    def _start(self) -> Array:
        """(D,) from the Gaussian, widened; nearer to its centre where the density fails."""
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
        """Draws at power 1, an iteration of each chain and swaps in each."""
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
        """Let one chain move its state."""
        own = replace(own, seed=int(self._rng.integers(1, LARGEST_SEED)))
        chain, state = self._chains[place], self._states[place]
        draws = chain.sample(
            state, own, self._gaussian.whitening, place + 1, self._meter, self._adapted[place]
        )
        self._seconds += draws.cpu_seconds
        self._states[place] = draws.x[0, -1]
        return draws

    def _with_message(self, draws: Draws) -> Draws:
        """The draws, with how the swaps went."""
        taken = 100 * (1 - float(self._swaps.refusals.mean()))
        message = (
            f"Ensemble {self._number + 1}: {POWERS} powers of the likelihood from 1 to {COLDEST}, "
            f"{taken:.0f} % of swaps taken, {self._swaps.trips} round trips."
        )
        return replace(
            draws,
            cpu_seconds=self._seconds,
            engine=f"{draws.engine}{TEMPERED}",
            messages=(message,),
            adapted=(),
        )
