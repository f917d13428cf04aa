"""Runs the stages of a study that are out of date, each as a separate process.

Separate processes free a model's memory between checkpoints, and isolate the failure of a stage.
Every stage is a command that can be run by hand.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from many_wolves.errors import WolvesError
from many_wolves.files import write_atomic
from many_wolves.interrupts import INTERRUPTED, STAGE, blocked, ending
from many_wolves.locks import hold_alone
from many_wolves.processes import Guard
from many_wolves.progress import log
from many_wolves.study.paths import StudyPaths
from many_wolves.study.plan import plan
from many_wolves.study.schema import Study
from many_wolves.study.stages import (
    Done,
    Stage,
    StateFile,
    fingerprints,
    finished,
    in_order,
    shown,
    why,
)

WOLVES = (sys.executable, "-m", "many_wolves")
"""The command ``wolves`` of this interpreter."""

_STDERR = 2
_POLL_S = 0.1
_LAST_S = 35.0
"""Seconds after an interrupt before a stage is killed; `collect` takes up to 30."""
_AT_ONCE_S = 8.0
"""Seconds after the second interrupt."""
_NEWS_S = 30.0
_WIDTH = 240


@dataclass
class _Running:
    """A running stage, with the fingerprints of its inputs and the log of its output.

    ``guard`` ends it if this process is killed.
    """

    stage: Stage
    process: subprocess.Popen[bytes]
    guard: Guard
    started: float
    reads: dict[str, str]
    log: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """The result of a run, by stage name."""

    ran: tuple[str, ...]
    reused: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: tuple[str, ...]


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Prevent a second run of the same study.

    Raises
    ------
    WolvesError
        If another process is running it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        hold_alone(
            handle,
            WolvesError(
                "expected one run of this study at a time, found another running one",
                where=folder,
                fix="wait for it, or stop it; `wolves study status` shows its progress",
            ),
        )
        yield


def run_study(study: Study, places: StudyPaths, *, again: bool = False) -> Outcome:
    """Run the stages of a study that are out of date.

    Parameters
    ----------
    again
        Run every stage, even if it is up to date.

    Raises
    ------
    WolvesError
        If a stage failed, or another process is running the study.
    """
    stages = plan(study, places)
    with only_one(places.results):
        if again:
            places.state.unlink(missing_ok=True)
        log.info("Study %s%s", study.study, f": {study.title}" if study.title else "")
        outcome = Runner(StateFile(places.state), places.logs).run(stages)
    if outcome.failed:
        raise WolvesError(
            f"{len(outcome.failed)} of {len(stages)} stages failed: {', '.join(outcome.failed)}",
            fix="fix the errors above, then run the same command again: finished stages are kept",
        )
    return outcome


class Runner:
    """Runs stages in order, at most one in the foreground and one in the background.

    Parameters
    ----------
    state
        Record of finished stages.
    logs
        Folder of the output of stages in the background.
    program
        Program that runs a stage's command.
    """

    def __init__(self, state: StateFile, logs: Path, program: Sequence[str] = WOLVES) -> None:
        self._program = tuple(program)
        self._state = state
        self._logs = logs
        self._done: dict[str, Done] = state.load()
        self._ended: set[str] = set()
        self._ran: list[str] = []
        self._reused: list[str] = []
        self._failed: list[str] = []
        self._skipped: list[str] = []
        self._beside: _Running | None = None

    def run(self, stages: Sequence[Stage]) -> Outcome:
        """Run stages that are out of date; a failed stage stops only those that depend on it.

        Raises
        ------
        KeyboardInterrupt
            If the user interrupts; finished stages stay recorded.
        """
        waiting = in_order(stages)
        news = time.monotonic()
        try:
            while waiting or self._beside:
                self._reap()
                ready = self._settle(waiting)
                self._begin_beside(ready, waiting)
                front = self._next_in_front([stage for stage in ready if stage in waiting])
                if front is not None:
                    waiting.remove(front)
                    self._in_front(front, waiting)
                elif self._beside is not None:
                    news = self._tell(self._beside, news)
                    time.sleep(_POLL_S)
        except BaseException:
            self._stop_beside()
            raise
        return Outcome(
            tuple(self._ran), tuple(self._reused), tuple(self._failed), tuple(self._skipped)
        )

    def _settle(self, waiting: list[Stage]) -> list[Stage]:
        """Drop stages from ``waiting`` that need not or cannot run; return those that can run."""
        ready: list[Stage] = []
        for stage in list(waiting):
            out = {*self._failed, *self._skipped}
            lost = [a for a in stage.after if a in out]
            if not lost and stage.after_all and out.issuperset(stage.after_all):
                lost = list(stage.after_all)
            if lost:
                waiting.remove(stage)
                self._skipped.append(stage.name)
                _say(f"  - {stage.name}: skipped, because `{lost[0]}` has no output")
            elif self._ended.issuperset(stage.after) and (self._ended | out).issuperset(
                stage.after_all
            ):
                if why(stage, self._done):
                    ready.append(stage)
                else:
                    waiting.remove(stage)
                    self._ended.add(stage.name)
                    self._reused.append(stage.name)
                    _say(f"  = {stage.name}: up to date")
        return ready

    def _next_in_front(self, ready: Sequence[Stage]) -> Stage | None:
        """The next stage for the foreground; with two cores, even one for the background."""
        first = next((stage for stage in ready if not stage.beside), None)
        if first is None and self._beside is not None and _cores() > 1:
            return next(iter(ready), None)
        return first

    def _begin_beside(self, ready: Sequence[Stage], waiting: list[Stage]) -> None:
        stage = next((stage for stage in ready if stage.beside), None)
        if stage is None or self._beside is not None:
            return
        waiting.remove(stage)
        self._logs.mkdir(parents=True, exist_ok=True)
        log = self._logs / f"{stage.name.replace(' ', '-').replace('/', '-')}.log"
        _say(f"  > {stage.name} (in the background; log: {log})")
        with log.open("wb") as out:
            self._beside = _start(self._program, stage, out, log)

    def _in_front(self, stage: Stage, waiting: list[Stage]) -> None:
        _say(f"  > {stage.name}: {why(stage, self._done)}\n    {_short(shown(stage.command))}")
        running = _start(self._program, stage, None, None)
        try:
            while running.process.poll() is None:
                if self._reap():
                    self._begin_beside(self._settle(waiting), waiting)
                time.sleep(_POLL_S)
        except BaseException:
            _end(running)
            raise
        self._close(running)

    def _reap(self) -> bool:
        """Record the stage in the background if it has ended; return whether it has."""
        if self._beside is None or self._beside.process.poll() is None:
            return False
        running, self._beside = self._beside, None
        self._close(running)
        return True

    def _close(self, running: _Running) -> None:
        """Record a stage that has ended."""
        running.guard.release()
        stage, status = running.stage, running.process.returncode
        seconds = time.monotonic() - running.started
        if status in (INTERRUPTED, -2):
            raise KeyboardInterrupt
        if status != 0:
            self._failed.append(stage.name)
            _say(f"  ! {stage.name}: failed with exit status {status}")
            if running.log is not None:
                _say(_tail(running.log, 12))
            return
        self._done[stage.name] = finished(stage, running.reads, seconds)
        self._state.save(self._done)
        self._ended.add(stage.name)
        self._ran.append(stage.name)
        _say(f"  + {stage.name}: {seconds:.0f} s")

    def _tell(self, running: _Running, last: float) -> float:
        """Print the progress of a background stage from time to time while others wait for it."""
        now = time.monotonic()
        if now - last < _NEWS_S:
            return last
        words = _tail(running.log, 1).strip() if running.log else ""
        _say(f"    {running.stage.name}, {now - running.started:.0f} s: {words}")
        return now

    def _stop_beside(self) -> None:
        if self._beside is not None:
            _end(self._beside)


def _cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quiet() -> bool:
    """Whether only warnings and errors are shown."""
    return not log.isEnabledFor(logging.INFO)


def _start(
    program: Sequence[str], stage: Stage, out: IO[bytes] | None, log: Path | None
) -> _Running:
    for path, text in stage.given:
        write_atomic(path, text)
    reads = fingerprints(stage.reads)
    environment = os.environ | {"PYTHONUNBUFFERED": "1", STAGE: stage.name}
    # Ctrl-C reaches only this process, which passes it on once: a stage that receives it twice
    # abandons the requests in progress.
    # What a stage prints is progress; standard output is for the result of the study.
    quiet = _quiet()
    with blocked():
        guard = Guard()
        process = subprocess.Popen(
            [*program, *stage.command, *(["--quiet"] if quiet else [])],
            stdin=subprocess.DEVNULL,
            stdout=out if out is not None else subprocess.DEVNULL if quiet else _STDERR,
            stderr=subprocess.STDOUT if out is not None else None,
            env=environment,
            process_group=guard.group,
        )
    return _Running(stage, process, guard, time.monotonic(), reads, log)


def _end(running: _Running) -> None:
    """Interrupt a stage as Ctrl-C does, and kill it if it does not stop."""
    process = running.process
    if process.poll() is None:
        _say(f"  interrupted: stopping {running.stage.name}")
        process.send_signal(signal.SIGINT)
        try:
            with ending():
                _wait(process)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    running.guard.release()


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait until a stage has ended; a second interrupt is passed on and stops it at once."""
    try:
        process.wait(timeout=_LAST_S)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=_AT_ONCE_S)


def _say(text: str) -> None:
    log.info("%s", text)


def _short(command: str) -> str:
    return command if len(command) <= _WIDTH else f"{command[:_WIDTH]} ..."


def _tail(log: Path, lines: int) -> str:
    """The last lines of a log, with the last state of a progress bar."""
    text = log.read_text(encoding="utf-8", errors="replace").rstrip().replace("\r\n", "\n")
    shown_lines = [line.rsplit("\r", 1)[-1] for line in text.split("\n")]
    return "\n".join(f"    {line}" for line in shown_lines[-lines:])
