"""One writer per file: locks that end with the process that holds them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import IO

from many_wolves.errors import WolvesError

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows has no fcntl: the lock next to the file must suffice.
    _FLOCK = False
else:
    _FLOCK = True


class Lock:
    """The right to write to a file: a lock in the same folder, called ``NAME.lock``.

    Parameters
    ----------
    path
        The file, links resolved.
    """

    def __init__(self, path: Path) -> None:
        # Imported here, because it imports asyncio, which most commands do not need.
        from filelock import FileLock

        self._path = path
        self._place = path.with_name(path.name + ".lock")
        self._lock = FileLock(self._place, timeout=0, thread_local=False)

    def hold(self, doing: str) -> None:
        """Take the lock.

        Parameters
        ----------
        doing
            What a process does while it holds the lock, for the message.

        Raises
        ------
        WolvesError
            If another process holds it.
        """
        from filelock import Timeout

        try:
            self._lock.acquire()
        except Timeout:
            raise self._held(doing) from None
        with suppress(OSError):  # On Windows, a locked file can be neither read nor written.
            self._place.write_text(str(os.getpid()))

    def release(self) -> None:
        """Release the lock; do nothing if it is not held."""
        if self._lock.is_locked:
            # Removed before the release, so that a process that has opened it sees that it is gone.
            with suppress(OSError):
                self._place.unlink(missing_ok=True)
            self._lock.release()

    def _held(self, doing: str) -> WolvesError:
        try:
            owner = self._place.read_text().strip() or "unknown"
        except OSError:
            owner = "unknown"
        return WolvesError(
            f"another process (id {owner}) {doing}",
            where=self._path,
            fix="wait for it to end, or stop it with Ctrl-C; nothing was asked or changed",
        )


def hold_inode(file: int) -> bool:
    """Lock an open file itself, whatever its names are, until it is closed.

    Returns
    -------
    bool
        Whether the lock was acquired; True if the system has no such locks.
    """
    try:
        if _FLOCK:
            flock(file, LOCK_EX | LOCK_NB)
    except OSError:
        return False
    return True


def hold_alone(handle: IO[str], otherwise: WolvesError) -> None:
    """Lock an open file until it is closed; raise ``otherwise`` if another process holds it."""
    if not hold_inode(handle.fileno()):
        raise otherwise
