"""Handling of Ctrl-C and TERM: a response at once, and an end even if a library swallows it.

Python runs a signal handler only between two bytecodes of the main thread, which may be running C
code or waiting in a library. The ``KeyboardInterrupt`` that it raises is lost if it reaches a
destructor or a broad ``except``; the command would then continue. So a thread waits for the
signal, prints the message, and sends the signal again until the command has ended.

TERM is handled like Ctrl-C, because its default action ends a process without a word, and leaves
semaphores and folders behind.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

INTERRUPTED = 130
"""Exit status of a command that was interrupted."""

AGAIN = "Interrupted. Run the same command again; what was finished is kept."
"""The default message; a command sets another one with ``words``."""

INSIST_S = 3.0
"""Seconds after which the signal is sent again to a command that is still running."""
INSISTS = 4
"""Number of repeated signals before the process is ended."""


SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Signals that interrupt a command."""

STAGE = "MANY_WOLVES_STAGE"
"""Environment variable that a study sets for its stages, so that only it prints the message."""


class Interrupt:
    """The state of an interrupt, and the message about it.

    Parameters
    ----------
    words
        The message; nothing is printed if it is empty.
    """

    def __init__(self, words: str) -> None:
        self.words = words
        self.came = threading.Event()
        self.over = threading.Event()
        self.busy = 0
        self._told = threading.Lock()

    def tell(self) -> None:
        """Print the message once, from a handler or any thread."""
        self.came.set()
        if self._told.acquire(blocking=False) and self.words:
            write(self.words)

    def send(self) -> None:
        """Send SIGINT to the main thread, which ends a wait in it, unless the block has ended."""
        main = threading.main_thread().ident
        if self.over.is_set():
            return
        if main is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, signal.SIGINT)
        else:
            signal.raise_signal(signal.SIGINT)


_current: list[Interrupt] = [Interrupt(AGAIN)]
"""A stack of interrupts; that of the current block is last."""


def came() -> bool:
    """Whether the current command was interrupted."""
    return _current[-1].came.is_set()


def write(text: str) -> None:
    """Write a line to standard error without Python's buffers, which a handler must not use."""
    with suppress(OSError):
        os.write(2, f"\n{text}\n".encode())


_status: list[int] = []
"""Exit status of a process that unloads no modules at its end; empty if it does."""


def end_early(status: int) -> None:
    """Let the process end with a status before it unloads its modules; see ``leave_early``."""
    _status[:] = [status]


def leave_early() -> None:
    """End the process if ``end_early`` was called; ``main`` registers this as an exit function.

    Unloading torch and its like takes seconds. The first registered exit function runs last,
    after threads and other exit functions have finished.
    """
    if _status:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(_status[0])


@contextmanager
def words(sentence: str) -> Iterator[None]:
    """Set the message for an interrupt of the block."""
    now = _current[-1]
    before, now.words = now.words, sentence
    try:
        yield
    finally:
        now.words = before


@contextmanager
def ending() -> Iterator[None]:
    """A block that shuts down running work, and may be slow without being interrupted."""
    now = _current[-1]
    now.busy += 1
    try:
        yield
    finally:
        now.busy -= 1


@contextmanager
def answered(leave: Callable[[int], None] = os._exit) -> Iterator[Interrupt]:
    """Print a message at Ctrl-C or TERM while the block runs, and make sure that it ends.

    Outside the main thread, and where a caller ignores or handles the signal, nothing changes.

    Parameters
    ----------
    leave
        Ends the process with a status after ``INSISTS`` signals without effect.
    """
    now = Interrupt("" if os.environ.get(STAGE) else AGAIN)
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield now
        return
    ours, heard = socket.socketpair()
    ours.setblocking(False)
    hook = sys.unraisablehook

    def interrupt(number: int, frame: FrameType | None) -> None:
        now.tell()
        raise KeyboardInterrupt

    def swallowed(lost: sys.UnraisableHookArgs) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            hook(lost)
            return
        later = threading.Timer(0.05, now.send)
        later.daemon = True
        later.start()

    def elsewhere() -> bool:
        """Mark a block that handles the signal itself, for instance to let requests finish."""
        return signal.getsignal(signal.SIGINT) is not interrupt

    _current.append(now)
    replaced = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in replaced.items():
        if handler is not signal.SIG_IGN and handler is not None:
            signal.signal(number, interrupt)
    before = signal.set_wakeup_fd(ours.fileno(), warn_on_full_buffer=False)
    sys.unraisablehook = swallowed
    listener = threading.Thread(target=_listen, args=(now, heard, elsewhere, leave), daemon=True)
    listener.start()
    try:
        if hasattr(signal, "pthread_sigmask"):
            # A study starts its stages with the signal blocked until they can handle it.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        yield now
    finally:
        now.over.set()
        _current.remove(now)
        signal.set_wakeup_fd(before)
        for number, handler in replaced.items():
            if handler is not None:
                signal.signal(number, handler)
        sys.unraisablehook = hook
        ours.close()
        listener.join()
        heard.close()


@contextmanager
def blocked() -> Iterator[None]:
    """Block SIGINT; processes that are started in this block begin with the signal blocked."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _listen(
    now: Interrupt,
    heard: socket.socket,
    elsewhere: Callable[[], bool],
    leave: Callable[[int], None],
) -> None:
    """Wait for the first interrupt of ours, then send SIGINT until the block has ended."""
    while not set(SIGNALS) & set(numbers := heard.recv(16)) or elsewhere():
        if not numbers:
            return
    now.tell()
    sent = 0
    while not now.over.wait(INSIST_S):
        if now.busy or elsewhere():
            continue
        if sent == INSISTS:
            leave(INTERRUPTED)
            return
        now.send()
        sent += 1
