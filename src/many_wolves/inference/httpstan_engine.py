"""The embedded engine: Stan's compiler, headers and services from httpstan's wheel.

The compiled module is called in our own processes; its metric is diagonal, so fits
pass a preconditioner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize

from many_wolves.contracts import Array
from many_wolves.inference.engine import Draws, Progress, Settings, StanData
from many_wolves.inference.httpstan_build import compiled, module_at
from many_wolves.inference.httpstan_run import Chain, in_processes, run_chain, run_replaced
from many_wolves.inference.programs import program_source


@dataclass(frozen=True)
class HttpstanProgram:
    """A program compiled with httpstan's wheel."""

    module: Path
    compile_seconds: float
    engine: str = "httpstan"

    @property
    def version(self) -> str:
        """Version of the engine."""
        return f"httpstan {version('httpstan')}"

    @classmethod
    def load(cls, program: Path, progress: Progress | None = None, *, plain: bool = False) -> Self:
        """Compile the program, or take it from the cache; ``plain``: its Stan alone."""
        module, seconds = compiled(program_source(program, plain=plain), progress)
        return cls(module, seconds)

    def log_density(self, data: StanData, z: Array) -> Array:
        """(m,) log density at each row of z (m, D); -inf where Stan rejects."""
        call, given = module_at(self.module).log_prob, dict(data)
        with _parsed_once(given):
            return np.array([_or_minus_inf(call, given, row) for row in np.atleast_2d(z)])

    def gradient(self, data: StanData, z: Array) -> Array:
        """(m, D) gradient at each row of z (m, D)."""
        call, given = module_at(self.module).log_prob_grad, dict(data)
        with _parsed_once(given):
            return np.array([call(given, row.tolist(), True) for row in np.atleast_2d(z)])

    def optimise(self, data: StanData, start: Array) -> Array:
        """(D,) local maximum reached by L-BFGS from ``start`` (D,)."""
        module, given = module_at(self.module), dict(data)

        def negative(z: Array) -> tuple[float, Array]:
            row = z.tolist()
            value = _or_minus_inf(module.log_prob, given, z)
            if not np.isfinite(value):
                return 1e100, np.zeros_like(z)
            return -value, -np.asarray(module.log_prob_grad(given, row, True))

        with _parsed_once(given):
            found: Array = minimize(negative, start, jac=True, method="L-BFGS-B").x
        return found

    def sample(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: Settings,
        progress: Progress | None = None,
    ) -> Draws:
        """One chain from each start, in as many processes as there are cores."""
        chains = [
            Chain(self.module, dict(data), np.asarray(start), settings, i + 1)
            for i, start in enumerate(starts)
        ]
        return in_processes(run_chain, chains, progress)

    def sample_replaced(
        self,
        data: StanData,
        starts: Sequence[Array],
        settings: Settings,
        replacements: Sequence[Sequence[StanData]],
        progress: Progress | None = None,
    ) -> Draws:
        """One chain from each start through its own replacements of the data."""
        chains = [
            Chain(self.module, dict(data), np.asarray(start), settings, i + 1, tuple(own))
            for i, (start, own) in enumerate(zip(starts, replacements, strict=True))
        ]
        return in_processes(run_replaced, chains, progress)


@contextmanager
def _parsed_once(data: dict[str, Any]) -> Iterator[None]:
    """Within it, the compiled module takes the data as parsed on entry.

    The module asks httpstan to flatten the data at every call, in Python, which
    takes three times as long as the density itself.
    """
    import httpstan.utils

    parse = httpstan.utils._split_data
    parsed = parse(data)
    httpstan.utils._split_data = lambda _: parsed
    try:
        yield
    finally:
        httpstan.utils._split_data = parse


def _or_minus_inf(call: Any, data: dict[str, Any], z: Array) -> float:
    try:
        return float(call(data, z.tolist(), True))
    except (RuntimeError, ValueError):
        return -np.inf
