"""Ctrl-C answers at once, and ends the command even where a library swallows it.

Python runs a signal handler only between two steps of the main thread, which may be drawing in C
or waiting in a library. And the ``KeyboardInterrupt`` that it raises is lost if it reaches a
destructor, or an ``except`` that takes everything: the command would go on. So a thread hears of
the signal, says the sentence, and sends the signal again until the command has ended.
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

AGAIN = "Interrupted. Run the same command again to resume."
"""The sentence, unless a command sets another with ``words``."""

INSIST_S = 3.0
"""Seconds after which the signal is sent again, to a command that goes on."""
INSISTS = 4
"""Signals that are sent again before the process is ended."""


STAGE = "MANY_WOLVES_STAGE"
"""Variable that a study sets for its stages, which then leave the sentence to the study."""


class Interrupt:
    """Whether an interrupt came, and what is said about it.

    Parameters
    ----------
    words
        The sentence; nothing is said if it is empty.
    """

    def __init__(self, words: str) -> None:
        self.words = words
        self.came = threading.Event()
        self.over = threading.Event()
        self.busy = 0
        self._told = threading.Lock()

    def tell(self) -> None:
        """Say the sentence, once; from a handler or any thread."""
        self.came.set()
        if self._told.acquire(blocking=False) and self.words:
            write(self.words)

    def send(self) -> None:
        """Send the main thread SIGINT, which ends a wait in it, unless the block has ended."""
        main = threading.main_thread().ident
        if self.over.is_set():
            return
        if main is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, signal.SIGINT)
        else:
            signal.raise_signal(signal.SIGINT)


_current: list[Interrupt] = [Interrupt(AGAIN)]
"""That of the block that is under way comes last."""


def came() -> bool:
    """Whether the command under way was interrupted."""
    return _current[-1].came.is_set()


def write(text: str) -> None:
    """Write a line to standard error without Python's buffers, which a handler must not enter."""
    with suppress(OSError):
        os.write(2, f"\n{text}\n".encode())


@contextmanager
def words(sentence: str) -> Iterator[None]:
    """What is said if the block is interrupted."""
    now = _current[-1]
    before, now.words = now.words, sentence
    try:
        yield
    finally:
        now.words = before


@contextmanager
def ending() -> Iterator[None]:
    """A block that ends what is under way, and is not to be interrupted for being slow."""
    now = _current[-1]
    now.busy += 1
    try:
        yield
    finally:
        now.busy -= 1


@contextmanager
def answered(leave: Callable[[int], None] = os._exit) -> Iterator[Interrupt]:
    """Answer Ctrl-C in words as long as the block runs, and see to it that the block ends.

    Outside the main thread, and where a caller ignores or handles the signal, nothing changes.

    Parameters
    ----------
    leave
        Ends the process with a status, after ``INSISTS`` signals in vain.
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
        """Whether a command handles the signal itself, as one does that lets requests end."""
        return signal.getsignal(signal.SIGINT) is not interrupt

    _current.append(now)
    signal.signal(signal.SIGINT, interrupt)
    before = signal.set_wakeup_fd(ours.fileno(), warn_on_full_buffer=False)
    sys.unraisablehook = swallowed
    listener = threading.Thread(target=_listen, args=(now, heard, elsewhere, leave), daemon=True)
    listener.start()
    try:
        if hasattr(signal, "pthread_sigmask"):
            # A study starts its stages with the signal blocked, until they can answer it.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        yield now
    finally:
        now.over.set()
        _current.remove(now)
        signal.set_wakeup_fd(before)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = hook
        ours.close()
        listener.join()
        heard.close()


@contextmanager
def blocked() -> Iterator[None]:
    """Let SIGINT wait: a process that is started meanwhile begins with the signal blocked."""
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
    """Wait for the first SIGINT that is ours; then insist until the block has ended."""
    while signal.SIGINT not in (numbers := heard.recv(16)) or elsewhere():
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
