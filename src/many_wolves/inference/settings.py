"""Sampling settings of a fit: chains, iterations, target acceptance, seed."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from many_wolves.errors import WolvesError
from many_wolves.flags import flag

MOST_DRAWS = 10_000_000
"""Draws of all chains together that fit into memory: 3 GB for 43 parameters in double precision."""
LARGEST_SEED = 2**31 - 1
"""Stan takes unsigned 32-bit seeds; later stages of a fit count up from the seed."""
RANGES: dict[str, tuple[float, float]] = {
    "chains": (2, 1000),
    "warmup": (20, MOST_DRAWS),
    "draws": (8, MOST_DRAWS),
    "adapt_delta": (0.5, 0.9999),
    "max_depth": (1, 20),
    "seed": (0, LARGEST_SEED),
}
"""Smallest and largest value of each setting."""


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """An engine's settings of one chain, not validated; ``Settings`` documents them."""

    warmup: int
    draws: int
    adapt_delta: float
    max_depth: int
    seed: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Sampling settings of one posterior.

    Parameters
    ----------
    chains
        Number of chains, at least two because R-hat compares chains.
    warmup, draws
        Iterations of each chain during and after adaptation.
    adapt_delta
        Target acceptance of a leapfrog trajectory.
    max_depth
        Maximum number of doublings of a trajectory.
    seed
        Seed of all randomness in the fit.

    Raises
    ------
    WolvesError
        If a value is not a number in its range.
    """

    chains: int = 4
    warmup: int = 1000
    draws: int = 1000
    adapt_delta: float = 0.8
    max_depth: int = 10
    seed: int = 1

    @property
    def chain(self) -> ChainSettings:
        """The subset of settings that an engine needs."""
        return ChainSettings(self.warmup, self.draws, self.adapt_delta, self.max_depth, self.seed)

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name))
        if self.chains * self.draws > MOST_DRAWS:
            raise WolvesError(
                f"expected at most {MOST_DRAWS:,} draws in all chains, found {self.chains} x "
                f"{self.draws:,}",
                fix=f"--draws {MOST_DRAWS // self.chains}",
            )


def _check(name: str, value: float) -> None:
    low, high = RANGES[name]
    whole = name != "adapt_delta"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and math.isfinite(value) and low <= value <= high and (value % 1 == 0 or not whole):
        return
    raise WolvesError(
        f"expected {name} to be a {'whole ' if whole else ''}number from {low:g} to {high:g}, "
        f"found {value!r}",
        fix=f"set {name} ({flag(name)}) to a number in that range",
    )
