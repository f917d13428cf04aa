"""Executors for many fits: processes of this machine, or the workers of a dask cluster."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.extras import needs
from many_wolves.interrupts import blocked

CONNECT_S = 15
_MOST_WORKERS = 1000
"""Processes of one machine at most: each of them has a place in a queue of the system."""


@contextmanager
def executing(workers: int, cluster: str | None = None) -> Iterator[Executor]:
    """An executor that runs one fit per process.

    Parameters
    ----------
    workers
        Number of processes of this machine, at most 1,000.
    cluster
        Address of a dask scheduler, such as ``tcp://host:8786``, used instead of ``workers``.

    Raises
    ------
    WolvesError
        If dask is not installed, or no scheduler answers.
    """
    if cluster is not None:
        with _dask(cluster) as executor:
            yield executor
        return
    # Workers inherit the signal mask, and begin with long imports.
    with blocked(), _without_script():
        forkserver.ensure_running()
    pool = ProcessPoolExecutor(
        min(workers, _MOST_WORKERS), mp_context=_Context(), initializer=_alone
    )
    try:
        yield pool
    except KeyboardInterrupt:
        # Running fits may take minutes, and their results would be discarded.
        for process in list(getattr(pool, "_processes", {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


class _Worker(ForkServerProcess):
    """A process that does not run the user's script.

    By default, a worker imports the script that was started. One without `if __name__ ==
    "__main__":` would begin its fits again in each worker.
    """

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        with _without_script():
            return ForkServerProcess._Popen(process_obj)


class _Context(ForkServerContext):
    Process = _Worker


@contextmanager
def _without_script() -> Iterator[None]:
    """Hide the script that was started from multiprocessing."""
    main = sys.modules["__main__"]
    hidden = {name: getattr(main, name) for name in ("__spec__", "__file__") if hasattr(main, name)}
    main.__spec__, main.__file__ = None, None
    try:
        yield
    finally:
        del main.__spec__, main.__file__
        vars(main).update(hidden)


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    with needs("cluster", "--cluster"):
        from distributed import Client
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise WolvesError(
            f"no dask scheduler answers at {address}",
            fix="start `dask scheduler`, and `dask worker ADDRESS --nworkers 2 --nthreads 1` "
            "on each machine",
        ) from error
    with client:
        yield client.get_executor(pure=False, retries=2)


def _alone() -> None:
    """Set up a worker: leave interrupts to the parent, end with it, and run chains in sequence."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["MANY_WOLVES_ONE_CORE"] = "1"
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """End this process once its parent is gone, whatever the signal."""
    wait([sentinel])
    os._exit(1)
