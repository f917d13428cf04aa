"""A compiled program with its data, as a library of ``httpstan_build`` offers it.

Its calls let go of Python's lock, so that chains run in threads.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.inference.engine import SAMPLER_COLUMNS, Adapted, Draws, Settings, StanData
from many_wolves.inference.httpstan_build import load_dependencies

_CHATTER = ("Gradient evaluation took", "1000 transitions using", "Adjust your expectations")
_TIMES = ("seconds (Warm-up)", "seconds (Sampling)", "seconds (Total)")


class StoppedError(Exception):
    """A chain was told to end before its last draw."""


@dataclass
class Meter:
    """What a chain and those who wait for it tell each other."""

    done: ctypes.c_int64 = field(default_factory=ctypes.c_int64)
    """Iterations so far."""
    stop: ctypes.c_int32 = field(default_factory=ctypes.c_int32)
    """Ends the chain when it is not 0."""


@dataclass(frozen=True)
class Served:
    """A program with its data; ``columns`` are those of a draw, ``size`` is D."""

    library: Any
    handle: int
    size: int
    columns: tuple[str, ...]

    def densities(self, z: Array) -> Array:
        """(m,) log density at each row of z (m, D); -inf where Stan rejects."""
        rows = self._rows(z)
        found = np.empty(len(rows))
        self._check(
            self.library.wolves_densities(self.handle, len(rows), _at(rows), _at(found)),
        )
        return np.where(np.isnan(found), -np.inf, found)

    def gradients(self, z: Array) -> tuple[Array, Array]:
        """(m,) log densities, and (m, D) their gradients; NaN where Stan rejects."""
        rows = self._rows(z)
        densities, found = np.empty(len(rows)), np.empty(rows.shape)
        self._check(
            self.library.wolves_gradients(
                self.handle, len(rows), _at(rows), _at(densities), _at(found)
            )
        )
        return np.where(np.isnan(densities), -np.inf, densities), found

    def quantities(self, z: Array, seed: int, chain: int) -> Array:
        """(m, columns less the sampler's) of what the program writes of each row of z (m, D)."""
        rows = self._rows(z)
        written = np.empty((len(rows), len(self.columns) - len(SAMPLER_COLUMNS)))
        self._check(
            self.library.wolves_quantities(
                self.handle, seed, chain, len(rows), _at(rows), _at(written), written.shape[1]
            )
        )
        return written

    def sample(
        self,
        start: Array,
        settings: Settings,
        chain: int,
        meter: Meter,
        adapted: Adapted | None = None,
    ) -> Draws:
        """One chain from ``start`` (D,).

        Parameters
        ----------
        adapted
            Where warm-up begins; without warm-up, what the chain runs with.

        Raises
        ------
        StoppedError
            If the meter told it to end.
        WolvesError
            If the density cannot be evaluated at the start or on the way.
        """
        values = np.empty((settings.draws, len(self.columns)))
        metric = np.ones(self.size) if adapted is None else adapted.metric.copy()
        step, seconds = ctypes.c_double(adapted.stepsize if adapted else 1.0), ctypes.c_double()
        status = self.library.wolves_sample(
            self.handle,
            _at(self._rows(start)),
            *(settings.seed, chain, settings.warmup, settings.draws),
            ctypes.c_double(settings.adapt_delta),
            settings.max_depth,
            *(ctypes.byref(step), _at(metric), _at(values), len(self.columns)),
            *(ctypes.byref(seconds), ctypes.byref(meter.done), ctypes.byref(meter.stop)),
        )
        said = _said(self.library)
        if status and meter.stop.value:
            raise StoppedError
        if status:
            raise WolvesError(
                f"chain {chain} could not go on: {' '.join(said[-3:])}",
                fix="check the data for impossible values; another --seed gives other starts",
            )
        return Draws(
            self.columns, values[None], seconds.value, said, (Adapted(step.value, metric),)
        )

    def _rows(self, z: Array) -> Array:
        rows = np.ascontiguousarray(np.atleast_2d(z), dtype=np.float64)
        if rows.shape[1] != self.size:
            raise WolvesError(
                f"expected points of {self.size} parameters, found {rows.shape[1]}",
                fix="build the data and the points from one problem",
            )
        return rows

    def _check(self, status: int) -> None:
        if status:
            raise WolvesError(
                f"Stan cannot evaluate the program: {' '.join(_said(self.library))}",
                fix="check the data that Stan names",
            )


@contextmanager
def served(path: Path, data: StanData) -> Iterator[Served]:
    """The program of the library at ``path`` with these data.

    Raises
    ------
    WolvesError
        If Stan does not take the data, or the library cannot be loaded.
    """
    library = _library(path)
    handle = library.wolves_open(json.dumps(data, default=_plain).encode())
    if handle is None:
        raise WolvesError(
            f"Stan does not take the data: {' '.join(_said(library))}",
            fix="check the data that Stan names",
        )
    try:
        columns = library.wolves_columns(handle).decode().split(",")
        yield Served(library, handle, library.wolves_size(handle), (*SAMPLER_COLUMNS, *columns))
    finally:
        library.wolves_close(handle)


@lru_cache(maxsize=16)
def _library(path: Path) -> Any:
    try:
        load_dependencies()
        library = ctypes.CDLL(str(path))
    except OSError as fault:
        raise WolvesError(
            f"a compiled program cannot be loaded: {fault}", where=path, fix=f"rm {path}"
        ) from fault
    pointer, whole = ctypes.c_void_p, ctypes.c_int64
    small, unsigned, real = ctypes.c_int32, ctypes.c_uint32, ctypes.c_double
    for name, result, arguments in (
        ("error", ctypes.c_char_p, ()),
        ("open", pointer, (ctypes.c_char_p,)),
        ("close", None, (pointer,)),
        ("size", whole, (pointer,)),
        ("columns", ctypes.c_char_p, (pointer,)),
        ("densities", small, (pointer, whole, pointer, pointer)),
        ("gradients", small, (pointer, whole, pointer, pointer, pointer)),
        ("quantities", small, (pointer, unsigned, unsigned, whole, pointer, pointer, whole)),
        (
            "sample",
            small,
            (
                *(pointer, pointer, unsigned, unsigned, small, small, real, small),
                *(pointer, pointer, pointer, whole, pointer, pointer, pointer),
            ),
        ),
    ):
        function = getattr(library, f"wolves_{name}")
        function.restype, function.argtypes = result, arguments
    return library


def _at(values: Array) -> ctypes.c_void_p:
    return values.ctypes.data_as(ctypes.c_void_p)


def _said(library: Any) -> tuple[str, ...]:
    """Lines of Stan's last message to this thread, without its timings."""
    lines = (line.strip() for line in library.wolves_error().decode(errors="replace").splitlines())
    return tuple(
        line for line in lines if line and not line.startswith(_CHATTER) and not _timed(line)
    )


def _timed(line: str) -> bool:
    return line.endswith(_TIMES)


def _plain(value: Any) -> Any:
    """Arrays and numbers of NumPy as JSON takes them."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no Stan data")
