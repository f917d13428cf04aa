"""Stages that run only when their inputs or settings have changed.

A stage is one ``wolves`` command with the files it reads and writes. After a
success, the fingerprints of its command, its inputs and its outputs go
into the state file. It is up to date as long as all three are the same.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.extras import program
from many_wolves.files import file_fingerprint, fingerprint, write_atomic
from many_wolves.records import READABLE, SCHEMA

_RECENT_NS = 2 * 10**9
"""Files that changed since then are always read: they may change again within one clock tick."""


@dataclass(frozen=True)
class Stage:
    """One step of a study.

    Parameters
    ----------
    name
        Its kind and its speaker, such as ``fit smollm2``.
    command
        Arguments of ``wolves``.
    reads, writes
        Files or folders.
    after
        Names of stages that must have succeeded before.
    given
        Files to write just before it runs, with their text.
    beside
        Whether it may run in the background.
    after_all
        Names of stages that must have ended before, successfully or not. It uses the outputs of
        those that succeeded.
    """

    name: str
    command: tuple[str, ...]
    reads: tuple[Path, ...]
    writes: tuple[Path, ...]
    after: tuple[str, ...] = ()
    given: tuple[tuple[Path, str], ...] = ()
    beside: bool = False
    after_all: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """The record of a stage that succeeded: fingerprints, seconds, time of its end."""

    command: str
    reads: Mapping[str, str]
    writes: Mapping[str, str]
    seconds: float = 0.0
    ended: str = ""


class StateFile:
    """The record of the stages that succeeded, one JSON file per study.

    An unreadable file costs no data: its stages count as not yet run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> dict[str, Done]:
        """Stages by name."""
        try:
            record = json.loads(self.path.read_text(encoding="utf-8"))
            if record["schema"] not in READABLE:
                return {}
            return {name: Done(**done) for name, done in record["stages"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def save(self, stages: Mapping[str, Done]) -> None:
        """Write all stages at once."""
        content = {
            "schema": SCHEMA,
            "stages": {name: asdict(done) for name, done in stages.items()},
        }
        write_atomic(self.path, json.dumps(content, indent=1) + "\n")


def path_fingerprint(path: Path) -> str:
    """Fingerprint of a file, or of a folder by its files' names and contents; empty if missing.

    Files of 32 MB and more (weights) are identified by size and time of change. So a run with
    nothing to do does not read them.
    """
    if path.is_file():
        stat = path.stat()
        if stat.st_size >= 32_000_000:
            return fingerprint([stat.st_size, stat.st_mtime_ns])
        times = (stat.st_mtime_ns, stat.st_ctime_ns)
        if time.time_ns() - max(times) < _RECENT_NS:
            return file_fingerprint(path)
        return _content(path.resolve(), (stat.st_ino, stat.st_size, *times))
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file() and not _passing(p))
        return fingerprint([[str(p.relative_to(path)), path_fingerprint(p)] for p in files])
    return ""


@cache
def _content(path: Path, state: tuple[int, ...]) -> str:
    """Fingerprint of a file in this state, read once: several stages read what one writes."""
    return file_fingerprint(path)


def _passing(path: Path) -> bool:
    """Whether a file is transient: a hidden file, or compiled Python."""
    return path.name.startswith(".") or path.suffix == ".pyc"


def fingerprints(paths: Iterable[Path]) -> dict[str, str]:
    """Fingerprint of each path."""
    return {str(path): path_fingerprint(path) for path in paths}


def command_fingerprint(stage: Stage) -> str:
    """Fingerprint of a stage's command and of the files given to it."""
    return fingerprint([list(stage.command), [text for _, text in stage.given]])


def why(stage: Stage, done: Mapping[str, Done]) -> str:
    """Why a stage must run, in words; empty if it is up to date."""
    last = done.get(stage.name)
    if last is None:
        return "not run yet"
    missing = [str(path) for path in stage.writes if not path.exists()]
    if missing:
        return f"{missing[0]} is missing"
    if last.command != command_fingerprint(stage):
        return "its settings changed"
    changed = _changed(last.reads, fingerprints(stage.reads))
    if changed:
        return f"{changed} changed"
    edited = _changed(last.writes, fingerprints(stage.writes))
    return f"{edited} was changed afterwards" if edited else ""


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    return next((path for path in now if before.get(path) != now[path]), "")


def finished(stage: Stage, reads: Mapping[str, str], seconds: float) -> Done:
    """The record of a stage that has just succeeded.

    ``reads`` contains the fingerprints of its inputs from before it began, so that an
    input that changes meanwhile makes it run again.

    Raises
    ------
    WolvesError
        If it did not write its output.
    """
    for path in stage.writes:
        if not path.exists():
            raise WolvesError(
                f"the stage `{stage.name}` ended without writing its output",
                where=path,
                fix=f"run it alone to see why: {shown(stage.command)}",
            )
    return Done(
        command=command_fingerprint(stage),
        reads=dict(reads),
        writes=fingerprints(stage.writes),
        seconds=round(seconds, 1),
        ended=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    )


def shown(command: Sequence[str]) -> str:
    """The command line as a user types it."""
    return f"{program()} {shlex.join(command)}"


def in_order(stages: Sequence[Stage]) -> list[Stage]:
    """The stages in an order in which each follows those that it depends on.

    Raises
    ------
    ValueError
        If a name is a duplicate, is unknown, or the stages wait for each other.
    """
    by_name = {stage.name: stage for stage in stages}
    if len(by_name) != len(stages):
        raise ValueError("expected every stage name once")
    before = {stage.name: (*stage.after, *stage.after_all) for stage in stages}
    unknown = {a for names in before.values() for a in names} - by_name.keys()
    if unknown:
        raise ValueError(f"expected known stages, found {sorted(unknown)}")
    try:
        order = TopologicalSorter(before).static_order()
        return [by_name[name] for name in order]
    except CycleError as cycle:
        raise ValueError(f"stages wait for each other: {cycle.args[1]}") from None
