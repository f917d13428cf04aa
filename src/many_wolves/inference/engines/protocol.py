"""The protocol of a Stan engine: a compiled program, its density with given data, and chains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from many_wolves.contracts import Array
from many_wolves.inference.engines.draws import Draws, Whitening
from many_wolves.inference.settings import ChainSettings

StanData = Mapping[str, Any]
Progress = Callable[[str], None]


class Density(Protocol):
    """A log density of D unconstrained parameters."""

    def log_density(self, x: Array) -> Array:
        """(m,) log density at each row of x (m, D); -inf where it cannot be evaluated."""
        ...

    def log_density_gradient(self, x: Array) -> tuple[Array, Array]:
        """(m,) log densities and (m, D) gradients; NaN where they cannot be evaluated."""
        ...


class Model(Density, Protocol):
    """A Stan program with its data, with BridgeStan's method names."""

    @property
    def param_unc_num(self) -> int:
        """Number D of unconstrained parameters."""
        ...

    @property
    def param_unc_names(self) -> tuple[str, ...]:
        """Their names, such as ``share.2``."""
        ...

    @property
    def param_names(self) -> tuple[str, ...]:
        """Names of the parameters on the constrained scale."""
        ...

    @property
    def quantity_names(self) -> tuple[str, ...]:
        """The same, then transformed parameters and generated quantities."""
        ...

    def param_constrain(self, x: Array) -> Array:
        """(m, param_names) constrained parameters at each row of x (m, D)."""
        ...

    def param_unconstrain(self, parameters: Array) -> Array:
        """(m, D) the inverse of ``param_constrain``."""
        ...

    def quantities(self, x: Array, seed: int) -> Array:
        """(m, quantity_names) every quantity that the program computes at each row of x (m, D)."""
        ...


class Program(Protocol):
    """A compiled Stan program."""

    @property
    def version(self) -> str:
        """Name and version of the engine that samples."""
        ...

    @property
    def compile_seconds(self) -> float:
        """Seconds that compiling took; zero if the program was cached."""
        ...

    def open(self, data: StanData) -> AbstractContextManager[Model]:
        """The program with these data."""
        ...

    def sample(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: ChainSettings,
        whitening: Whitening,
        progress: Progress | None = None,
    ) -> Draws:
        """Run one chain from each start (D,), adapted in whitened coordinates."""
        ...

    def extend(
        self,
        data: StanData,
        chains: Draws,
        settings: ChainSettings,
        whitening: Whitening,
        progress: Progress | None = None,
    ) -> Draws:
        """Draw ``settings.draws`` more from each chain, from its last state and with its
        adaptation.

        ``settings.seed`` must differ from that of the draws before.
        """
        ...

    def sample_replaced(
        self,
        starts: Sequence[Array],
        settings: ChainSettings,
        whitening: Whitening,
        data: Sequence[Sequence[StanData]],
        progress: Progress | None = None,
    ) -> Draws:
        """Run one chain from each start through its own data sets, one after another.

        Each data set is sampled with ``settings`` from the last state of the one before. A chain
        joins their draws.
        """
        ...
