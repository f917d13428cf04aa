"""Libraries of Stan programs, compiled with the compiler and headers of httpstan's wheel and kept.

A library is two objects: the translated program, and ``cpp/services.cpp``, the same for
all programs, which Python calls.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from many_wolves.errors import WolvesError
from many_wolves.files import file_fingerprint, write_atomic
from many_wolves.inference.cache import cache_folder, locked, processor
from many_wolves.inference.engine import Progress
from many_wolves.inference.programs import Source
from many_wolves.processes import Children

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
    if _whole(target):
        return target, 0.0
    with locked(target.with_suffix(".lock")):
        if _whole(target):
            return target, 0.0
        if progress is not None:
            again = "the kept program is damaged: " if target.exists() else ""
            progress(f"{again}compiling the Stan program, once (one to four minutes, 2 GB)")
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=folder, prefix="build_") as temporary:
            built = _built(source, folder, Path(temporary))
            _keep(built, target)
        return target, time.monotonic() - start


def load_dependencies() -> None:
    """Load the library that every compiled program needs, from the wheel of this environment.

    A program names it by its bare name, not by a path, so that one compiled program serves
    every environment on a machine.

    Raises
    ------
    OSError
        If it cannot be loaded.
    """
    ctypes.CDLL(str(_wheel() / "lib" / "libtbb.so.2"), mode=ctypes.RTLD_GLOBAL)


def _built(source: Source, folder: Path, work: Path) -> Path:
    """The library of a program, made in the folder ``work``; an interrupt ends the compilers."""
    children = Children()
    with ThreadPoolExecutor(2) as pool:
        try:
            services = pool.submit(_services, folder, children)
            program = pool.submit(_program, source, work, children)
            objects = [program.result(), services.result()]
        except BaseException:
            children.end()
            raise
    _link(objects, work / "built.so", children)
    return work / "built.so"


def _keep(built: Path, target: Path) -> None:
    """Move a library into the cache, with its fingerprint beside it."""
    with built.open("rb") as handle:
        os.fsync(handle.fileno())
    facts = {"size": built.stat().st_size, "sha256": file_fingerprint(built, 64)}
    write_atomic(_facts(target), json.dumps(facts))
    built.replace(target)


def _whole(target: Path) -> bool:
    """Whether the cache holds a library as it was compiled: a damaged one kills the process."""
    try:
        facts = json.loads(_facts(target).read_text())
        return bool(
            target.stat().st_size == facts["size"]
            and file_fingerprint(target, 64) == facts["sha256"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _facts(target: Path) -> Path:
    return target.with_suffix(".json")


def _services(folder: Path, children: Children) -> Path:
    """The object that all programs share."""
    text = (CPP / "services.cpp").read_text()
    target = folder / f"services_{_key(text, _compiler())}.o"
    with locked(target.with_suffix(".lock")):
        if not _whole(target):
            built = target.with_suffix(".part")
            _compile(CPP / "services.cpp", built, children)
            _keep(built, target)
    return target


def _program(source: Source, work: Path, children: Children) -> Path:
    """The object of one program, made in the folder ``work``."""
    stan, cpp, header = work / "program.stan", work / "program.cpp", work / "written_out.hpp"
    stan.write_text(source.text)
    header.write_text(source.cpp)
    done = children.run(
        [_wheel() / "stanc", "--allow-undefined", "--name", "program", f"--o={cpp}", stan],
        STANC_TIMEOUT_S,
    )
    if done.returncode != 0:
        raise WolvesError(
            f"the Stan program does not compile: {done.stderr.strip()}",
            where=stan,
            fix="correct the program at the line that Stan names",
        )
    translated = cpp.read_text().replace("stan::model::model_base_crtp", "many_wolves::OneDensity")
    cpp.write_text(re.sub(r"\bmodel_base_crtp\b", "OneDensity", translated))
    target = work / "program.o"
    options = ("-include", str(CPP / "one_density.hpp"), "-include", str(header))
    _compile(cpp, target, children, *options)
    return target


def _compile(cpp: Path, target: Path, children: Children, *options: str) -> None:
    command = [_compiler(), *FLAGS, f"-I{_wheel() / 'include'}", *options]
    command += ["-c", str(cpp), "-o", str(target)]
    done = children.run([*command, NATIVE])
    # Some compilers do not know -march=native; the program itself is sound.
    if done.returncode != 0 and "march" in done.stderr:
        done = children.run(command)
    _check(done.returncode, done.stderr, cpp)


def _link(objects: list[Path], target: Path, children: Children) -> None:
    command = [_compiler(), "-shared", "-o", str(target), *map(str, objects)]
    done = children.run([*command, f"-L{_wheel() / 'lib'}", "-ltbb"])
    _check(done.returncode, done.stderr, target)


def _check(status: int, console: str, where: Path) -> None:
    if status != 0:
        raise WolvesError(
            f"the C++ compiler failed on the translated Stan program: {_errors(console)}",
            where=where,
            fix=f"check that the compiler works: `{_compiler()} --version`",
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
            fix="install one (Debian: apt-get install g++), or set CXX to its path",
        )
    return found


def _wheel() -> Path:
    spec = find_spec("httpstan")
    if spec is None or spec.origin is None:
        raise WolvesError("httpstan is not installed", fix="uv sync")
    return Path(spec.origin).parent


def _key(*texts: str) -> str:
    """Hash of sources and of all else that an object depends on."""
    shared = [path.read_text() for path in sorted(CPP.iterdir())]
    how = [*FLAGS, NATIVE, version("httpstan"), processor()]
    return hashlib.sha256("\0".join([*texts, *shared, *how]).encode()).hexdigest()[:20]
