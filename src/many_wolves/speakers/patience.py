"""How long and how hard an API is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """How long and how hard a request is tried.

    Parameters
    ----------
    connections
        Requests under way at once.
    retries
        Further tries after a failed one.
    wait_s
        First wait, doubled from try to try; a server's Retry-After comes before it.
    timeout_s
        Longest time of one try; None in batch mode, where answers take hours.
    tick_s
        In batch mode, seconds between two looks at a batch; None: inspect-ai's 15.
    """

    connections: int = 32
    retries: int = 10
    wait_s: float = 1.0
    timeout_s: float | None = 600.0
    tick_s: float | None = None
