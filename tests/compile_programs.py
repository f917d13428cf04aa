"""Compile the Stan programs of `make test` while the linters run: no worker waits for it."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from many_wolves import inference
from many_wolves.families.dilemmas.model import decisions
from many_wolves.families.politeness.model import problem
from many_wolves.files import shipped
from many_wolves.inference.engines.embedded_build import headers_compiled, is_whole, library_of
from many_wolves.inference.engines.programs import program_source

TOY = Path(__file__).parent / "toy_family" / "toy_prices" / "prices.stan"
PROGRAMS = (shipped(problem.PROGRAM), shipped(decisions.PROGRAM), TOY)


def compiled(path: Path) -> None:
    """Compile a program, or find it compiled."""
    inference.load(path, "httpstan", print)


if __name__ == "__main__":
    missing = [path for path in PROGRAMS if not is_whole(library_of(program_source(path)))]
    if missing:
        with headers_compiled(print), ProcessPoolExecutor(2) as pool:
            list(pool.map(compiled, missing))
