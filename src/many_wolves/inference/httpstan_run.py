"""Chains of httpstan's services in worker processes, without its HTTP server.

The sampler writes JSON lines to a Unix socket, which a thread of the same process reads.
"""

from __future__ import annotations

import json
import os
import re
import resource
import socket
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from multiprocessing import active_children, get_context
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.inference.engine import Draws, Progress, Settings, StanData, join, strung
from many_wolves.inference.httpstan_build import module_at

_TIMES = re.compile(r"Iteration:|Elapsed|Gradient|1000 trans|Adjust your|[\d.e+-]+ seconds \(")
"""Lines of the sampler that tell how long it took."""


@dataclass(frozen=True)
class Chain:
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


def run_replaced(chain: Chain) -> Draws:
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


def run_chain(chain: Chain) -> Draws:
    """Run one chain in this process."""
    module = module_at(chain.module)
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


def _call_sampler(module: ModuleType, path: str, chain: Chain) -> int:
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


def in_processes(
    run: Callable[[Chain], Draws], chains: Sequence[Chain], progress: Progress | None
) -> Draws:
    """All chains, in as many processes as there are cores; in this one where it has but one."""
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


def _from_json(line: bytes) -> Any:
    import orjson

    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:  # it takes no NaN and no infinity
        return json.loads(line)
