"""Progress of a collection, in words."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import IO

from many_wolves.progress import duration, log

_EVERY_TTY_S = 0.5
_EVERY_LOG_S = 10.0


class Progress:
    """Counts answers, and prints the count and the remaining time at intervals.

    Parameters
    ----------
    total
        Number of requests; None if unknown.
    out
        Stream of the output; on a terminal, one line is rewritten.
    beside
        Returns text to print first.
    show
        Receives the text instead of the stream.
    """

    def __init__(
        self,
        total: int | None,
        out: IO[str] | None = None,
        beside: Callable[[], str] | None = None,
        show: Callable[[str], None] | None = None,
    ) -> None:
        self._total = total
        self._show = show
        self._beside = beside
        self._out = out or sys.stderr
        self._begun = time.monotonic()
        self._said = self._begun
        self._tty = self._out.isatty()
        self.counts: Counter[str] = Counter()

    def add(self, status: str) -> None:
        """Count one answer."""
        self.counts[status] += 1
        every = _EVERY_TTY_S if self._tty else _EVERY_LOG_S
        if time.monotonic() - self._said >= every:
            self._say("\r" if self._tty else "", "" if self._tty else "\n")

    def finish(self) -> None:
        """Print the final count, if there was an answer."""
        if not self.counts:
            return
        self._say("\r" if self._tty else "", "\n")

    def _say(self, before: str, after: str) -> None:
        self._said = time.monotonic()
        seconds = max(self._said - self._begun, 1e-9)
        done = self.counts.total()
        parts = [self._beside()] if self._beside else []
        parts += [f"{done}/{self._total}" if self._total is not None else f"{done} turns"]
        parts += [f"{n} {status}" for status, n in sorted(self.counts.items())]
        if done:
            parts.append(f"{done / seconds:.3g} per second")
        if self._total is not None and 0 < done < self._total:
            parts.append(f"{duration((self._total - done) * seconds / done)} left")
        words = ", ".join(parts)
        if self._show is not None:
            self._show(words)
        elif log.isEnabledFor(logging.INFO):
            self._out.write(before + words + ("   " if before else "") + after)
            self._out.flush()
