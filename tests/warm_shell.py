"""Commands of `wolves` in processes of their own, without importing everything for each.

A process imports once what commands import. It forks for each command, so that no command
sees what another one left behind.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

_SERVER = """
import importlib, json, os, pkgutil, sys
import many_wolves.commands
from many_wolves.cli import run, wolves
for name in ("arviz", "plotnine", "many_wolves.report", "many_wolves.findings"):
    importlib.import_module(name)
for module in pkgutil.iter_modules(many_wolves.commands.__path__, "many_wolves.commands."):
    importlib.import_module(module.name)
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(job["folder"])
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, job["out"]), (2, job["err"])):
            os.dup2(os.open(name, os.O_WRONLY), number)
        sys.argv = ["wolves", *job["words"]]
        status = run(wolves)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class WarmShell:
    """Runs commands in a folder; used as a context, at whose end its process ends.

    Parameters
    ----------
    folder
        The working folder of the commands.
    environment
        Environment variables of the commands.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self._server = subprocess.Popen(
            [sys.executable, "-c", _SERVER], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def wolves(self, *words: str | Path, status: int | tuple[int, ...] = 0) -> str:
        """What a command prints; it must end with ``status``, or one of them."""
        said = [tempfile.NamedTemporaryFile("r", encoding="utf-8") for _ in range(2)]  # noqa: SIM115
        job = {"words": [str(word) for word in words], "folder": str(self.folder)}
        job |= {"out": said[0].name, "err": said[1].name}
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(json.dumps(job) + "\n")
        self._server.stdin.flush()
        ended = int(self._server.stdout.readline())
        texts = [file.read() for file in said]
        for file in said:
            file.close()
        allowed = status if isinstance(status, tuple) else (status,)
        assert ended in allowed, "".join(texts)
        return texts[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.communicate()
