"""Checks of whether a speaker played: readable answers that do not follow positions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from many_wolves.counting import number_of
from many_wolves.families.dilemmas.reading.responses import Choice
from many_wolves.records import Check

_READABLE = 0.9
_STRONG = 0.2
_ALPHA = 0.001


def check_speaker(speaker: str, choices: Sequence[Choice]) -> tuple[Check, ...]:
    """Checks of one speaker's choices, over each game."""
    tasks = list(dict.fromkeys(choice.task for choice in choices))
    found = [_readable(speaker, choices)]
    for task in tasks:
        check = _order(speaker, task, [c for c in choices if c.task == task and c.choice])
        if check is not None:
            found.append(check)
    return tuple(found)


def _readable(speaker: str, choices: Sequence[Choice]) -> Check:
    asked = [choice for choice in choices if choice.status != "failed"]
    n, read = len(asked), sum(choice.choice is not None for choice in asked)
    share = read / n if n else math.nan
    return Check(
        "readable",
        speaker,
        bool(n) and share >= _READABLE,
        f"{speaker}: {read} of {number_of(n, 'answer')} name exactly one option; every other "
        "answer ended its game",
        share,
        math.nan,
    )


def _order(speaker: str, task: str, choices: Sequence[Choice]) -> Check | None:
    """Whether the choice depends on the order of the options; None with one order or choice."""
    from scipy.stats import chi2_contingency

    orders = sorted({str(c.cell["order"]) for c in choices})
    made = sorted({str(c.choice) for c in choices})
    if len(orders) < 2 or len(made) < 2:
        return None
    table = np.zeros((len(orders), len(made)))
    for choice in choices:
        row = orders.index(str(choice.cell["order"]))
        for option, share in choice.weights.items():
            if option in made:
                table[row, made.index(option)] += share
    test = chi2_contingency(table, correction=False)
    strength = math.sqrt(float(test.statistic) / table.sum())
    p = float(test.pvalue)
    ok = p >= _ALPHA or strength < _STRONG
    word = "does not depend" if ok else "depends"
    return Check(
        f"order of options, {task}",
        speaker,
        ok,
        f"{speaker}, {task}: the choice {word} on the order of the options (Cramér's V "
        f"{strength:.2f}, p {p:.2g})",
        strength,
        p,
    )
