"""Parts of a design and places of options, for the tests of vignettes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from many_wolves.records import Trial


def of(trials: Sequence[Trial], task: str) -> list[Trial]:
    return [trial for trial in trials if trial.task == task]


def places(trials: Sequence[Trial]) -> Counter[tuple[str, int]]:
    """How often every option is in every position, including zeros."""
    names = {option.id for trial in trials for option in trial.options}
    counts = Counter({(name, place): 0 for name in names for place in range(len(names))})
    counts.update((o.id, place) for t in trials for place, o in enumerate(t.options))
    return counts


def by_cell(trials: Sequence[Trial], *factors: str) -> dict[tuple, list[Trial]]:
    cells: dict[tuple, list[Trial]] = {}
    for trial in trials:
        cells.setdefault(tuple(trial.cell[f] for f in factors), []).append(trial)
    return cells
