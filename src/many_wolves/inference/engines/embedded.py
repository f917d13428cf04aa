"""The embedded engine: Stan's compiler, headers and sampler from httpstan's wheel.

Chains run in threads of this process and write their draws into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from many_wolves.contracts import Array
from many_wolves.inference.engines.draws import Draws, Whitening, join_chains, join_draws
from many_wolves.inference.engines.embedded_build import compiled, engine_version
from many_wolves.inference.engines.embedded_library import (
    Meter,
    StanModel,
    StoppedError,
    open_model,
)
from many_wolves.inference.engines.programs import Source, program_source
from many_wolves.inference.engines.protocol import Progress, StanData
from many_wolves.inference.settings import ChainSettings
from many_wolves.inference.threads import cores

TELL_S = 0.2
"""Seconds between two checks of the chains' progress."""


@dataclass(frozen=True)
class EmbeddedProgram:
    """A program compiled with httpstan's wheel."""

    library: Path
    compile_seconds: float

    @property
    def version(self) -> str:
        """Name and version of the engine."""
        return engine_version()

    @classmethod
    def load(cls, program: Path | Source, progress: Progress | None = None) -> Self:
        """Compile the program, or take it from the cache.

        Raises
        ------
        WolvesError
            If it does not compile.
        """
        source = program if isinstance(program, Source) else program_source(program)
        return cls(*compiled(source, progress))

    def open(self, data: StanData) -> AbstractContextManager[StanModel]:
        """The program with these data."""
        return open_model(self.library, data)

    def sample(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: ChainSettings,
        whitening: Whitening,
        progress: Progress | None = None,
    ) -> Draws:
        """Run one chain from each start (D,), as many at once as there are cores."""
        with self.open(data) as model:

            def chain(number: int, meter: Meter) -> Draws:
                return model.sample(starts[number], settings, whitening, number + 1, meter)

            each = settings.warmup + settings.draws
            return join_chains(in_threads(chain, len(starts), each, progress))

    def extend(
        self,
        data: StanData,
        chains: Draws,
        settings: ChainSettings,
        whitening: Whitening,
        progress: Progress | None = None,
    ) -> Draws:
        """Draw more from each chain, as many chains at once as there are cores."""
        ends, own = chains.x[:, -1], replace(settings, warmup=0)
        with self.open(data) as model:

            def chain(number: int, meter: Meter) -> Draws:
                adapted = chains.adapted[number]
                return model.sample(ends[number], own, whitening, number + 1, meter, adapted)

            return join_chains(in_threads(chain, len(ends), own.draws, progress))

    def sample_replaced(
        self,
        starts: Sequence[Array],
        settings: ChainSettings,
        whitening: Whitening,
        data: Sequence[Sequence[StanData]],
        progress: Progress | None = None,
    ) -> Draws:
        """Run one chain from each start through its own data sets, one after another."""

        def chain(number: int, meter: Meter) -> Draws:
            parts: list[Draws] = []
            here = starts[number]
            for step, own_data in enumerate(data[number]):
                own = replace(settings, seed=settings.seed + step)
                with self.open(own_data) as model:
                    parts.append(model.sample(here, own, whitening, number + 1, meter))
                here = parts[-1].x[0, -1]
            return replace(join_draws(parts), adapted=())

        each = (settings.warmup + settings.draws) * len(data[0])
        return join_chains(in_threads(chain, len(starts), each, progress))


def in_threads(
    chain: Callable[[int, Meter], Draws], chains: int, each: int, progress: Progress | None
) -> list[Draws]:
    """Run all chains for ``each`` iterations; an interrupt or a failed chain stops all of them."""
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
    """Wait a moment; return True if all are done or one has failed."""
    done, waiting = wait(futures, TELL_S, FIRST_EXCEPTION)
    return not waiting or any(future.exception() is not None for future in done)
