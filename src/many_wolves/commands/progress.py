"""Progress of a long command, in one line from time to time."""

from __future__ import annotations

import time
from collections.abc import Callable

import click

_EVERY_S = 2.0


def counting(label: str) -> Callable[[int, int], None]:
    """Writes ``12 of 200 done, 4 min left`` at most every two seconds."""
    began: list[tuple[float, int]] = []
    last = [0.0]

    def progress(done: int, of: int) -> None:
        now = time.monotonic()
        if not began:
            began.append((now, done))
        if now - last[0] < _EVERY_S and done < of:
            return
        last[0] = now
        start, first = began[0]
        left = ""
        if first < done < of:
            left = f", {_words((of - done) * (now - start) / (done - first))} left"
        click.echo(f"  {label}: {done} of {of} done{left}", err=True)

    return progress


def _words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
