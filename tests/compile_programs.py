"""Compile the Stan programs of `make test` while the linters run: no worker waits for it."""

from concurrent.futures import ProcessPoolExecutor

from many_wolves import inference
from many_wolves.families.dilemmas.models import decisions
from many_wolves.families.politeness import problem
from many_wolves.files import shipped

PROGRAMS = (problem.PROGRAM, decisions.PROGRAM)


def compiled(name: str) -> None:
    """Compile a program, or find it compiled."""
    inference.load(shipped(name), "httpstan", print)


if __name__ == "__main__":
    with ProcessPoolExecutor(len(PROGRAMS)) as pool:
        list(pool.map(compiled, PROGRAMS))
