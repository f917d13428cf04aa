"""Progress of long work: log messages, and one progress bar.

The library logs to ``logging.getLogger("many_wolves")``: ``INFO`` for the current step, ``WARNING``
for what a user must know. Without a handler nothing is shown; the command line and the notebook
attach one.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

log = logging.getLogger("many_wolves")

Advance = Callable[[int, int], None]
"""A function of the number done and the total."""

_LINE_EVERY_S = 2.0
"""Seconds between lines if the output is not a terminal, so that a log file stays short."""

_NARROW = 60
"""Columns of a terminal below which a bar would leave too little room for the numbers."""

_consoles: list[Console] = []
"""The console of the current bar, so that messages do not run into it."""


def step(sentence: str) -> None:
    """Log the beginning of a step."""
    log.info("%s", sentence, extra={"step": True})


@contextmanager
def bar(label: str) -> Iterator[Advance]:
    """Show the number of finished parts, and the remaining time.

    In a terminal, one line is rewritten; elsewhere, a line is printed from time to time.

    Yields
    ------
    callable
        Call it with the number of finished parts, and of all parts.
    """
    if not log.isEnabledFor(logging.INFO):
        yield lambda done, of: None
    elif sys.stderr.isatty():
        with _drawn(label) as advance:
            yield advance
    else:
        yield _lines(label)


@contextmanager
def one_line(shown: bool = True) -> Iterator[None]:
    """Show steps on one line that is rewritten, in a notebook or a terminal.

    If a handler is attached already, as by the command line, or the output is neither, only
    warnings are shown.
    """
    from rich.console import Console

    screen = Console(stderr=True)
    if not shown or log.handlers or not (screen.is_terminal or screen.is_jupyter):
        yield
        return
    level = log.level
    with screen.status("") as status:
        handler = _StatusLine(status.update, screen.print)
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        _consoles.append(screen)
        try:
            yield
        finally:
            _consoles.remove(screen)
            log.setLevel(level)
            log.removeHandler(handler)


class _StatusLine(logging.Handler):
    """Shows the current step on one line, and warnings above it."""

    def __init__(self, update: Callable[[str], None], above: Callable[[str], None]) -> None:
        super().__init__()
        self._update, self._above = update, above

    def emit(self, record: logging.LogRecord) -> None:
        show = self._above if record.levelno >= logging.WARNING else self._update
        show(record.getMessage())


def console() -> Console | None:
    """The console of the current bar; None if there is none."""
    return _consoles[-1] if _consoles else None


@contextmanager
def _drawn(label: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    shown = Console(stderr=True)
    drawing = () if shown.width < _NARROW else (BarColumn(),)
    columns = (
        TextColumn("{task.description}"),
        *drawing,
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=shown, transient=True) as progress:
        task = progress.add_task(label, total=None)
        _consoles.append(shown)
        try:
            yield lambda done, of: progress.update(task, completed=done, total=of)
        finally:
            _consoles.remove(shown)


def _lines(label: str) -> Advance:
    began: list[tuple[float, int]] = []
    last = [0.0]

    def advance(done: int, of: int) -> None:
        now = time.monotonic()
        if not began:
            began.append((now, done))
        if now - last[0] < _LINE_EVERY_S and done < of:
            return
        last[0] = now
        start, first = began[0]
        left = ""
        if first < done < of:
            left = f", {duration((of - done) * (now - start) / (done - first))} left"
        log.info("%s: %d of %d done%s", label, done, of, left)

    return advance


def duration(seconds: float) -> str:
    """A duration in words: ``40 s``, ``12 min``, ``5 h``, ``9 days``."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}" if seconds < 1e9 else "years"
    return f"{seconds:.0f} s"
