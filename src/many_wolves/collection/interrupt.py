"""Ctrl-C: the first finishes what is under way, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def halting(say: Callable[[str], None], halt: Callable[[], None]) -> Iterator[None]:
    """Call ``halt`` at the first SIGINT or SIGTERM; the second raises KeyboardInterrupt.

    Outside the main thread signals are left alone.
    """
    halted = False
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal halted
        if halted:
            raise KeyboardInterrupt
        halted = True
        halt()
        say("Stopping after the requests in progress; interrupt again to stop at once.")

    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
