"""Child processes that end with their parent, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

_GUARD = "read -r _; kill -s KILL 0"
"""A shell that waits for its input to close, then kills its process group, itself included.

Only the parent holds the other end, so it closes whenever the parent dies, even by SIGKILL.
A death signal on Linux (``PR_SET_PDEATHSIG``) would reach only the child. The driver ``g++``
would die, and the compiler proper, which uses the memory, would continue.
"""


class Guard:
    """A process group that is killed when this process ends, even by SIGKILL.

    The guard leads the group before the first process joins, so none is ever without it.

    Attributes
    ----------
    group
        Id of the group, for ``process_group`` of ``subprocess.Popen``; None without a POSIX shell.
    """

    def __init__(self) -> None:
        self._shell = _guard()
        self.group = None if self._shell is None else self._shell.pid

    def kill(self) -> None:
        """Kill every process of the group."""
        if self._shell is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._shell.pid, signal.SIGKILL)

    def release(self) -> None:
        """Stop guarding. What is still in the group runs on."""
        if self._shell is not None:
            self._shell.kill()
            self._shell.wait()
            if self._shell.stdin is not None:
                self._shell.stdin.close()
            self._shell = None


class ChildProcess:
    """A command in a separate process group, which ends with this process.

    Ctrl-C at the terminal does not reach it; the caller ends it with ``kill``.

    Parameters
    ----------
    command
        Program and arguments.
    environment
        Environment variables that extend or override those of this process.
    folder
        Working directory; this process's own by default.

    Raises
    ------
    OSError
        If the program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
    ) -> None:
        self._guard = Guard()
        try:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=folder,
                env={**os.environ, **environment} if environment else None,
                process_group=self._guard.group,
            )
        except BaseException:
            self._guard.release()
            raise

    def finish(self, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """Wait for its end; return its output with invalid bytes replaced.

        Raises
        ------
        subprocess.TimeoutExpired
            If it has not ended after ``timeout`` seconds; it is then killed.
        """
        try:
            out, err = self.process.communicate(timeout=timeout)
        except BaseException:
            self.kill()
            raise
        self._guard.release()
        return subprocess.CompletedProcess(
            self.process.args, self.process.returncode, _text(out), _text(err)
        )

    def kill(self) -> None:
        """End it and all that it started."""
        self.stop()
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        self._guard.release()

    def stop(self) -> None:
        """Kill it and all that it started, and leave waiting for its end to ``finish``."""
        self._guard.kill()
        self.process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            self.kill()
        self._guard.release()


class Children:
    """Commands that run from several threads, and can all be ended by one call."""

    def __init__(self) -> None:
        self._running: set[ChildProcess] = set()
        self._lock = threading.Lock()
        self.ended = False

    def run(
        self, command: Sequence[str | Path], timeout: float | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Raises
        ------
        InterruptedError
            If ``end`` was called before or during the run.
        OSError, subprocess.TimeoutExpired
            As in ``ChildProcess`` and its ``finish``.
        """
        with self._lock:
            if self.ended:
                raise InterruptedError("the commands were ended")
            child = ChildProcess(command)
            self._running.add(child)
        try:
            done = child.finish(timeout)
        finally:
            with self._lock:
                self._running.discard(child)
        if self.ended:
            raise InterruptedError("the commands were ended")
        return done

    def end(self) -> None:
        """End all running commands, and prevent new ones."""
        with self._lock:
            self.ended = True
            running = list(self._running)
        for child in running:
            child.stop()


def _guard() -> subprocess.Popen[bytes] | None:
    """A guard that leads a process group; None without a POSIX shell."""
    if os.name != "posix":
        return None
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )


def _text(printed: bytes | None) -> str:
    return (printed or b"").decode(errors="replace")
