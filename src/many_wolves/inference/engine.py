"""What every Stan engine offers: a compiled program, its density and its chains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError

EngineName = Literal["auto", "httpstan", "cmdstan"]
StanData = Mapping[str, Any]
Progress = Callable[[str], None]

SAMPLER_COLUMNS = (
    "lp__",
    "accept_stat__",
    "stepsize__",
    "treedepth__",
    "n_leapfrog__",
    "divergent__",
    "energy__",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to sample: chains, iterations per chain, target acceptance, seed.

    ``halvings`` counts how often the step size of warm-up was halved, because draws diverged.
    """

    chains: int = 4
    warmup: int = 1000
    draws: int = 1000
    adapt_delta: float = 0.8
    max_depth: int = 10
    seed: int = 1
    halvings: int = 0


@dataclass(frozen=True)
class Adapted:
    """Step size and inverse metric of a chain: variances (D,), or covariances (D, D)."""

    stepsize: float
    metric: Array


@dataclass(frozen=True)
class Draws:
    """Draws of all chains.

    Parameters
    ----------
    columns
        Scalar names as Stan writes them, ``theta.1.2``; the sampler's own come first.
    values
        (chains, draws, columns).
    cpu_seconds
        Processor time of warm-up and sampling, all chains together.
    messages
        What Stan said, without its progress lines.
    adapted
        What the chains run with, by chain; empty where they changed it on the way.
    """

    columns: tuple[str, ...]
    values: Array
    cpu_seconds: float
    messages: tuple[str, ...] = ()
    adapted: tuple[Adapted, ...] = ()

    def column(self, name: str) -> Array:
        """(chains, draws) of one scalar."""
        return self.values[:, :, self.columns.index(name)]

    def block(self, name: str) -> Array:
        """(chains, draws, size) of all scalars of one variable, in Stan's order."""
        picked = [i for i, c in enumerate(self.columns) if c == name or c.startswith(f"{name}.")]
        return self.values[:, :, picked]


class Density(Protocol):
    """A program with its data."""

    def densities(self, z: Array) -> Array:
        """(m,) log density at each row of z (m, D); -inf where Stan rejects."""
        ...

    def gradients(self, z: Array) -> tuple[Array, Array]:
        """(m,) log densities, and (m, D) their gradients; NaN where Stan rejects."""
        ...


class Program(Protocol):
    """A compiled Stan program whose parameters are one unconstrained ``vector[D] z``."""

    @property
    def version(self) -> str:
        """Name and version of the engine."""
        ...

    @property
    def compile_seconds(self) -> float:
        """Time that compiling took; zero when it came from the cache."""
        ...

    def opened(self, data: StanData) -> AbstractContextManager[Density]:
        """The program with these data, to be evaluated at many points."""
        ...

    def log_density(self, data: StanData, z: Array) -> Array:
        """(m,) log density, normalised as the program writes it, at each row of z (m, D)."""
        ...

    def sample(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: Settings,
        progress: Progress | None = None,
    ) -> Draws:
        """One chain from each start (D,); a diagonal or dense metric, as the engine has."""
        ...

    def go_on(
        self,
        data: StanData,
        chains: Draws,
        settings: Settings,
        progress: Progress | None = None,
    ) -> Draws:
        """``settings.draws`` more of each chain, from where it ended and as it was adapted.

        ``settings.seed`` must be another than that of the draws before.
        """
        ...

    def sample_replaced(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: Settings,
        replacements: Sequence[Sequence[StanData]],
        progress: Progress | None = None,
    ) -> Draws:
        """One chain from each start, sampled anew for each replacement of the data in turn.

        Every replacement is sampled by ``settings`` from where the one before
        ended; a chain strings their draws together.
        """
        ...


@dataclass(frozen=True)
class EngineChoice:
    """The engine taken, and why."""

    name: Literal["httpstan", "cmdstan"]
    reason: str
    path: str = field(default="")


def choose(engine: EngineName) -> EngineChoice:
    """CmdStan where one is installed, else the embedded httpstan.

    Raises
    ------
    WolvesError
        If CmdStan was asked for by name and none is found.
    """
    found = find_cmdstan()
    if engine == "httpstan":
        return EngineChoice("httpstan", "asked for")
    if engine == "cmdstan" and found is None:
        raise WolvesError(
            "the engine cmdstan was asked for, and no CmdStan is installed",
            fix="run `install_cmdstan`, or set CMDSTAN to its folder, or pass --engine httpstan",
        )
    if found is None:
        return EngineChoice("httpstan", "no CmdStan is installed")
    return EngineChoice("cmdstan", "asked for" if engine == "cmdstan" else "found", str(found))


def find_cmdstan() -> Path | None:
    """Folder of an installed CmdStan, as cmdstanpy finds it."""
    import logging

    import cmdstanpy

    logging.getLogger("cmdstanpy").setLevel(logging.ERROR)
    try:
        return Path(cmdstanpy.cmdstan_path())
    except ValueError:
        return None


def load(program: Path, engine: EngineName = "auto", progress: Progress | None = None) -> Program:
    """Compile a program, or take it from the cache.

    Raises
    ------
    WolvesError
        If the program does not compile, or the engine is missing.
    """
    choice = choose(engine)
    if choice.name == "cmdstan":
        from many_wolves.inference.cmdstan_engine import CmdStanProgram

        return CmdStanProgram.load(program, progress)
    from many_wolves.inference.httpstan_engine import HttpstanProgram

    return HttpstanProgram.load(program, progress)


def stack(chains: Sequence[Array]) -> Array:
    """(chains, draws, columns) from equal chains (draws, columns)."""
    return np.stack(list(chains))


def join(chains: Sequence[Draws]) -> Draws:
    """One ``Draws`` from those of single chains."""
    adapted = tuple(one for chain in chains for one in chain.adapted)
    return _merged(chains, np.concatenate([chain.values for chain in chains], axis=0), adapted)


def strung(parts: Sequence[Draws]) -> Draws:
    """One ``Draws`` from parts of the same chains, one after another."""
    values = np.concatenate([part.values for part in parts], axis=1)
    return _merged(parts, values, parts[-1].adapted)


def _merged(parts: Sequence[Draws], values: Array, adapted: tuple[Adapted, ...]) -> Draws:
    return Draws(
        columns=parts[0].columns,
        values=values,
        cpu_seconds=sum(part.cpu_seconds for part in parts),
        messages=tuple(dict.fromkeys(m for part in parts for m in part.messages)),
        adapted=adapted,
    )
