"""Runs of a CmdStan executable: several at once, each with its output and processor time."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.inference.engines.draws import Adapted
from many_wolves.inference.threads import cores
from many_wolves.processes import Guard

OnLine = Callable[[int, str], None]
"""Takes the number of a run and one line of its output."""

DIGITS = 17
"""Significant digits in CmdStan's files: enough to read back exactly the same number."""

_CHATTER = (
    "Iteration:",
    "Elapsed Time:",
    "Gradient evaluation took",
    "1000 transitions using",
    "Adjust your expectations",
)


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished run: exit status, lines of output, processor seconds."""

    status: int
    lines: tuple[str, ...]
    cpu_seconds: float

    @property
    def said(self) -> tuple[str, ...]:
        """The output without CmdStan's echo of its arguments and without its timings."""
        spoken = list(self.lines)
        if spoken and spoken[0].startswith(("method =", "method=")):
            spoken = spoken[spoken.index("") :] if "" in spoken else []
        return tuple(
            line
            for line in spoken
            if line
            and not line.startswith(_CHATTER)
            and not line.endswith("seconds (Total)")
            and not line.endswith("seconds (Sampling)")
        )

    def error(self, task: str, where: Path) -> WolvesError:
        """Stan's error message as a ``WolvesError``."""
        words = (
            "\n".join(list(dict.fromkeys(self.said))[-6:]) or f"it ended with status {self.status}"
        )
        return WolvesError(
            f"{task} failed with Stan's message: {words}",
            where=where,
            fix="check the data that Stan names; if a chain could not start, try another --seed",
        )


@dataclass
class _Running:
    """A running executable."""

    number: int
    process: subprocess.Popen[bytes]
    guard: Guard
    rest: bytes = b""
    lines: list[str] = field(default_factory=list)

    def take(self, chunk: bytes) -> list[str]:
        *whole, self.rest = (self.rest + chunk).split(b"\n")
        new = [line.decode(errors="replace").strip() for line in whole]
        self.lines.extend(new)
        return new

    def reap(self) -> Finished:
        """Wait for the end; the processor time is that of this run alone."""
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.rest:
            self.take(b"\n")
        seconds = usage.ru_utime + usage.ru_stime
        return Finished(self.process.returncode, tuple(self.lines), seconds)


def run_all(commands: Sequence[Sequence[str]], on_line: OnLine | None = None) -> list[Finished]:
    """Run the commands, as many at once as there are cores; results in their order.

    All are killed when an interrupt or an error ends the call.
    """
    # An executable refuses to run when this disagrees with its own argument.
    environment = {k: v for k, v in os.environ.items() if k != "STAN_NUM_THREADS"}
    waiting = deque(enumerate(commands))
    running: dict[int, _Running] = {}
    finished: dict[int, Finished] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < cores():
                    number, command = waiting.popleft()
                    running[number] = _start(number, command, environment)
                    selector.register(_pipe(running[number]), selectors.EVENT_READ, number)
                for key, _ in selector.select():
                    run = running[key.data]
                    chunk = os.read(key.fd, 1 << 16)
                    for line in run.take(chunk):
                        if on_line is not None:
                            on_line(run.number, line)
                    if not chunk:
                        selector.unregister(key.fd)
                        finished[run.number] = run.reap()
                        _close(running.pop(run.number))
        finally:
            for run in running.values():
                run.process.kill()
                run.process.wait()
                _close(run)
    return [finished[number] for number in range(len(commands))]


def _start(number: int, command: Sequence[str], environment: Mapping[str, str]) -> _Running:
    guard = Guard()
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            process_group=guard.group,
        )
    except OSError as fault:
        guard.release()
        raise WolvesError(
            f"the compiled Stan program cannot be run: {fault.strerror}",
            where=command[0],
            fix=f"rm -r {Path(command[0]).parent}, so that it is compiled again",
        ) from fault
    return _Running(number, process, guard)


def _pipe(run: _Running) -> Any:
    return run.process.stdout


def _close(run: _Running) -> None:
    run.guard.release()
    if run.process.stdout is not None:
        run.process.stdout.close()


def read_csv(path: Path) -> tuple[tuple[str, ...], Array]:
    """Header and rows of a CmdStan file, without its comments.

    Returns
    -------
    tuple
        Column names, and (rows, columns) float64.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path, comment="#", dtype=np.float64)
    except pd.errors.EmptyDataError:
        return (), np.empty((0, 0))
    return tuple(frame.columns), frame.to_numpy()


def read_adapted(path: Path) -> Adapted:
    """Step size and inverse metric, from the comments below the header of a CmdStan file."""
    stepsize, rows = np.nan, []
    with path.open() as lines:
        told = (line[1:].strip() for line in lines if line.startswith("#"))
        for line in told:
            if line.startswith("Step size ="):
                stepsize = float(line.partition("=")[2])
            elif "inverse mass matrix" in line:
                rows = _rows_of_numbers(told)
                break
    metric = np.array(rows, dtype=np.float64)
    return Adapted(stepsize, metric[0] if len(metric) == 1 else metric)


def _rows_of_numbers(lines: Iterator[str]) -> list[list[float]]:
    rows = []
    for line in lines:
        try:
            rows.append([float(word) for word in line.split(",")])
        except ValueError:
            break
    return rows
