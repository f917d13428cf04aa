"""The Python environment of oTree: created once in the cache, separate from this one.

oTree pins old versions of packages that this project uses in new ones, so the two cannot
share an environment.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from many_wolves.errors import WolvesError

OTREE_VERSION = "6.0.15"
POSTGRES_DRIVER = "psycopg2-binary==2.9.10"

_log = logging.getLogger(__name__)
_READY = "ready"


def otree_environment(extra: Sequence[str] = ()) -> Path:
    """Folder of a virtual environment with oTree, created at first use (about half a minute).

    Parameters
    ----------
    extra
        Requirements in addition to oTree, such as a database driver or those of an experiment.

    Raises
    ------
    WolvesError
        If it cannot be created.
    """
    requirements = [f"otree=={OTREE_VERSION}", *sorted(extra)]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    name = "-".join(["otree", OTREE_VERSION, f"py{python}", *map(_plain, sorted(extra))])
    folder = _cache() / name
    # A read-only cache of another user needs no lock.
    if not (folder / _READY).exists():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_name(f"{name}.lock")):
                _make_once(folder, requirements)
        except OSError as fault:
            raise WolvesError(
                f"the cache of oTree's environment cannot be written: {fault.strerror or fault}",
                where=folder.parent,
                fix="set MANY_WOLVES_CACHE to a folder that you can write to, or have the owner "
                "of the shared one play a session once",
            ) from fault
    return folder


def _make_once(folder: Path, requirements: Sequence[str]) -> None:
    """Create the environment, unless another process did so in the meantime."""
    if (folder / _READY).exists():
        return
    _log.info("installing oTree %s into %s (once)", OTREE_VERSION, folder)
    shutil.rmtree(folder, ignore_errors=True)
    _make(folder, requirements)
    (folder / _READY).touch()


def program(environment: Path, name: str) -> Path:
    """Path of a program in an environment."""
    return environment / ("Scripts" if os.name == "nt" else "bin") / name


def _cache() -> Path:
    """``MANY_WOLVES_CACHE``, else ``many-wolves`` in the user's cache folder."""
    named = os.environ.get("MANY_WOLVES_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(home) / "many-wolves"


def _plain(requirement: str) -> str:
    return "".join(c if c.isalnum() or c == "." else "_" for c in requirement)


def _make(folder: Path, requirements: Sequence[str]) -> None:
    """Create it with uv if available, which is faster; otherwise with venv and pip."""
    uv = _uv()
    python = program(folder, "python")
    if uv:
        steps = [
            [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", str(python), *requirements],
        ]
    else:
        steps = [
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", *requirements],
        ]
    for step in steps:
        # Ignore project settings in the current folder.
        done = subprocess.run(
            step, capture_output=True, text=True, check=False, cwd=folder.parent, timeout=900
        )
        if done.returncode:
            raise WolvesError(
                f"cannot install {' '.join(requirements)}: {_last_line(done.stderr)}",
                fix=f"run `{' '.join(step)}` and read its output",
            )


def _uv() -> str:
    """The path of uv, if it exists and runs."""
    for candidate in (shutil.which("uv"), str(Path(sys.executable).with_name("uv"))):
        if candidate and Path(candidate).exists():
            tried = subprocess.run(
                [candidate, "--version"], capture_output=True, check=False, timeout=60
            )
            if not tried.returncode:
                return candidate
    return ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
