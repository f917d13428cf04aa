"""The number of usable cores, and linear algebra on one core."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable


def on_one_thread[**P, R](work: Callable[P, R]) -> Callable[P, R]:
    """Run ``work`` with BLAS on one thread.

    On matrices of dozens of rows, BLAS gains nothing from threads. Their busy waiting between calls
    takes cores from the chains.
    """

    @functools.wraps(work)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):
            return work(*args, **kwargs)

    return limited


def cores() -> int:
    """Number of processor cores that this process may use; one in a worker of a sweep."""
    if os.environ.get("MANY_WOLVES_ONE_CORE"):
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
