"""Effects of reasoning effort."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from many_wolves.contracts import Array, FindingsSpec
from many_wolves.findings.fits import Member, common_conditions
from many_wolves.findings.regression import measured, regression
from many_wolves.findings.statement import Statement

ORDER = ("none", "minimal", "low", "medium", "high")
BASE = ORDER[0]
GROUP = "family"
"""Label of groups of speakers that may respond similarly; the model itself if missing."""
OVERALL = ""
"""Condition of the mean over all conditions."""


def effort(found: Sequence[Member], quantities: FindingsSpec, seed: int) -> Iterator[Statement]:
    """Change of every parameter at each effort against none, over all speakers at once.

    For each parameter and condition: fit = speaker + effort + deviation of the
    speaker's group at this effort + remainder. The first two have normal priors (sd
    0.5), the last two are normal with unknown sd. The posterior of each fit enters as a
    measurement with its own error. Speakers with a single effort are left out.
    """
    asked = asked_at_several(found)
    models = list(dict.fromkeys(_who_thinks(m) for m in asked))
    levels = [e for e in ORDER if e != BASE and any(m.effort == e for m in asked)]
    if not levels or not any(m.effort == BASE for m in asked):
        return
    design = _design(asked, models, levels)
    for parameter in quantities.words:
        if not all(m.has(parameter) for m in asked):
            continue
        for condition in (OVERALL, *common_conditions(asked)):
            rng = np.random.default_rng([seed, *f"effort {parameter} {condition}".encode()])
            at = [condition] if condition else common_conditions(asked)
            mean, sd = quantities.prior[parameter]
            y = measured([m.mean_over(parameter, at) for m in asked], mean, sd / len(at) ** 0.5)
            centre = np.r_[np.full(len(models), 0.5), np.zeros(len(levels))]
            X, Z = design
            drawn = regression(y, X, Z, centre, np.full(X.shape[1], 0.5), rng)
            for i, level in enumerate(levels):
                yield Statement(
                    finding="effort",
                    subject=_who(models),
                    condition=condition,
                    quantity=parameter,
                    contrast=f"{level} - {BASE}",
                    draws=drawn.coefficients[:, len(models) + i],
                    words=f"{level.capitalize()} effort against none moves {parameter} "
                    f"({quantities.words[parameter]}){_where(condition, quantities)}",
                )


def asked_at_several(found: Sequence[Member]) -> list[Member]:
    """Members whose model was asked at more than one effort at the same checkpoint."""
    return [
        m for m in found if len({o.effort for o in found if _who_thinks(o) == _who_thinks(m)}) > 1
    ]


def _who_thinks(member: Member) -> str:
    name = f"{member.model} {member.stage}".strip()
    return name if member.at is None else f"{name} at {member.at:,.0f}"


def _design(
    asked: Sequence[Member], models: Sequence[str], levels: Sequence[str]
) -> tuple[Array, list[Array]]:
    X = np.zeros((len(asked), len(models) + len(levels)))
    for row, m in zip(X, asked, strict=True):
        row[models.index(_who_thinks(m))] = 1
        if m.effort != BASE:
            row[len(models) + levels.index(m.effort)] = 1
    remainder = np.eye(len(asked))
    groups = [(str(m.labels.get(GROUP, m.model)), m.effort) for m in asked]
    cells = list(dict.fromkeys(groups))
    if len(cells) == len(asked):
        return X, [remainder]
    Z = np.array([[float(cell == g and g[1] != BASE) for cell in cells] for g in groups])
    return X, [remainder, Z]


def _who(models: Sequence[str]) -> str:
    return models[0] if len(models) == 1 else f"{len(models)} speakers"


def _where(condition: str, quantities: FindingsSpec) -> str:
    if condition:
        return f" under the {quantities.condition} {condition}"
    return f", averaged over the {quantities.conditions},"
