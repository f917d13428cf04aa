"""All combinations of factors, and seeded samples that are balanced over strata."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any


@dataclass(frozen=True)
class Factorial:
    """The combinations of some factors, the last one changing fastest.

    Parameters
    ----------
    factors
        Name -> values.
    strata
        How many of the factors, from the first, make the strata of a sample.
    """

    factors: Mapping[str, Sequence[Any]]
    strata: int = 0

    def __len__(self) -> int:
        return prod(len(values) for values in self.factors.values())

    def cell(self, number: int) -> dict[str, Any]:
        """The combination of that number."""
        found = {}
        for name, values in reversed(list(self.factors.items())):
            number, place = divmod(number, len(values))
            found[name] = values[place]
        return {name: found[name] for name in self.factors}

    def cells(self, sample: int | None, seed: int) -> Iterator[dict[str, Any]]:
        """All combinations, or a sample of them without repetition, in their order."""
        chosen = range(len(self)) if sample is None else self._sample(sample, seed)
        return (self.cell(number) for number in chosen)

    def _sample(self, n: int, seed: int) -> list[int]:
        """Numbers of ``n`` cells: no stratum has two more than another."""
        sizes = [len(values) for values in self.factors.values()]
        n_strata, within = prod(sizes[: self.strata]), prod(sizes[self.strata :])
        n = min(n, n_strata * within)
        rounds, rest = divmod(n, n_strata)
        first = set(random.Random(f"{seed}:strata").sample(range(n_strata), rest))
        return [
            stratum * within + place
            for stratum in range(n_strata)
            for place in sorted(
                random.Random(f"{seed}:{stratum}").sample(
                    range(within), rounds + (stratum in first)
                )
            )
        ]
