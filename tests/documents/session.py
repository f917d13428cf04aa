"""A reader at work: runs the blocks of one page in one folder, in order."""

from __future__ import annotations

import csv
import doctest
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
import pytest

import many_wolves
from documents import install_commands
from documents.blocks import Block
from many_wolves.cli import run as run_command
from many_wolves.cli import wolves
from many_wolves.study.study_file import read_study

ROOT = Path(__file__).parents[2]
CHEAP = {"chains": "2", "warmup": "400", "draws": "1000"}
"""Options that a command gets where it takes them and the block leaves them out."""
LINKED = ("src", "studies", "rsa-model", "game-model", "analysis", "examples", "benchmarks")
"""Folders of the checkout that blocks name; ``task-data`` is copied, since commands write there."""
SHELL = re.compile(r"[|&;<>$`*?~\n]|^\w+=")
"""What only a shell understands."""
SCRIPT = re.compile(r"<<|^(for|if|while|export|set) ", re.MULTILINE)
"""What makes the lines of a block depend on each other."""
TIMEOUT = 600
BASE = {
    "study": "study: example\n",
    "human": "human: [yoon2020]\n",
    "speakers": "speakers: [{name: a-model, provider: openai, model: a-model}]\n",
}
"""Fields that a part of a study file needs to be a whole one."""


class Session:
    """Folder and Python names of one page.

    Parameters
    ----------
    folder
        An empty folder, in which the blocks run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        for name in LINKED:
            (folder / name).symlink_to(ROOT / name)
        shutil.copytree(ROOT / "task-data", folder / "task-data")

    def run(self, block: Block) -> None:
        """Run a block; fails the test where it does not do what it shows."""
        if title := block.options.get("title"):
            path = self.folder / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.source)
        runners: dict[str, Callable[[Block], None]] = {
            "bash": self._bash,
            "python": self._python,
            "pycon": self._doctest,
            "yaml": self._yaml,
            "json": lambda b: json.loads(b.source),
            "csv": _csv,
            "r": self._r,
            "text": lambda _: None,
        }
        runners[block.language](block)

    def _python(self, block: Block) -> None:
        code = "\n" * (block.line - 1) + block.source
        with few_draws():
            exec(compile(code, str(ROOT / block.page), "exec"), self.names)

    def _doctest(self, block: Block) -> None:
        with few_draws():
            _doctest(block, self.names)

    def _bash(self, block: Block) -> None:
        whole = SCRIPT.search(block.source)
        commands = [block.source] if whole else list(_commands(block.source))
        expected = int(block.options.get("status", "0"))
        for number, command in enumerate(commands, start=1):
            wanted = expected if number == len(commands) else 0
            status = self._one(command)
            assert status == wanted, f"exit status {status}, expected {wanted}, of: {command}"

    def _one(self, command: str) -> int:
        if SHELL.search(command):
            return self._shell(command)
        match words := shlex.split(command):
            case ["wolves", *rest] | ["uv", "run", "wolves", *rest]:
                return run_command(wolves, cheaply(rest))
            case ["uv", "run", *rest]:
                return self._shell(shlex.join(rest))
            case ["make", *targets]:
                return _quiet(["make", "--dry-run", *targets], ROOT)
            case [tool, *_] if tool in install_commands.TOOLS:
                install_commands.check(words)
                return 0
            case _:
                return self._shell(command)

    def _shell(self, script: str) -> int:
        """Run a script as the reader would, with the packages of this environment."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace("uv run ", "")],
            cwd=self.folder,
            env=os.environ | {"PATH": path},
            timeout=TIMEOUT,
            check=False,
        )
        return done.returncode

    def _yaml(self, block: Block) -> None:
        title = block.options.get("title", "")
        if title and not title.startswith("studies/"):
            return
        text = block.source
        fields = set(re.findall(r"^(\w+):", text, re.MULTILINE))
        if "study" not in fields:
            text += "".join(line for name, line in BASE.items() if name not in fields)
        path = self.folder / "block.yaml"
        path.write_text(text)
        read_study(path)

    def _r(self, block: Block) -> None:
        if shutil.which("Rscript") is None:
            pytest.skip("R is not installed")
        for package in re.findall(r"library\((\w+)\)", block.source):
            look = f"quit(status = !requireNamespace('{package}', quietly = TRUE))"
            if _quiet(["Rscript", "-e", look], self.folder):
                pytest.skip(f"the R package {package} is not installed")
        script = self.folder / "block.R"
        script.write_text(block.source)
        assert _quiet(["Rscript", str(script)], self.folder) == 0


def cheaply(arguments: Sequence[str]) -> list[str]:
    """Add few draws to a command that samples and does not say how many."""
    if not arguments:
        return []
    context = click.Context(wolves)
    command = wolves.get_command(context, arguments[0]) if isinstance(wolves, click.Group) else None
    takes = {parameter.name for parameter in command.params} if command else set()
    # `wolves compile` takes `--draws` as well: the value draws of an experiment.
    missing = {name: n for name, n in CHEAP.items() if name in takes and "chains" in takes}
    given = {word.split("=")[0] for word in arguments}
    added = [w for name, n in missing.items() if f"--{name}" not in given for w in (f"--{name}", n)]
    return [*arguments, *added]


@contextmanager
def few_draws() -> Iterator[None]:
    """Let ``mw.fit`` take few draws where a block does not say how many."""
    few = {name: int(value) for name, value in CHEAP.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many_wolves, "fit", partial(many_wolves.fit, **few))
        yield


def _commands(script: str) -> Iterator[str]:
    """Yield the commands of a script, continued lines joined, without comments."""
    for line in script.replace("\\\n", " ").splitlines():
        command = re.sub(r"(^|\s)#.*$", "", line).strip()
        if command:
            yield command


def _doctest(block: Block, names: dict[str, Any]) -> None:
    examples = doctest.DocTestParser().get_doctest(
        block.source, names, block.name, str(block.page), block.line - 1
    )
    examples.globs = names
    said = io.StringIO()
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(
        examples, out=said.write, clear_globs=False
    )
    assert result.failed == 0, said.getvalue()


def _csv(block: Block) -> None:
    widths = {len(row) for row in csv.reader(io.StringIO(block.source))}
    assert len(widths) == 1, f"expected rows of one length, found {sorted(widths)}"


def _quiet(command: Sequence[str], folder: Path) -> int:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr)
    return done.returncode
