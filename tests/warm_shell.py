"""Commands of `wolves`, and stages of studies, without importing everything for each.

A process imports once what commands import, and forks for each command, so that no command sees
what another one left behind. A small program that imports next to nothing passes on its words,
folder, environment and streams, and ends with the command's status.
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
import importlib, json, os, pkgutil, select, signal, socket, sys, threading
import many_wolves.commands
from many_wolves.cli import run, wolves
from many_wolves.study.runner import Runner
from many_wolves.workflows import executors
PRELOADED = (
    "arviz", "plotnine", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg",
    "scipy.optimize", "scipy.stats", "many_wolves.report", "many_wolves.findings",
    "many_wolves.figures", "many_wolves.inference.engines.embedded",
    "many_wolves.inference.sampling.fit",
)
for name in PRELOADED:
    importlib.import_module(name)
for module in pkgutil.iter_modules(many_wolves.commands.__path__, "many_wolves.commands."):
    importlib.import_module(module.name)

# Stages of studies and workers are forks as well.
Runner.__init__.__defaults__ = (tuple(json.loads(sys.argv[2])),)
executors._Context = lambda: importlib.import_module("multiprocessing").get_context("fork")
executors.forkserver.ensure_running = lambda: None


def end_with(caller):
    caller.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def obey(caller):
    message, streams, *_ = socket.recv_fds(caller, 1 << 20, 3)
    while not message.endswith(b"\\n"):
        message += caller.recv(1 << 20)
    job = json.loads(message)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    threading.Thread(target=end_with, args=(caller,), daemon=True).start()
    sys.argv = ["wolves", *job["words"]]
    status = run(wolves)
    sys.stdout.flush()
    sys.stderr.flush()
    caller.sendall(str(status).encode())
    os._exit(0)


signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended commands are not waited for
with socket.socket(socket.AF_UNIX) as door:
    door.bind(sys.argv[1])
    door.listen(64)
    print("open", flush=True)
    # It ends when its input closes: whatever ends the tests ends it.
    while door in select.select([door, sys.stdin], [], [])[0]:
        caller = door.accept()[0]
        if not os.fork():
            door.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            obey(caller)
        caller.close()
"""

_CALLER = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    job = {"words": sys.argv[2:], "folder": os.getcwd(), "environment": dict(os.environ)}
    message = json.dumps(job).encode() + b"\\n"
    sent = socket.send_fds(server, [message], [0, 1, 2])
    server.sendall(message[sent:])
    sys.exit(int(server.recv(16) or 1))
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
        # The path of a socket may have about a hundred characters; folders of tests are longer.
        self._place = tempfile.TemporaryDirectory()
        caller, door = (Path(self._place.name) / name for name in ("caller.py", "door"))
        caller.write_text(_CALLER)
        self.program = (sys.executable, "-I", "-S", str(caller), str(door))
        """The command `wolves`, as a study starts its stages."""
        words = [sys.executable, "-c", _SERVER, str(door), json.dumps(self.program)]
        # Both streams are pipes: Python remembers of a file that it can be sought, and a command's
        # own streams cannot.
        self._server = subprocess.Popen(
            words, env=environment, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == "open\n"

    def wolves(self, *words: str | Path, status: int | tuple[int, ...] = 0) -> str:
        """What a command prints; it must end with ``status``, or one of them."""
        done = subprocess.run(
            [*self.program, *map(str, words)], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        allowed = status if isinstance(status, tuple) else (status,)
        assert done.returncode in allowed, done.stdout + done.stderr
        return done.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.communicate()
        self._place.cleanup()
