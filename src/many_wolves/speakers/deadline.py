"""Ends foreign code that does not terminate, such as a chat template."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TakesTooLongError(Exception):
    """Foreign code was ended at its deadline."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise ``TakesTooLongError`` in this thread if the block runs for longer.

    It ends Python code in any thread at the next bytecode, but not a blocking call.
    """
    thread, lock, over = threading.get_ident(), threading.Lock(), False

    def end() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(TakesTooLongError)
                )

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over = True
        timer.cancel()
