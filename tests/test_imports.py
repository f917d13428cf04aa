"""Every module can be imported, also without POSIX file locks and without the extras."""

from __future__ import annotations

import subprocess
import sys

ABSENT = (
    *("fcntl", "resource", "termios", "pwd", "torch", "transformers", "vllm", "dask", "axelrod"),
    *("stable_baselines3", "gymnasium", "pettingzoo", "optuna"),
)
IMPORT_ALL = f"""
import builtins, importlib, pkgutil
real = builtins.__import__
def without(name, globals=None, *rest, **named):
    # Others may import them: asyncio needs fcntl on the system that runs this test.
    if name.split(".")[0] in {ABSENT!r} and (globals or {{}}).get("__name__", "")[:5] == "many_":
        raise ImportError(f"there is no {{name}}")
    return real(name, globals, *rest, **named)
builtins.__import__ = without
import many_wolves
for module in pkgutil.walk_packages(many_wolves.__path__, "many_wolves.", onerror=print):
    try:
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    except ImportError as error:
        print(module.name, error)
"""
SUBCLASSES = {
    "many_wolves.families.markets.learning.environments",
    "many_wolves.families.markets.learning.progress",
}
"""Modules whose classes derive from an extra's; they are imported only to train."""


def test_every_module_can_be_imported_without_posix_and_extras() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=True
    )
    assert {line.split()[0] for line in done.stdout.splitlines()} == SUBCLASSES
