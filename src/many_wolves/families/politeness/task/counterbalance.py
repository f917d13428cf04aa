"""Order of options, counterbalanced by a Latin square, and balanced subsets of a design.

Williams, E. J. (1949), Experimental designs balanced for the estimation of residual
effects of treatments, Australian Journal of Scientific Research A 2, 149-168.

Rows of the square are dealt to trials like cards, one after another through the
cells of the design. So, whatever is selected, every row serves every cell, and
all trials together, equally often. It differs by one trial where the number of trials
is not a multiple of the number of rows. The order in which cells are served, and where in
its items a cell begins, are free. They serve to even out single factors,
pairs of factors and items.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from random import Random

import numpy as np
import numpy.typing as npt

SWAPS = 1000
"""Random exchanges tried to even out the margins; more change the default design no further."""

ATTEMPTS = 20
"""Greedy orders of the cells of which the most even is taken."""

Cell = tuple[Hashable, ...]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Slot:
    """One trial to be: its cell of the design, its item, and which of its orders it is."""

    cell: Cell
    item: str
    order: int


def williams(n: int) -> list[tuple[int, ...]]:
    """A Latin square of ``n`` symbols, ``n`` rows.

    Every symbol has every place once; for even ``n`` every symbol also
    follows every other one once.
    """
    first = [0]
    for step in range(1, n):
        first.append((first[-1] + (step if step % 2 else -step)) % n)
    return [tuple((symbol + row) % n for symbol in first) for row in range(n)]


def spread(cells: Sequence[Cell], items: Sequence[str], orders: int, rng: Random) -> list[Slot]:
    """All slots of a design in an order whose every beginning is as balanced as it can be.

    Each round of ``len(cells)`` slots holds every cell once. Within a round the
    levels of every factor, of every pair of factors, and the items take turns.
    """
    line = _turns(cells, rng)
    mixed = list(items)
    rng.shuffle(mixed)
    return [
        Slot(cell, mixed[(place + turn) % len(mixed)], order)
        for order in range(orders)
        for turn in range(len(mixed))
        for place, cell in enumerate(line)
    ]


def _turns(cells: Sequence[Cell], rng: Random) -> list[Cell]:
    """The cells in the most even order that some greedy attempts find."""
    groups = _levels(cells)
    attempts = [_attempt(groups, rng) for _ in range(ATTEMPTS)]
    return min(([cells[at] for at in attempt] for attempt in attempts), key=_wobble)


def _attempt(groups: Sequence[list[list[int]]], rng: Random) -> list[int]:
    """Cells by number, each next one being that whose levels came least so far."""
    left = list(range(len(groups)))
    rng.shuffle(left)
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for cell, levels in enumerate(groups):
        for n in chain.from_iterable(levels):
            holders[n].append(cell)
    # For each cell and group of levels: the sum of the squares of how often they came.
    came = [[0] * len(levels) for levels in groups]
    seen: Counter[int] = Counter()
    line: list[int] = []
    while left:
        best = min(left, key=came.__getitem__)
        left.remove(best)
        line.append(best)
        for number, group in enumerate(groups[best]):
            for n in group:
                for cell in holders[n]:
                    came[cell][number] += 2 * seen[n] + 1
                seen[n] += 1
    return line


def _wobble(line: Sequence[Cell]) -> int:
    """How much single levels have come too often or too rarely, over all beginnings."""
    wobble = 0
    for levels in zip(*line, strict=True):
        seen = dict.fromkeys(levels, 0)
        for level in levels:
            seen[level] += 1
            wobble += max(0, max(seen.values()) - min(seen.values()) - 1)
    return wobble


def _levels(cells: Sequence[Cell]) -> list[list[list[int]]]:
    """For each cell the levels of its single factors, then of its pairs, as numbers."""
    numbers: dict[Hashable, int] = {}
    return [
        [
            [numbers.setdefault(level, len(numbers)) for level in combinations(enumerate(cell), n)]
            for n in (1, 2)
        ]
        for cell in cells
    ]


def deal(slots: Sequence[Slot], rows: int, rng: Random) -> list[int]:
    """The row of the Latin square for every slot.

    Parameters
    ----------
    slots
        The trials to be, in any order.
    rows
        Number of rows of the square.
    rng
        Source of the search's exchanges.

    Returns
    -------
    list of int
        Rows in the order of ``slots``. Within a cell, and over all slots, the
        number of slots that any two rows get differs by one at most. The orders
        of one scene are different rows as long as there are enough.
    """
    if not slots:
        return []
    table = _Deal(slots, rows)
    cells = list(range(len(table.turned)))
    rng.shuffle(cells)
    turns = [0] * len(cells)
    best = table.unevenness(table.rows_for(cells, turns))
    for _ in range(SWAPS):
        a, b, step = (rng.randrange(len(cells)) for _ in range(3))
        new_cells, new_turns = list(cells), list(turns)
        if a == b:
            new_turns[a] = step
        else:
            new_cells[a], new_cells[b] = cells[b], cells[a]
        found = table.unevenness(table.rows_for(new_cells, new_turns))
        if found <= best:
            best, cells, turns = found, new_cells, new_turns
    return [int(row) for row in table.rows_for(cells, turns)]


class _Deal:
    """Slots sorted into cells, and the measure of how unevenly rows fall on the margins."""

    def __init__(self, slots: Sequence[Slot], rows: int) -> None:
        self.rows = rows
        self.size = len(slots)
        scenes: dict[Cell, dict[str, list[int]]] = {}
        for at, slot in enumerate(slots):
            scenes.setdefault(slot.cell, {}).setdefault(slot.item, []).append(at)
        self.turned = [_turned(list(cell.values())) for cell in scenes.values()]
        self._rows = np.arange(self.size) % rows
        self.margins, self.levels = _margins(slots)

    def rows_for(self, cells: Sequence[int], turns: Sequence[int]) -> Rows:
        """Rows when cells are served in this order, each from this scene on."""
        line = [self.turned[cell][turns[cell] % len(self.turned[cell])] for cell in cells]
        dealt = np.empty(self.size, dtype=np.int64)
        dealt[np.concatenate(line)] = self._rows
        return dealt

    def unevenness(self, dealt: Rows) -> int:
        """Sum over all margins of the squared numbers of slots by row; least when even."""
        codes = (self.margins * self.rows + dealt).ravel()
        counts = np.bincount(codes, minlength=self.levels * self.rows)
        return int(counts @ counts)


def _turned(scenes: list[list[int]]) -> list[Rows]:
    """The slots of a cell, beginning with each of its scenes in turn."""
    return [
        np.array([at for scene in scenes[n:] + scenes[:n] for at in scene])
        for n in range(len(scenes))
    ]


def _margins(slots: Sequence[Slot]) -> tuple[Rows, int]:
    """Codes of the levels of the items, every single factor, and every pair of factors.

    One row per margin and one column per slot, with the number of codes in all.
    """
    width = len(slots[0].cell)
    keys: list[list[Hashable]] = [[slot.item for slot in slots]]
    # a single factor counts as much as the pairs that hold it, which have more levels
    keys += 4 * [[slot.cell[i] for slot in slots] for i in range(width)]
    keys += [
        [(slot.cell[i], slot.cell[j]) for slot in slots] for i, j in combinations(range(width), 2)
    ]
    coded: list[Rows] = []
    levels = 0
    for key in keys:
        numbers = {level: levels + i for i, level in enumerate(dict.fromkeys(key))}
        coded.append(np.array([numbers[level] for level in key]))
        levels += len(numbers)
    return np.stack(coded), levels
