"""The embedded engine: Stan's compiler, headers and services from httpstan's wheel.

The compiled module is called in our own worker processes, without httpstan's
HTTP server. Its sampler writes JSON lines to a Unix socket, which a thread of
the same process reads; the metric is diagonal, so fits pass a preconditioner.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import re
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from multiprocessing import active_children, get_context
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.inference.cache import cache_folder, locked
from many_wolves.inference.engine import (
    Draws,
    Progress,
    Settings,
    StanData,
    join,
    strung,
)
from many_wolves.inference.programs import Source, program_source

MACROS = (
    ("BOOST_DISABLE_ASSERTS", None),
    ("BOOST_PHOENIX_NO_VARIADIC_EXPRESSION", None),
    ("STAN_THREADS", None),
    ("_REENTRANT", None),
    ("_GLIBCXX_USE_CXX11_ABI", "0"),
)
"""What httpstan's prebuilt half was compiled with; ours must match it."""
STANC_TIMEOUT_S = 120
_TIMES = re.compile(r"Iteration:|Elapsed|Gradient|1000 trans|Adjust your|[\d.e+-]+ seconds \(")
"""Lines of the sampler that tell how long it took."""
BUILD = "2"
"""Raise it when the way of compiling changes, so that cached modules are made anew."""


def _wheel() -> Path:
    spec = find_spec("httpstan")
    if spec is None or spec.origin is None:
        raise WolvesError("httpstan is not installed", mend="uv sync")
    return Path(spec.origin).parent


def _key(source: Source) -> str:
    parts = [
        source.text,
        source.cpp,
        BUILD,
        version("httpstan"),
        sys.version,
        platform.machine(),
        str(_wheel()),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _translate(text: str, name: str, folder: Path) -> Path:
    source, target = folder / f"{name}.stan", folder / f"{name}.cpp"
    source.write_text(text)
    done = subprocess.run(
        [_wheel() / "stanc", "--allow-undefined", "--name", name, f"--o={target}", source],
        capture_output=True,
        text=True,
        timeout=STANC_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise WolvesError(
            f"the Stan program does not compile: {done.stderr.strip()}",
            where=source,
            mend="correct the program at the line that Stan names",
        )
    return target


def _build(cpp: Path, header: Path, name: str, folder: Path) -> None:
    import setuptools
    from httpstan.build_ext import run_build_ext

    wheel = _wheel()
    extension = setuptools.Extension(
        name,
        language="c++",
        sources=[str(cpp)],
        define_macros=list(MACROS),
        include_dirs=[str(folder), str(wheel / "include")],
        library_dirs=[str(wheel / "lib")],
        libraries=["sundials_cvodes", "sundials_idas", "sundials_nvecserial", "tbb"],
        extra_compile_args=["-O3", "-std=c++17", "-w", "-include", str(header)],
        extra_link_args=[f"-Wl,-rpath,{wheel / 'lib'}", "-Wl,-s"],
        extra_objects=[str(wheel / "stan_services.o")],
    )
    try:
        run_build_ext([extension], str(folder))
    except Exception as error:  # setuptools raises many kinds, all meaning the same to a user
        raise WolvesError(
            f"the C++ compiler failed on the translated Stan program: {error}",
            where=cpp,
            mend="check that g++ (10 or newer) works: `g++ --version`",
        ) from error


@lru_cache(maxsize=8)
def _module(path: Path) -> ModuleType:
    # The prebuilt half fixes the module's name, whatever its file is called.
    spec = importlib.util.spec_from_file_location("stan_services", path)
    if spec is None or spec.loader is None:
        raise WolvesError("a compiled program cannot be loaded", where=path, mend=f"rm {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _compiled(source: Source, progress: Progress | None) -> tuple[Path, float]:
    key = _key(source)
    folder = cache_folder() / "httpstan" / key
    target = folder / "module.so"
    if target.exists():
        return target, 0.0
    with locked(folder.with_suffix(".lock")):
        if target.exists():
            return target, 0.0
        if progress is not None:
            progress("compiling the Stan program, once (about 80 s)")
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="build_") as temporary:
            work = Path(temporary)
            name = f"m{key}"
            header = work / "written_out.hpp"
            header.write_text(source.cpp)
            _build(_translate(source.text, name, work), header, name, work)
            built = next(work.glob(f"{name}*.so"))
            folder.mkdir(parents=True, exist_ok=True)
            built.replace(target)
        return target, time.monotonic() - start


@dataclass(frozen=True)
class _Chain:
    """One chain to run, as it travels to a worker process."""

    module: Path
    data: StanData
    start: Array
    settings: Settings
    number: int
    replacements: tuple[StanData, ...] = ()
    """Data to put in, one short run after another; see ``Program.sample_replaced``."""


@dataclass
class _Reader:
    """Collects what one chain writes to its socket."""

    columns: tuple[str, ...] = ()
    rows: list[list[float]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    leapfrogs: int = 0

    def take(self, line: bytes) -> None:
        record = _from_json(line)
        values, topic = record["values"], record["topic"]
        if topic == "sample" and isinstance(values, dict):  # lists tell of adaptation
            if not self.columns:
                self.columns = tuple(values)
            self.rows.append(list(values.values()))
        elif topic == "logger":
            text = values[0].split(":", 1)[-1].strip()
            if text and not _TIMES.match(text):
                self.messages.append(text)

    def drain(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb", buffering=1 << 20) as lines:
            for line in lines:
                # The diagnostic writer repeats every parameter and gradient: not needed.
                if b'"topic":"diagnostic"' not in line and line.strip():
                    self.take(line)


def run_replaced(chain: _Chain) -> Draws:
    """Run one chain through its replacements, each from where the one before ended."""
    parts: list[Draws] = []
    start = chain.start
    for number, replacement in enumerate(chain.replacements):
        settings = replace(chain.settings, seed=chain.settings.seed + number)
        data = {**chain.data, **replacement}
        part = run_chain(replace(chain, data=data, start=start, settings=settings))
        start = part.block("z")[0, -1]
        parts.append(part)
    return strung(parts)


def run_chain(chain: _Chain) -> Draws:
    """Run one chain in this process; used directly by workers of a sweep."""
    module = _module(chain.module)
    before = resource.getrusage(resource.RUSAGE_SELF)
    reader = _Reader()
    with tempfile.TemporaryDirectory(prefix="wolves_") as folder:
        path = str(Path(folder) / "s")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen(4)
            threads = [
                threading.Thread(target=lambda: reader.drain(server.accept()[0]), daemon=True)
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            status = _call_sampler(module, path, chain)
            for thread in threads:
                thread.join()
    if status != 0:
        raise WolvesError(
            f"chain {chain.number} could not start: {' '.join(reader.messages[-3:])}",
            mend="check the data for impossible values; another --seed gives other starts",
        )
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Draws(
        columns=reader.columns,
        values=np.asarray(reader.rows)[None],
        cpu_seconds=cpu,
        messages=tuple(reader.messages),
    )


def _call_sampler(module: ModuleType, path: str, chain: _Chain) -> int:
    s = chain.settings
    status: int = module.hmc_nuts_diag_e_adapt_wrapper(
        path,
        dict(chain.data),
        {"z": chain.start.tolist()},
        s.seed,
        chain.number,
        0.0,
        s.warmup,
        s.draws,
        1,
        False,
        max(1, s.warmup + s.draws),
        1.0,
        0.0,
        s.max_depth,
        s.adapt_delta,
        0.05,
        0.75,
        10.0,
        75,
        50,
        25,
    )
    return status


def _begin_worker() -> None:
    """Leave interrupts to the parent process, and end when it ends, however that comes about."""
    import signal
    from multiprocessing import connection, parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def follow() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


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
        module, seconds = _compiled(program_source(program, plain=plain), progress)
        return cls(module, seconds)

    def log_density(self, data: StanData, z: Array) -> Array:
        """(m,) log density at each row of z (m, D); -inf where Stan rejects."""
        call, given = _module(self.module).log_prob, dict(data)
        with _parsed_once(given):
            return np.array([_or_minus_inf(call, given, row) for row in np.atleast_2d(z)])

    def gradient(self, data: StanData, z: Array) -> Array:
        """(m, D) gradient at each row of z (m, D)."""
        call, given = _module(self.module).log_prob_grad, dict(data)
        with _parsed_once(given):
            return np.array([call(given, row.tolist(), True) for row in np.atleast_2d(z)])

    def optimise(self, data: StanData, start: Array) -> Array:
        """(D,) local maximum reached by L-BFGS from ``start`` (D,)."""
        module, given = _module(self.module), dict(data)

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
            _Chain(self.module, dict(data), np.asarray(start), settings, i + 1)
            for i, start in enumerate(starts)
        ]
        return _in_processes(run_chain, chains, progress)

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
            _Chain(self.module, dict(data), np.asarray(start), settings, i + 1, tuple(own))
            for i, (start, own) in enumerate(zip(starts, replacements, strict=True))
        ]
        return _in_processes(run_replaced, chains, progress)


def _in_processes(
    run: Callable[[_Chain], Draws], chains: Sequence[_Chain], progress: Progress | None
) -> Draws:
    workers = min(len(chains), len(os.sched_getaffinity(0)))
    if workers == 1 or os.environ.get("MANY_WOLVES_IN_PROCESS"):
        return join([run(chain) for chain in chains])
    results: dict[int, Draws] = {}
    others = set(active_children())
    with ProcessPoolExecutor(
        workers, mp_context=get_context("forkserver"), initializer=_begin_worker
    ) as pool:
        waiting = {pool.submit(run, chain): chain.number for chain in chains}
        try:
            for future in as_completed(waiting):
                results[waiting[future]] = future.result()
                if progress is not None:
                    progress(f"chain {waiting[future]} done ({len(results)} of {len(chains)})")
        except KeyboardInterrupt:
            # The pool would wait for the chains that run.
            for worker in set(active_children()) - others:
                worker.terminate()
            raise
    return join([results[chain.number] for chain in chains])


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


def _from_json(line: bytes) -> Any:
    import orjson

    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:  # it takes no NaN and no infinity
        return json.loads(line)


def _or_minus_inf(call: Any, data: dict[str, Any], z: Array) -> float:
    try:
        return float(call(data, z.tolist(), True))
    except (RuntimeError, ValueError):
        return -np.inf
