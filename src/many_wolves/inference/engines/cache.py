"""The cache of compiled programs; a lock keeps two processes from compiling the same one."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.user_cache import ELSEWHERE

ABANDONED_S = 24 * 3600
"""Age after which a build folder counts as abandoned."""


@contextmanager
def build_folder(target: Path) -> Iterator[Path]:
    """An empty folder next to ``target`` to build it in, for one process at a time.

    It is removed afterwards, and so are folders left behind by processes that were killed.

    Raises
    ------
    WolvesError
        If the folder cannot be written.
    """
    with locked(target):
        work = target.with_name(f"build_{target.name}")
        _remove_abandoned(target.parent)
        shutil.rmtree(work, ignore_errors=True)
        try:
            work.mkdir()
        except OSError as fault:
            raise _unwritable(target.parent, fault) from fault
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold an exclusive lock for ``target`` between processes.

    Raises
    ------
    WolvesError
        If its folder cannot be written.
    """
    from filelock import FileLock

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(target.with_name(f"{target.name}.lock"))
        lock.acquire()
    except OSError as fault:
        raise _unwritable(target.parent, fault) from fault
    try:
        yield
    finally:
        lock.release()


def _unwritable(folder: Path, fault: OSError) -> WolvesError:
    return WolvesError(
        f"the cache of compiled programs cannot be written: {fault.strerror or fault}",
        where=folder,
        fix=ELSEWHERE,
    )


def _remove_abandoned(folder: Path) -> None:
    """Remove build folders that were abandoned a day ago or more."""
    for left in folder.glob("build_*"):
        try:
            if time.time() - left.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue


def processor() -> str:
    """The processor's features: an executable built for one may not run on another."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return " ".join(sorted(line.partition(":")[2].split()))
    return f"{platform.machine()} {platform.processor()}"
