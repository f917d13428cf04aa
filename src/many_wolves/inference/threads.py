"""Linear algebra on one thread, where matrices are small and calls are many."""

from __future__ import annotations

import functools
from collections.abc import Callable


def on_one_thread[**P, R](work: Callable[P, R]) -> Callable[P, R]:
    """Run ``work`` with BLAS on one thread.

    On matrices of some dozens of rows BLAS gains nothing from its threads, and
    their busy waiting between calls takes the cores from the chains.
    """

    @functools.wraps(work)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):
            return work(*args, **kwargs)

    return limited
