"""Lists the Stan programs of the models, and compiles them before a fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from many_wolves.contracts import CognitiveModel
from many_wolves.errors import WolvesError
from many_wolves.progress import step
from many_wolves.sources import nearest
from many_wolves.workflows.models import all_models
from many_wolves.workflows.sampling import EngineName

State = Literal["compiled", "damaged", "not compiled"]


@dataclass(frozen=True)
class StanProgram:
    """A Stan program of the installed families.

    Parameters
    ----------
    name
        Name of its file, without the ending.
    path
        The file.
    models
        Cognitive models that use it.
    """

    name: str
    path: Path
    models: tuple[str, ...]

    @property
    def library(self) -> Path:
        """Path of the compiled program in the cache, for this processor and compiler flags."""
        from many_wolves.inference.engines.embedded_build import library_of
        from many_wolves.inference.engines.programs import program_source

        return library_of(program_source(self.path))

    @property
    def state(self) -> State:
        """The state of compilation, in words."""
        from many_wolves.inference.engines.embedded_build import is_whole

        library = self.library
        if is_whole(library):
            return "compiled"
        return "damaged" if library.exists() else "not compiled"


def programs() -> list[StanProgram]:
    """The programs of all installed models, each once."""
    models: dict[Path, list[str]] = {}
    for name, model in all_models().items():
        for path in _programs_of(model):
            models.setdefault(path.resolve(), []).append(name)
    return [StanProgram(path.stem, path, tuple(of)) for path, of in models.items()]


def build(names: Sequence[str] = (), engine: EngineName = "auto") -> list[StanProgram]:
    """Compile programs ahead of fits; compiled ones are left alone.

    Parameters
    ----------
    names
        Names of programs or of models; all programs if empty.
    engine
        As in ``fit``.

    Returns
    -------
    list of StanProgram
        The programs, compiled.

    Raises
    ------
    WolvesError
        If a name is unknown, or a program does not compile.
    """
    from many_wolves import inference
    from many_wolves.inference.engines.embedded_build import headers_compiled

    chosen = _chosen(programs(), names)
    several = sum(program.state != "compiled" for program in chosen) > 1
    with headers_compiled(step) if several else nullcontext():
        for program in chosen:
            inference.load(program.path, engine, step)
    return chosen


def _chosen(known: Sequence[StanProgram], names: Sequence[str]) -> list[StanProgram]:
    """The programs with these names, or of the models with these names."""
    for name in names:
        if not any(name == p.name or name in p.models for p in known):
            words = [*(p.name for p in known), *(m for p in known for m in p.models)]
            raise WolvesError(
                f"no program is called {name!r}", fix=nearest(name, list(dict.fromkeys(words)))
            )
    return [p for p in known if not names or {p.name, *p.models} & set(names)]


def _programs_of(model: CognitiveModel) -> Iterator[Path]:
    """The program files of a model: in a folder, the one that it names, or all."""
    files, named = getattr(model, "files", None), getattr(model, "program", "*")
    for place in files() if files is not None else ():
        if place.is_dir():
            yield from sorted(place.glob(f"{named}.stan"))
        elif place.suffix == ".stan":
            yield place
