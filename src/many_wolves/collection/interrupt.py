"""Ctrl-C: the first finishes what is under way, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def halting(say: Callable[[str], None]) -> Iterator[threading.Event]:
    """An event that the first SIGINT or SIGTERM sets; the second raises KeyboardInterrupt.

    Outside the main thread signals are left alone.
    """
    halt = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield halt
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if halt.is_set():
            raise KeyboardInterrupt
        halt.set()
        say("Stopping when the answers under way are in; interrupt again to stop at once.")

    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield halt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
