"""A local oTree server: started on loopback, ended with all of its child processes."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from many_wolves.errors import WolvesError
from many_wolves.processes import ChildProcess
from many_wolves.worlds.otree.environment import POSTGRES_DRIVER, otree_environment, program

_log = logging.getLogger(__name__)
DATABASE = "db.sqlite3"
START_S = 60.0


@dataclass(frozen=True)
class Address:
    """Address of an oTree server, and the key of its REST interface, which is never shown."""

    url: str
    key: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, url: str) -> Self:
        """A running server; its key is read from ``OTREE_REST_KEY``."""
        if not url.startswith(("http://", "https://")) or "@" in url:
            raise WolvesError(
                f"--server: expected a URL such as http://127.0.0.1:8000, found {url!r}",
                fix="leave out user names and passwords; keys come from the environment",
            )
        return cls(url.rstrip("/"), os.environ.get("OTREE_REST_KEY", ""))


class OTreeServer:
    """A production server for a project folder.

    Parameters
    ----------
    project
        The folder with ``settings.py``.
    folder
        Folder of the SQLite file and the log, which are kept. The project itself is not modified.
    database
        A URL such as ``postgresql://...``; empty for an SQLite file in ``folder``.
    port
        Port on loopback; 0 for any free port.
    requirements
        Requirements of the project in addition to oTree.

    Raises
    ------
    WolvesError
        If the folder is not an oTree project, or the server does not answer.
    """

    def __init__(
        self,
        project: Path,
        folder: Path,
        *,
        database: str = "",
        port: int = 0,
        requirements: Sequence[str] = (),
    ) -> None:
        if not (project / "settings.py").exists():
            raise WolvesError(
                f"{project}: expected an oTree project, found no settings.py",
                fix="give the folder in which `otree devserver` would be run",
            )
        folder.mkdir(parents=True, exist_ok=True)
        # oTree keeps its SQLite file in its working directory, so it runs on a link to the project.
        self._workplace = _workplace(project, folder)
        drivers = [POSTGRES_DRIVER] if database.startswith("postgres") else []
        environment = otree_environment([*requirements, *drivers])
        self.port = port or free_port()
        self.address = Address(
            f"http://127.0.0.1:{self.port}",
            os.environ.get("OTREE_REST_KEY") or secrets.token_urlsafe(24),
        )
        self.log = folder / "otree.log"
        settings = {
            "OTREE_REST_KEY": self.address.key,
            "OTREE_ADMIN_PASSWORD": os.environ.get("OTREE_ADMIN_PASSWORD", secrets.token_hex(8)),
            "OTREE_AUTH_LEVEL": "STUDY",
            # Without it, each page contains a table of all variables of its template.
            "OTREE_PRODUCTION": "1",
            "PATH": f"{program(environment, 'otree').parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            # The SQLite file is in the server's working directory, whatever the path in this
            # address.
            "DATABASE_URL": database or f"sqlite:///{DATABASE}",
        }
        command: list[str | Path] = [
            program(environment, "otree"),
            "prodserver1of2",
            f"127.0.0.1:{self.port}",
        ]
        with self.log.open("ab") as log:
            self._process = ChildProcess(
                command,
                environment=settings,
                folder=self._workplace,
                stdout=log.fileno(),
                stderr=log.fileno(),
            )
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.process.pid

    @property
    def running(self) -> bool:
        """Whether its process is running."""
        return self._process.process.poll() is None

    def close(self) -> None:
        """End the server and its timeout worker; keep the database."""
        self._process.kill()

    def _wait(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if not self.running:
                raise WolvesError(
                    f"oTree ended while starting: {last_error(self.log)}",
                    where=self.log,
                    fix="read the log; `otree devserver` in the project shows the same error",
                )
            if answers(self.address):
                _log.info("oTree serves %s", self.address.url)
                return
            time.sleep(0.1)
        raise WolvesError(f"oTree did not answer within {START_S:.0f} s", where=self.log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def answers(address: Address, timeout: float = 2.0) -> bool:
    """Whether an oTree server responds at an address."""
    request = urllib.request.Request(
        f"{address.url}/api/otree_version", headers={"otree-rest-key": address.key}
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def free_port() -> int:
    """A free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _workplace(project: Path, folder: Path) -> Path:
    """A folder with links to the project's files, in which the database is written."""
    place = folder / "otree"
    place.mkdir(exist_ok=True)
    for item in project.resolve().iterdir():
        link = place / item.name
        if item.name != DATABASE and not link.exists():
            _link(link, item)
    (place / "_static").mkdir(exist_ok=True)
    return place


def _link(link: Path, item: Path) -> None:
    """Make a link if the system supports it, otherwise a copy."""
    try:
        link.symlink_to(item, target_is_directory=item.is_dir())
    except OSError:
        copy = shutil.copytree if item.is_dir() else shutil.copy2
        copy(item, link)


def last_error(log: Path) -> str:
    """The last line of oTree's log, which ends a traceback after an error of the experiment."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "no message"
