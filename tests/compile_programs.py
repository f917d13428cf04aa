"""Compile the Stan programs of `make test` while the linters run: no worker waits for it."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from many_wolves.families.dilemmas.model import decisions
from many_wolves.families.politeness.model import problem
from many_wolves.files import shipped
from many_wolves.inference.engines.embedded import EmbeddedProgram
from many_wolves.inference.engines.embedded_build import headers_compiled, is_whole, library_of
from many_wolves.inference.engines.programs import Source, program_source

TOY = Path(__file__).parent / "toy_family" / "toy_prices" / "prices.stan"
SMALL = Source(
    "constraints.stan",
    "parameters { real<lower=0> s; simplex[3] w; matrix<lower=0, upper=1>[2, 2] p; }"
    "model { s ~ exponential(2); }"
    "generated quantities { real t = 2 * s; }",
)
"""One parameter under each kind of constraint."""
PROGRAMS = (
    *(program_source(path) for path in (shipped(problem.PROGRAM), shipped(decisions.PROGRAM), TOY)),
    SMALL,
)


def compiled(program: Source) -> None:
    """Compile a program, or find it compiled."""
    EmbeddedProgram.load(program, print)


if __name__ == "__main__":
    missing = [program for program in PROGRAMS if not is_whole(library_of(program))]
    if missing:
        with headers_compiled(print), ProcessPoolExecutor(2) as pool:
            list(pool.map(compiled, missing))
