"""One command in this process, without sampling and without a network, and what it did."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from many_wolves.cli import run, wolves
from many_wolves.contracts import Observations, Problem
from many_wolves.errors import WolvesError

SECONDS = 240
"""A command that takes longer hangs: nothing is sampled."""
DOCUMENTED = (0, 1, 2, 4)
"""Exit statuses other than those of a fault and of an interrupt."""


class StoppedError(WolvesError):
    """Everything was read and checked; sampling would begin."""


class _HungError(BaseException):
    """A command did not end."""


@dataclass
class Ran:
    """What a command did.

    Parameters
    ----------
    status
        Its exit status.
    out, err
        What it printed.
    prepared
        What would have been fitted: observations, and the problem made of them.
    """

    status: int = -1
    out: str = ""
    err: str = ""
    prepared: list[tuple[Observations, Problem]] = field(default_factory=list)

    @property
    def said(self) -> str:
        """Everything that it printed."""
        return self.out + self.err

    @property
    def faults(self) -> list[str]:
        """Why this is no way to end; empty where it is one."""
        found = []
        if self.status not in DOCUMENTED:
            found.append(f"exit status {self.status}")
        if "Traceback (most recent call last)" in self.said:
            found.append("a traceback")
        if self.status == 2 and not self.said.strip():
            found.append("exit status 2 without a word")
        return found


def command(arguments: Sequence[str], folder: Path) -> Ran:
    """Run ``wolves`` in a folder.

    Parameters
    ----------
    arguments
        Words behind ``wolves``.
    folder
        The working directory meanwhile.
    """
    ran = Ran()
    out, err = io.StringIO(), io.StringIO()
    before = Path.cwd()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        stack.enter_context(warnings.catch_warnings(action="ignore"))
        stack.enter_context(_without_sampling(ran))
        stack.enter_context(_ends())
        os.chdir(folder)
        try:
            ran.status = run(wolves, list(arguments))
        except SystemExit as leave:
            ran.status = leave.code if isinstance(leave.code, int) else 1
        except _HungError:
            err.write(f"\nno end within {SECONDS} s")
        except BaseException as error:
            err.write(f"\nraised {type(error).__name__}: {error}")
        finally:
            os.chdir(before)
    ran.out, ran.err = out.getvalue(), err.getvalue()
    return ran


@contextlib.contextmanager
def _ends() -> Iterator[None]:
    def hung(*_: object) -> None:
        raise _HungError

    previous = signal.signal(signal.SIGALRM, hung)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


@contextlib.contextmanager
def _without_sampling(ran: Ran) -> Iterator[None]:
    from many_wolves import inference
    from many_wolves.workflows import fit_all, simulation
    from many_wolves.workflows.fits import FitRequest

    prepare = FitRequest.prepare

    def noted(self: FitRequest, observations: Observations) -> Any:
        found = prepare(self, observations)
        ran.prepared.append((observations, found[1]))
        return found

    def stop(*_: object, **__: object) -> Any:
        raise StoppedError("everything is read; nothing is sampled here", fix="run it for real")

    with (
        mock.patch.object(FitRequest, "prepare", noted),
        mock.patch.object(inference, "load", stop),
        mock.patch.object(fit_all, "executing", stop),
        mock.patch.object(simulation, "executing", stop),
    ):
        yield
