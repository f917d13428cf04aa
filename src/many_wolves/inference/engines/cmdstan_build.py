"""Executables of Stan programs, compiled by an installed CmdStan and cached."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.inference.engines.cache import locked, processor
from many_wolves.inference.engines.programs import Source, program_source
from many_wolves.inference.engines.protocol import Progress
from many_wolves.user_cache import cache_folder

BUILD = "2"
"""Raise it when the build changes, so that cached executables are compiled again."""

STANC_OPTIONS = {"O1": True, "allow-undefined": True}
NATIVE = "-march=native"

_PLACE = re.compile(r"in '([^']+)', line (\d+)")


def cmdstan_version() -> str:
    """Version of the installed CmdStan, such as ``2.37``."""
    import cmdstanpy

    found = cmdstanpy.cmdstan_version()
    return ".".join(str(part) for part in found) if found else "of unknown version"


def executable(program: Path, progress: Progress | None = None) -> tuple[Path, float]:
    """The compiled program, and the seconds that compiling took: 0 when it was cached.

    Raises
    ------
    WolvesError
        If the program, or the C++ that CmdStan makes of it, does not compile.
    """
    home = cache_folder("cmdstan") / _installation()
    source = program_source(program)
    digest = hashlib.sha256(f"{source.text}\0{source.cpp}".encode()).hexdigest()[:20]
    target = home / digest / program.stem
    if target.exists():
        return target, 0.0
    with locked(home / "lock"):
        if target.exists():
            return target, 0.0
        if progress is not None:
            progress("compiling the Stan program with CmdStan, once (1 to 2 minutes)")
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=home, prefix="build_") as work:
            built = _build(program, source, Path(work), home)
            target.parent.mkdir(exist_ok=True)
            built.replace(target)
        return target, time.monotonic() - start


def _installation() -> str:
    """Hash of everything but the program that an executable depends on."""
    import cmdstanpy

    where = cmdstanpy.cmdstan_path()
    made = _stanc().stat().st_mtime_ns
    parts = [BUILD, cmdstan_version(), where, str(made), str(STANC_OPTIONS), NATIVE, processor()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _stanc() -> Path:
    import cmdstanpy

    try:
        return Path(cmdstanpy.cmdstan_path(), "bin", "stanc").resolve(strict=True)
    except OSError as fault:
        raise WolvesError(
            "CmdStan is installed, but its compiler `stanc` is missing",
            where=cmdstanpy.cmdstan_path(),
            fix="run `install_cmdstan --overwrite`, or pass --engine httpstan",
        ) from fault


def _build(program: Path, source: Source, work: Path, home: Path) -> Path:
    """Compile in the folder ``work``; objects that all programs share are kept in ``home``."""
    _check(program)
    stan, header = work / f"{program.stem}.stan", work / "written_out.hpp"
    stan.write_text(source.text)
    header.write_text(source.cpp)
    try:
        try:
            return _compile(stan, header, _native(home))
        except ValueError as fault:
            # Some compilers do not know -march=native; the program itself is sound.
            if "march" not in _errors(str(fault)):
                raise
            return _compile(stan, header, {})
    except ValueError as fault:
        raise WolvesError(
            f"CmdStan could not compile the Stan program's C++: {_errors(str(fault))}",
            where=program,
            fix="check that `make` and a C++ compiler work, and run `install_cmdstan "
            "--overwrite` if CmdStan or the compiler has changed since",
        ) from fault


def _native(home: Path) -> dict[str, str]:
    """Options of make for code that uses all features of this processor.

    CmdStan's own objects are compiled for any processor. They and the program free each other's
    memory, which Eigen aligns to the widest vectors available. So CmdStan's objects are compiled
    again too, once, next to the programs.
    """
    import cmdstanpy

    source = Path(cmdstanpy.cmdstan_path()) / "src" / "cmdstan" / "main.cpp"
    if not source.exists():
        return {}
    main = home / "main.cpp"
    if not main.exists():
        shutil.copy(source, main)
    return {"CXXFLAGS_EIGEN": NATIVE, "CMDSTAN_MAIN": str(main), "PRECOMPILED_HEADERS": "false"}


def _compile(stan: Path, header: Path, cpp_options: dict[str, str]) -> Path:
    import cmdstanpy

    with cmdstanpy.disable_logging():
        built = cmdstanpy.compile_stan_file(
            stan,
            force=True,
            stanc_options=dict(STANC_OPTIONS),
            cpp_options=dict(cpp_options),
            user_header=header if header.read_text() else None,
        )
    return Path(built)


def _check(program: Path) -> None:
    """Check the program with Stan's compiler, which names file, line and column of an error."""
    command = [str(_stanc()), "--allow-undefined", f"--include-paths={program.parent}"]
    command += ["--info", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    words = (done.stderr.strip() or done.stdout.strip()).replace(f"{program.parent}/", "")
    place = _PLACE.search(words)
    raise WolvesError(
        f"the Stan program does not compile: {words}",
        where=program.parent / place.group(1) if place else program,
        line=int(place.group(2)) if place else None,
        fix="correct the program at the line that Stan names",
    )


def _errors(console: str, lines: int = 12) -> str:
    """The lines of a long console output that hold the error."""
    said = [line for line in console.splitlines() if line.strip()]
    errors = [line for line in said if "error" in line.lower()]
    return "\n".join((errors or said)[:lines])
