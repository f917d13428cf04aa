"""The embedded engine: Stan's compiler, headers and services from httpstan's wheel.

Chains run in threads of this process and write their draws into memory. The metric is
diagonal, so fits pass a preconditioner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Self

from many_wolves.contracts import Array
from many_wolves.inference.engines.embedded_build import compiled
from many_wolves.inference.engines.embedded_library import (
    Meter,
    StanModel,
    StoppedError,
    bound_model,
)
from many_wolves.inference.engines.programs import program_source
from many_wolves.inference.engines.protocol import Draws, Progress, Settings, StanData, join, strung
from many_wolves.inference.threads import cores

TELL_S = 0.2
"""Seconds between looks at how far the chains are."""


@dataclass(frozen=True)
class EmbeddedProgram:
    """A program compiled with httpstan's wheel."""

    library: Path
    compile_seconds: float
    engine: str = "httpstan"

    @property
    def version(self) -> str:
        """Version of the engine."""
        return f"httpstan {version('httpstan')}"

    @classmethod
    def load(cls, program: Path, progress: Progress | None = None, *, plain: bool = False) -> Self:
        """Compile the program, or take it from the cache; ``plain``: its Stan alone."""
        library, seconds = compiled(program_source(program, plain=plain), progress)
        return cls(library, seconds)

    def open(self, data: StanData) -> AbstractContextManager[StanModel]:
        """The program with these data, to be evaluated at many points."""
        return bound_model(self.library, data)

    def log_density(self, data: StanData, z: Array) -> Array:
        """(m,) log density at each row of z (m, D); -inf where Stan rejects."""
        with self.open(data) as program:
            return program.log_density(z)

    def sample(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: Settings,
        progress: Progress | None = None,
    ) -> Draws:
        """One chain from each start, as many at once as there are cores."""

        def chain(number: int, meter: Meter) -> Draws:
            with self.open(data) as program:
                return program.sample(starts[number], settings, number + 1, meter)

        each = settings.warmup + settings.draws
        return join(in_threads(chain, len(starts), each, progress))

    def go_on(
        self,
        data: StanData,
        chains: Draws,
        settings: Settings,
        progress: Progress | None = None,
    ) -> Draws:
        """More draws of each chain, as many chains at once as there are cores."""
        ends = chains.block("z")[:, -1]
        own = replace(settings, warmup=0)

        def chain(number: int, meter: Meter) -> Draws:
            with self.open(data) as program:
                adapted = chains.adapted[number]
                return program.sample(ends[number], own, number + 1, meter, adapted)

        return join(in_threads(chain, len(ends), own.draws, progress))

    def sample_replaced(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: Settings,
        replacements: Sequence[Sequence[StanData]],
        progress: Progress | None = None,
    ) -> Draws:
        """One chain from each start through its own replacements of the data."""

        def chain(number: int, meter: Meter) -> Draws:
            parts: list[Draws] = []
            here = starts[number]
            for step, replacement in enumerate(replacements[number]):
                own = replace(settings, seed=settings.seed + step)
                with self.open({**data, **replacement}) as program:
                    parts.append(program.sample(here, own, number + 1, meter))
                here = parts[-1].block("z")[0, -1]
            return replace(strung(parts), adapted=())

        each = (settings.warmup + settings.draws) * len(replacements[0])
        return join(in_threads(chain, len(starts), each, progress))


def in_threads(
    chain: Callable[[int, Meter], Draws], chains: int, each: int, progress: Progress | None
) -> list[Draws]:
    """All chains of ``each`` iterations; they end where this is interrupted or one fails."""
    meters = [Meter() for _ in range(chains)]
    told = 0
    with ThreadPoolExecutor(min(chains, cores())) as pool:
        futures = [pool.submit(chain, number, meter) for number, meter in enumerate(meters)]
        try:
            while not _ended(futures):
                tenth = 10 * sum(meter.done.value for meter in meters) // (chains * each)
                if progress is not None and told < tenth < 10:
                    progress(f"sampling {chains} chains: {tenth * 10} %")
                    told = tenth
        finally:
            for meter in meters:
                meter.stop.value = 1
    faults = [future.exception() for future in futures]
    for fault in faults:
        if fault is not None and not isinstance(fault, StoppedError):
            raise fault
    return [future.result() for future in futures]


def _ended(futures: Sequence[Future[Draws]]) -> bool:
    """Wait a moment; True where all are done or one has failed."""
    done, waiting = wait(futures, TELL_S, FIRST_EXCEPTION)
    return not waiting or any(future.exception() is not None for future in done)
