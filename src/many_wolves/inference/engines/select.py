"""Choice of the engine that samples, and the compiled program for it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from many_wolves.errors import WolvesError
from many_wolves.inference.engines.protocol import Program, Progress

EngineName = Literal["auto", "httpstan", "cmdstan"]


@dataclass(frozen=True)
class EngineChoice:
    """The selected engine, and why it was selected."""

    name: Literal["httpstan", "cmdstan"]
    reason: str
    path: str = field(default="")


def choose(engine: EngineName) -> EngineChoice:
    """Return the embedded engine, unless CmdStan is requested by name.

    ``auto`` does not depend on what is installed: equal seeds give equal draws on machines with
    CmdStan and without it.

    Raises
    ------
    WolvesError
        If CmdStan was requested and is not installed.
    """
    if engine == "auto":
        return EngineChoice("httpstan", "the default")
    if engine == "httpstan":
        return EngineChoice("httpstan", "asked for")
    found = find_cmdstan()
    if found is None:
        raise WolvesError(
            "the engine cmdstan was requested, but no CmdStan is installed",
            fix="run `install_cmdstan`, or set CMDSTAN to its folder, or pass --engine httpstan",
        )
    return EngineChoice("cmdstan", "asked for", str(found))


def find_cmdstan() -> Path | None:
    """Folder of an installed CmdStan, where cmdstanpy finds one."""
    import cmdstanpy

    logging.getLogger("cmdstanpy").setLevel(logging.ERROR)
    try:
        return Path(cmdstanpy.cmdstan_path())
    except ValueError:
        return None


def load(program: Path, engine: EngineName = "auto", progress: Progress | None = None) -> Program:
    """Compile a program, or take it from the cache.

    Raises
    ------
    WolvesError
        If the program does not compile, or the engine is missing.
    """
    if choose(engine).name == "cmdstan":
        from many_wolves.inference.engines.cmdstan import CmdStanProgram

        return CmdStanProgram.load(program, progress)
    from many_wolves.inference.engines.embedded import EmbeddedProgram

    return EmbeddedProgram.load(program, progress)
