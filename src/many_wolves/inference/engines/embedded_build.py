"""Libraries of Stan programs, compiled with the compiler and headers of httpstan's wheel.

A library links two objects: the translated program, and ``cpp/services.cpp``, which Python calls
and all programs share.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shlex
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from many_wolves.errors import WolvesError
from many_wolves.extras import install_command
from many_wolves.files import file_fingerprint, write_atomic
from many_wolves.inference.engines.cache import build_folder, locked, processor
from many_wolves.inference.engines.programs import Source
from many_wolves.inference.engines.protocol import Progress
from many_wolves.processes import Children
from many_wolves.user_cache import cache_folder

CPP = Path(__file__).parent / "cpp"
FLAGS = (
    *("-std=c++17", "-O3", "-fPIC", "-w", "-DNDEBUG", "-DSTAN_THREADS", "-D_REENTRANT"),
    *("-DBOOST_DISABLE_ASSERTS", "-DBOOST_PHOENIX_NO_VARIADIC_EXPRESSION"),
    # Each node of automatic differentiation looks up its thread's stack. Symbols that stay inside
    # make that cheaper. The TLS model initial-exec would be cheaper still, but its space is scarce:
    # a process with several programs could not load another one.
    "-fvisibility=hidden",
)
NATIVE = "-march=native"
"""Use all processor features, in both objects, because they share memory that Eigen aligns."""
COMPILERS = ("c++", "g++", "clang++")
STANC_TIMEOUT_S = 120
TELL_S = 15.0
"""Seconds between two messages on a compiler's running time."""


@cache
def engine_version() -> str:
    """Name and version of the engine."""
    return f"httpstan {version('httpstan')}"


def compiled(source: Source, progress: Progress | None) -> tuple[Path, float]:
    """The library of a program, and the seconds that compiling took; zero if it was cached.

    Raises
    ------
    WolvesError
        If the program or its C++ does not compile, or the cache cannot be written.
    """
    target = library_of(source)
    folder = target.parent
    if is_whole(target):
        return target, 0.0
    with build_folder(target) as work:
        if is_whole(target):
            return target, 0.0
        if progress is not None:
            again = "the cached program is damaged: " if target.exists() else ""
            progress(f"{again}compiling {source.name}, once (one to four minutes, 2 GB of memory)")
        began = time.monotonic()
        _keep(_built(source, folder, work, progress), target)
        return target, time.monotonic() - began


@contextmanager
def headers_compiled(progress: Progress | None = None) -> Iterator[None]:
    """Compile Stan's headers once for all programs that are compiled inside.

    Each of them then takes half a minute less. The compiled headers take 800 MB in the cache
    while they are there. A compiler that cannot use them reads the headers again.
    """
    headers, children = _headers(), Children()
    built = headers.with_name(f"{headers.name}.gch")
    if progress is not None:
        progress("compiling the headers of Stan, once for all programs (about half a minute)")
    try:
        with locked(built):
            part = built.with_suffix(".part")
            _compile(headers, part, children, "-x", "c++-header")
            part.replace(built)
        yield
    finally:
        children.end()
        built.unlink(missing_ok=True)


def library_of(source: Source) -> Path:
    """Path of a program's library in the cache, whether it exists or not."""
    return cache_folder("httpstan") / f"{_key(source.text, source.cpp)}.so"


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


def _built(source: Source, folder: Path, work: Path, progress: Progress | None) -> Path:
    """The library of a program, built in the folder ``work``; an interrupt stops the compilers."""
    children = Children()
    with ThreadPoolExecutor(2) as pool:
        try:
            services = pool.submit(_services, folder, children)
            program = pool.submit(_program, source, work, children)
            _await([program, services], source.name, progress)
            objects = [program.result(), services.result()]
        except BaseException:
            children.end()
            raise
    _link(objects, work / "built.so", children)
    return work / "built.so"


def _await(jobs: list[Future[Any]], name: str, progress: Progress | None) -> None:
    """Wait until all have ended or one has failed, and report the time so far."""
    began = time.monotonic()
    while wait(jobs, TELL_S, FIRST_EXCEPTION).not_done:
        if any(job.done() and job.exception() is not None for job in jobs):
            return
        if progress is not None:
            progress(f"compiling {name}: {time.monotonic() - began:.0f} s")


def _keep(built: Path, target: Path) -> None:
    """Move a library into the cache, with its fingerprint next to it, in place of anything."""
    for place in (target, _facts(target)):
        if place.is_dir():
            shutil.rmtree(place)
    with built.open("rb") as handle:
        os.fsync(handle.fileno())
    facts = {"size": built.stat().st_size, "sha256": file_fingerprint(built, 64)}
    write_atomic(_facts(target), json.dumps(facts))
    built.replace(target)


def is_whole(target: Path) -> bool:
    """Whether the cached library is intact: loading a damaged one kills the process."""
    try:
        facts = json.loads(_facts(target).read_text())
        return bool(
            target.stat().st_size == facts["size"]
            and file_fingerprint(target, 64) == facts["sha256"]
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _facts(target: Path) -> Path:
    return target.with_suffix(".json")


def _services(folder: Path, children: Children) -> Path:
    """The object that all programs share."""
    target = folder / f"services_{_key(*_compiler())}.o"
    with locked(target):
        if not is_whole(target):
            built = target.with_suffix(".part")
            _compile(CPP / "services.cpp", built, children, *_first(_headers()))
            _keep(built, target)
    return target


def _program(source: Source, work: Path, children: Children) -> Path:
    """The object of one program, built in the folder ``work``."""
    stan, cpp, header = work / source.name, work / "program.cpp", work / "declared.hpp"
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
    target = work / "program.o"
    _compile(cpp, target, children, *_first(_headers(), CPP / "lean_model.hpp", header))
    return target


_INCLUDED = "#include <stan/model/model_header.hpp>\n"


def _headers() -> Path:
    """The file that includes Stan's headers; what is compiled of it stands next to it."""
    path = cache_folder("httpstan") / f"headers_{_key(*_compiler())}.hpp"
    if path.is_dir():
        shutil.rmtree(path)
    if not path.exists() or path.read_text(errors="replace") != _INCLUDED:
        write_atomic(path, _INCLUDED)
    return path


def _first(*paths: Path) -> list[str]:
    """Options by which files are read before a source, in order."""
    return [word for path in paths for word in ("-include", str(path))]


def _compile(cpp: Path, target: Path, children: Children, *options: str) -> None:
    command = [*_compiler(), *FLAGS, f"-I{_wheel() / 'include'}", *options]
    command += ["-c", str(cpp), "-o", str(target)]
    done = children.run([*command, NATIVE])
    # Some compilers do not know -march=native; the program itself is sound.
    if done.returncode != 0 and "march" in done.stderr:
        done = children.run(command)
    _check(done.returncode, done.stderr, cpp, target)


def _link(objects: list[Path], target: Path, children: Children) -> None:
    command = [*_compiler(), "-shared", "-o", str(target), *map(str, objects)]
    done = children.run([*command, f"-L{_wheel() / 'lib'}", "-ltbb"])
    _check(done.returncode, done.stderr, target, target)


def _check(status: int, console: str, where: Path, target: Path) -> None:
    works = f"check that the compiler works: `{shlex.join(_compiler())} --version`"
    if status != 0:
        raise WolvesError(
            f"the C++ compiler failed on the translated Stan program: {_errors(console)}",
            where=where,
            fix=works,
        )
    if not target.is_file():
        raise WolvesError(
            "the C++ compiler ended without an error, but it wrote nothing",
            where=where,
            fix=f"{works}, or set CXX to a C++ compiler",
        )


def _errors(console: str, lines: int = 6) -> str:
    """The lines of a long console output that hold the error."""
    written = [line for line in console.splitlines() if line.strip()]
    errors = [line for line in written if "error" in line.lower()]
    return "\n".join((errors or written)[:lines])


def _compiler() -> list[str]:
    """The words of ``CXX``, such as ``ccache g++``, or the first C++ compiler on the PATH."""
    named = os.environ.get("CXX", "").strip()
    # A path may contain blanks, so it is tried whole first.
    known = ([named], named.split()) if named else ([name] for name in COMPILERS)
    for program, *options in known:
        if found := shutil.which(program):
            return [found, *options]
    raise WolvesError(
        f"no C++ compiler was found ({named or ', '.join(COMPILERS)})",
        fix="install one (Debian: apt-get install g++), or set CXX to its path",
    )


def _wheel() -> Path:
    spec = find_spec("httpstan")
    if spec is None or spec.origin is None:
        raise WolvesError("httpstan is not installed", fix=install_command())
    return Path(spec.origin).parent


def _key(*texts: str) -> str:
    """Hash of the sources and of everything other than them that an object depends on."""
    shared = [path.read_text() for path in sorted(CPP.iterdir())]
    how = [*FLAGS, NATIVE, version("httpstan"), processor()]
    return hashlib.sha256("\0".join([*texts, *shared, *how]).encode()).hexdigest()[:20]
