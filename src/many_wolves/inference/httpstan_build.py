"""Libraries of Stan programs, compiled with the compiler and headers of httpstan's wheel and kept.

A library is two objects: the translated program, and ``cpp/services.cpp``, the same for
all programs, which Python calls.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.inference.cache import cache_folder, locked, processor
from many_wolves.inference.engine import Progress
from many_wolves.inference.programs import Source

CPP = Path(__file__).parent / "cpp"
FLAGS = (
    *("-std=c++17", "-O3", "-fPIC", "-w", "-DNDEBUG", "-DSTAN_THREADS", "-D_REENTRANT"),
    *("-DBOOST_DISABLE_ASSERTS", "-DBOOST_PHOENIX_NO_VARIADIC_EXPRESSION"),
)
NATIVE = "-march=native"
"""All that this processor has; both objects alike, since they share memory that Eigen aligns."""
COMPILERS = ("c++", "g++", "clang++")
STANC_TIMEOUT_S = 120


def compiled(source: Source, progress: Progress | None) -> tuple[Path, float]:
    """The library of a program, and the seconds that compiling it took; zero from the cache.

    Raises
    ------
    WolvesError
        If the program or its C++ does not compile.
    """
    folder = cache_folder() / "httpstan"
    target = folder / f"{_key(source.text, source.cpp)}.so"
    if target.exists():
        return target, 0.0
    with locked(target.with_suffix(".lock")):
        if target.exists():
            return target, 0.0
        if progress is not None:
            progress("compiling the Stan program, once (about a minute)")
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=folder, prefix="build_") as temporary:
            work = Path(temporary)
            with ThreadPoolExecutor(2) as pool:
                services = pool.submit(_services, folder)
                program = pool.submit(_program, source, work)
                objects = [program.result(), services.result()]
            _link(objects, work / "built.so")
            (work / "built.so").replace(target)
        return target, time.monotonic() - start


def _services(folder: Path) -> Path:
    """The object that all programs share."""
    text = (CPP / "services.cpp").read_text()
    target = folder / f"services_{_key(text)}.o"
    with locked(target.with_suffix(".lock")):
        if not target.exists():
            built = target.with_suffix(".part")
            _compile(CPP / "services.cpp", built)
            built.replace(target)
    return target


def _program(source: Source, work: Path) -> Path:
    """The object of one program, made in the folder ``work``."""
    stan, cpp, header = work / "program.stan", work / "program.cpp", work / "written_out.hpp"
    stan.write_text(source.text)
    header.write_text(source.cpp)
    done = subprocess.run(
        [_wheel() / "stanc", "--allow-undefined", "--name", "program", f"--o={cpp}", stan],
        capture_output=True,
        text=True,
        timeout=STANC_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise WolvesError(
            f"the Stan program does not compile: {done.stderr.strip()}",
            where=stan,
            mend="correct the program at the line that Stan names",
        )
    translated = cpp.read_text().replace("stan::model::model_base_crtp", "many_wolves::OneDensity")
    cpp.write_text(re.sub(r"\bmodel_base_crtp\b", "OneDensity", translated))
    target = work / "program.o"
    _compile(cpp, target, "-include", str(CPP / "one_density.hpp"), "-include", str(header))
    return target


def _compile(cpp: Path, target: Path, *options: str) -> None:
    command = [_compiler(), *FLAGS, f"-I{_wheel() / 'include'}", *options]
    command += ["-c", str(cpp), "-o", str(target)]
    # Some compilers do not know -march=native; the program itself is sound.
    attempts = [[*command, NATIVE], command]
    _first_that_works(attempts, cpp)


def _link(objects: list[Path], target: Path) -> None:
    library = _wheel() / "lib"
    command = [_compiler(), "-shared", "-o", str(target), *map(str, objects)]
    command += [f"-L{library}", "-ltbb", f"-Wl,-rpath,{library}"]
    _first_that_works([command], target)


def _first_that_works(commands: list[list[str]], where: Path) -> None:
    said = ""
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        said = said or _errors(done.stderr)
    raise WolvesError(
        f"the C++ compiler failed on the translated Stan program: {said}",
        where=where,
        mend=f"check that the compiler works: `{_compiler()} --version`",
    )


def _errors(console: str, lines: int = 6) -> str:
    """The lines of a long console that say what is wrong."""
    said = [line for line in console.splitlines() if line.strip()]
    errors = [line for line in said if "error" in line.lower()]
    return "\n".join((errors or said)[:lines])


def _compiler() -> str:
    """``CXX``, else the first C++ compiler on the PATH."""
    named = os.environ.get("CXX")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, COMPILERS)), None)
    if found is None:
        raise WolvesError(
            f"no C++ compiler was found ({named or ', '.join(COMPILERS)})",
            mend="install one (Debian: apt-get install g++), or set CXX to its path",
        )
    return found


def _wheel() -> Path:
    spec = find_spec("httpstan")
    if spec is None or spec.origin is None:
        raise WolvesError("httpstan is not installed", mend="uv sync")
    return Path(spec.origin).parent


def _key(*texts: str) -> str:
    """Hash of sources and of all else that an object depends on."""
    shared = [path.read_text() for path in sorted(CPP.iterdir())]
    how = [*FLAGS, NATIVE, version("httpstan"), str(_wheel()), _compiler(), processor()]
    return hashlib.sha256("\0".join([*texts, *shared, *how]).encode()).hexdigest()[:20]
