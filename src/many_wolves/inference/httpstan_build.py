"""Modules of Stan programs, compiled with the compiler and headers of httpstan's wheel and kept."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from many_wolves.errors import WolvesError
from many_wolves.inference.cache import cache_folder, locked
from many_wolves.inference.engine import Progress
from many_wolves.inference.programs import Source

MACROS = (
    ("BOOST_DISABLE_ASSERTS", None),
    ("BOOST_PHOENIX_NO_VARIADIC_EXPRESSION", None),
    ("STAN_THREADS", None),
    ("_REENTRANT", None),
    ("_GLIBCXX_USE_CXX11_ABI", "0"),
)
"""What httpstan's prebuilt half was compiled with; ours must match it."""
STANC_TIMEOUT_S = 120
BUILD = "2"
"""Raise it when the way of compiling changes, so that cached modules are made anew."""


def compiled(source: Source, progress: Progress | None) -> tuple[Path, float]:
    """The module of a program, and the seconds that compiling it took; zero from the cache.

    Raises
    ------
    WolvesError
        If the program or its C++ does not compile.
    """
    key = _key(source)
    folder = cache_folder() / "httpstan" / key
    target = folder / "module.so"
    if target.exists():
        return target, 0.0
    with locked(folder.with_suffix(".lock")):
        if target.exists():
            return target, 0.0
        if progress is not None:
            progress("compiling the Stan program, once (about 80 s)")
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="build_") as temporary:
            work = Path(temporary)
            name = f"m{key}"
            header = work / "written_out.hpp"
            header.write_text(source.cpp)
            _build(_translate(source.text, name, work), header, name, work)
            built = next(work.glob(f"{name}*.so"))
            folder.mkdir(parents=True, exist_ok=True)
            built.replace(target)
        return target, time.monotonic() - start


@lru_cache(maxsize=8)
def module_at(path: Path) -> ModuleType:
    """A compiled module, loaded once."""
    # The prebuilt half fixes the module's name, whatever its file is called.
    spec = importlib.util.spec_from_file_location("stan_services", path)
    if spec is None or spec.loader is None:
        raise WolvesError("a compiled program cannot be loaded", where=path, mend=f"rm {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _wheel() -> Path:
    spec = find_spec("httpstan")
    if spec is None or spec.origin is None:
        raise WolvesError("httpstan is not installed", mend="uv sync")
    return Path(spec.origin).parent


def _key(source: Source) -> str:
    parts = [
        source.text,
        source.cpp,
        BUILD,
        version("httpstan"),
        sys.version,
        platform.machine(),
        str(_wheel()),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


def _translate(text: str, name: str, folder: Path) -> Path:
    source, target = folder / f"{name}.stan", folder / f"{name}.cpp"
    source.write_text(text)
    done = subprocess.run(
        [_wheel() / "stanc", "--allow-undefined", "--name", name, f"--o={target}", source],
        capture_output=True,
        text=True,
        timeout=STANC_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise WolvesError(
            f"the Stan program does not compile: {done.stderr.strip()}",
            where=source,
            mend="correct the program at the line that Stan names",
        )
    return target


def _build(cpp: Path, header: Path, name: str, folder: Path) -> None:
    import setuptools
    from httpstan.build_ext import run_build_ext

    wheel = _wheel()
    extension = setuptools.Extension(
        name,
        language="c++",
        sources=[str(cpp)],
        define_macros=list(MACROS),
        include_dirs=[str(folder), str(wheel / "include")],
        library_dirs=[str(wheel / "lib")],
        libraries=["sundials_cvodes", "sundials_idas", "sundials_nvecserial", "tbb"],
        extra_compile_args=["-O3", "-std=c++17", "-w", "-include", str(header)],
        extra_link_args=[f"-Wl,-rpath,{wheel / 'lib'}", "-Wl,-s"],
        extra_objects=[str(wheel / "stan_services.o")],
    )
    try:
        run_build_ext([extension], str(folder))
    except Exception as error:  # setuptools raises many kinds, all meaning the same to a user
        raise WolvesError(
            f"the C++ compiler failed on the translated Stan program: {error}",
            where=cpp,
            mend="check that g++ (10 or newer) works: `g++ --version`",
        ) from error
