"""A compiled program with its data, loaded from a library of ``embedded_build``.

Calls release Python's global lock, so that chains run in threads.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.inference.engines.draws import SAMPLER_COLUMNS, Adapted, Draws, Whitening
from many_wolves.inference.engines.embedded_build import engine_version, load_dependencies
from many_wolves.inference.engines.protocol import StanData
from many_wolves.inference.settings import ChainSettings

_CHATTER = ("Gradient evaluation took", "1000 transitions using", "Adjust your expectations")
_TIMES = ("seconds (Warm-up)", "seconds (Sampling)", "seconds (Total)")


class StoppedError(Exception):
    """A chain was stopped before its last draw."""


@dataclass
class Meter:
    """Shared memory between a chain and the thread that waits for it."""

    done: ctypes.c_int64 = field(default_factory=ctypes.c_int64)
    """Iterations so far."""
    stop: ctypes.c_int32 = field(default_factory=ctypes.c_int32)
    """Stops the chain when it is not 0."""


@dataclass(frozen=True)
class StanModel:
    """A program with its data, with BridgeStan's method names; threads may share it."""

    library: Any
    handle: int

    @cached_property
    def param_unc_num(self) -> int:
        """Number D of unconstrained parameters."""
        return int(self.library.wolves_param_unc_num(self.handle))

    @cached_property
    def param_unc_names(self) -> tuple[str, ...]:
        """Names of the unconstrained parameters, such as ``share.2``."""
        return _names(self.library.wolves_param_unc_names(self.handle))

    @cached_property
    def param_names(self) -> tuple[str, ...]:
        """Names of the parameters on the constrained scale."""
        return _names(self.library.wolves_param_names(self.handle, 0))

    @cached_property
    def quantity_names(self) -> tuple[str, ...]:
        """The same, then transformed parameters and generated quantities."""
        return _names(self.library.wolves_param_names(self.handle, 1))

    def log_density(self, x: Array) -> Array:
        """(m,) log density at each row of x (m, D); -inf where Stan rejects it."""
        rows = self._rows(x)
        found = np.empty(len(rows))
        self._check(self.library.wolves_log_density(self.handle, len(rows), _at(rows), _at(found)))
        return np.where(np.isnan(found), -np.inf, found)

    def log_density_gradient(self, x: Array) -> tuple[Array, Array]:
        """(m,) log densities, and (m, D) their gradients; NaN where Stan rejects the row."""
        rows = self._rows(x)
        densities, gradients = np.empty(len(rows)), np.empty(rows.shape)
        self._check(
            self.library.wolves_log_density_gradient(
                self.handle, len(rows), _at(rows), _at(densities), _at(gradients)
            )
        )
        return np.where(np.isnan(densities), -np.inf, densities), gradients

    def param_constrain(self, x: Array) -> Array:
        """(m, param_names) constrained parameters at each row of x (m, D)."""
        return self._written(x, 0, 0, len(self.param_names))

    def quantities(self, x: Array, seed: int) -> Array:
        """(m, quantity_names) every quantity that the program computes at each row of x (m, D)."""
        return self._written(x, 1, seed, len(self.quantity_names))

    def param_unconstrain(self, parameters: Array) -> Array:
        """(m, D) the inverse of ``param_constrain``."""
        rows = np.ascontiguousarray(np.atleast_2d(parameters), dtype=np.float64)
        x = np.empty((len(rows), self.param_unc_num))
        self._check(
            self.library.wolves_param_unconstrain(
                self.handle, len(rows), _at(rows), rows.shape[1], _at(x)
            )
        )
        return x

    def sample(
        self,
        start: Array,
        settings: ChainSettings,
        whitening: Whitening,
        chain: int,
        meter: Meter,
        adapted: Adapted | None = None,
    ) -> Draws:
        """One chain from ``start`` (D,).

        Parameters
        ----------
        adapted
            Step size and metric: initial values of warm-up, or without warm-up those of the chain.

        Raises
        ------
        StoppedError
            If the chain was stopped through its meter.
        WolvesError
            If the density cannot be evaluated at the start or during sampling.
        """
        size, first = self.param_unc_num, len(SAMPLER_COLUMNS)
        rows = np.empty((settings.draws, first + size))
        metric = np.ones(size) if adapted is None else adapted.metric.copy()
        step, seconds = ctypes.c_double(adapted.stepsize if adapted else 1.0), ctypes.c_double()
        centre, scale = self._rows(whitening.centre), np.ascontiguousarray(whitening.scale)
        status = self.library.wolves_sample(
            *(self.handle, _at(self._rows(start)), _at(centre), _at(scale)),
            *(settings.seed, chain, settings.warmup, settings.draws),
            ctypes.c_double(settings.adapt_delta),
            settings.max_depth,
            *(ctypes.byref(step), _at(metric), _at(rows), rows.shape[1]),
            *(ctypes.byref(seconds), ctypes.byref(meter.done), ctypes.byref(meter.stop)),
        )
        messages = _messages(self.library)
        if status and meter.stop.value:
            raise StoppedError
        if status:
            raise WolvesError(
                f"chain {chain} stopped with an error: {' '.join(messages[-3:])}",
                fix="check the data for impossible values, or try other starts with another --seed",
            )
        return Draws(
            x=rows[None, :, first:],
            sampler=rows[None, :, :first],
            cpu_seconds=seconds.value,
            engine=engine_version(),
            messages=messages,
            adapted=(Adapted(step.value, metric),),
        )

    def _written(self, x: Array, everything: int, seed: int, columns: int) -> Array:
        rows = self._rows(x)
        written = np.empty((len(rows), columns))
        self._check(
            self.library.wolves_param_constrain(
                self.handle, everything, seed, len(rows), _at(rows), _at(written), columns
            )
        )
        return written

    def _rows(self, x: Array) -> Array:
        rows = np.ascontiguousarray(np.atleast_2d(x), dtype=np.float64)
        if rows.shape[1] != self.param_unc_num:
            raise WolvesError(
                f"expected points of {self.param_unc_num} parameters, found {rows.shape[1]}",
                fix="build the data and the points from one problem",
            )
        return rows

    def _check(self, status: int) -> None:
        if status:
            raise WolvesError(
                f"Stan cannot evaluate the program: {' '.join(_messages(self.library))}",
                fix="check the data that Stan names",
            )


@contextmanager
def open_model(path: Path, data: StanData) -> Iterator[StanModel]:
    """The program of the library at ``path`` with these data.

    Raises
    ------
    WolvesError
        If Stan rejects the data, or the library cannot be loaded.
    """
    library = _library(path)
    handle = library.wolves_open(json.dumps(data, default=_plain).encode())
    if handle is None:
        raise WolvesError(
            f"Stan rejects the data: {' '.join(_messages(library))}",
            fix="check the data that Stan names",
        )
    try:
        yield StanModel(library, handle)
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
        ("param_unc_num", whole, (pointer,)),
        ("param_unc_names", ctypes.c_char_p, (pointer,)),
        ("param_names", ctypes.c_char_p, (pointer, small)),
        ("log_density", small, (pointer, whole, pointer, pointer)),
        ("log_density_gradient", small, (pointer, whole, pointer, pointer, pointer)),
        ("param_constrain", small, (pointer, small, unsigned, whole, pointer, pointer, whole)),
        ("param_unconstrain", small, (pointer, whole, pointer, whole, pointer)),
        (
            "sample",
            small,
            (
                *(
                    pointer,
                    pointer,
                    pointer,
                    pointer,
                    unsigned,
                    unsigned,
                    small,
                    small,
                    real,
                    small,
                ),
                *(pointer, pointer, pointer, whole, pointer, pointer, pointer),
            ),
        ),
    ):
        function = getattr(library, f"wolves_{name}")
        function.restype, function.argtypes = result, arguments
    return library


def _names(joined: bytes) -> tuple[str, ...]:
    return tuple(joined.decode().split(",")) if joined else ()


def _at(values: Array) -> ctypes.c_void_p:
    return values.ctypes.data_as(ctypes.c_void_p)


def _messages(library: Any) -> tuple[str, ...]:
    """Lines of Stan's last message to this thread, without its timings."""
    lines = (line.strip() for line in library.wolves_error().decode(errors="replace").splitlines())
    return tuple(
        line
        for line in lines
        if line and not line.startswith(_CHATTER) and not line.endswith(_TIMES)
    )


def _plain(value: Any) -> Any:
    """Arrays and numbers of NumPy as JSON takes them."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not Stan data")
