"""Ctrl-C: the first lets requests in progress finish, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

PATIENCE_S = {signal.SIGINT: 30.0, signal.SIGTERM: 8.0}
"""Seconds for requests in progress to finish. Process managers kill 10 s after SIGTERM."""


@contextmanager
def halting(say: Callable[[str], None], halt: Callable[[], None]) -> Iterator[None]:
    """Call ``halt`` at the first SIGINT or SIGTERM; the second raises KeyboardInterrupt.

    So does the first one if the block has not ended after ``PATIENCE_S``, since a server may never
    answer. Outside the main thread, signals are not handled.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    last: threading.Timer | None = None

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal last
        if last is not None:
            raise KeyboardInterrupt
        patience = PATIENCE_S[signal.Signals(number)]
        last = threading.Timer(patience, _interrupt_main)
        last.daemon = True
        last.start()
        halt()
        say(
            f"Stopping after the requests in progress, in {patience:.0f} s at the latest; "
            "interrupt again to stop at once."
        )

    before = {n: signal.signal(n, handle) for n in PATIENCE_S}
    try:
        yield
    finally:
        if last is not None:
            last.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt_main() -> None:
    """Send SIGINT to the main thread, which also ends a wait in it."""
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)
