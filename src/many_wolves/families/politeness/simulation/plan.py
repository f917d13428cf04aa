"""Designs and parameters for power analysis: two conditions that differ in one weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.politeness.reading.human import literal_counts
from many_wolves.families.politeness.task.utterances import UTTERANCES
from many_wolves.files import shipped
from many_wolves.observations import Observations

CONDITIONS = ("first", "second")
WEIGHTS = ("w_inf", "w_soc", "w_pres")
ICC = 0.1
"""Correlation of answers to the same item and cell, between those of two instruct models of
zhao2025.

Design effects of 2.1 and 6.1 over 30 answers are correlations of .04 and .18.
"""


def design(items: int, replicates: int) -> Observations:
    """Two conditions, with every state of the human scale asked by several items, several times
    each.

    Only the number of answers per state is used, not their values.
    """
    literal = literal_counts()
    rows = [
        ("simulated", str(item), goal, "first", state, utterance, replicates * (n == 0))
        for item in range(1, items + 1)
        for goal in CONDITIONS
        for state in sorted(literal["state"].unique())
        for n, utterance in enumerate(UTTERANCES)
    ]
    columns = ["speaker", "item", "goal", "framing", "state", "utterance", "count"]
    return Observations(
        "politeness",
        {
            "counts": pd.DataFrame(rows, columns=columns),
            "literal": literal.assign(speaker="simulated"),
        },
    )


def differing(
    parameter: str, difference: float, given: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """Parameters of both conditions: the second has ``parameter`` shifted, the rest rescaled.

    Missing values of ``given`` are those of people; the correlation of answers is then ``ICC``.
    """
    base = people() | dict(given or {})
    first = dict(base["weights"])
    second = dict(first)
    shifted = first[parameter] + difference
    if not 0 <= shifted <= 1:
        raise WolvesError(
            f"{parameter} is {first[parameter]:.3f} in the first condition; with {difference:+g} "
            "it leaves the interval from 0 to 1",
            fix="--difference with the other sign, or other weights with --at",
        )
    second[parameter] = shifted
    if parameter in WEIGHTS:
        others = [w for w in WEIGHTS if w != parameter]
        rest = sum(first[w] for w in others)
        for w in others:
            second[w] = first[w] / rest * (1 - shifted) if rest > 0 else (1 - shifted) / 2
    return base | {"weights": dict(zip(CONDITIONS, (first, second), strict=True))}


def people() -> dict[str, Any]:
    """Posterior means of people asked for both goals."""
    means = pd.read_csv(shipped("task-data/human/yoon2020_weights.csv"))
    shared = means[means["condition"].isna()].set_index("parameter")["mean"]
    own = means[means["condition"] == "both"].set_index("parameter")["mean"]
    weights = {str(k): float(v) for k, v in own.items()}
    total = sum(v for k, v in weights.items() if k != "phi")
    weights = {k: v if k == "phi" else v / total for k, v in weights.items()}
    known = {"alpha": float(shared["alpha"]), "cost": float(shared["cost"])}
    return known | {"weights": weights, "icc": ICC}
