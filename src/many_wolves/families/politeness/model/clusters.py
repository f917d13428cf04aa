"""The likelihood of similar answers to one item, or of one participant.

After n answers of a cluster to a cell, the next repeats one of them with probability
n * icc / (1 - icc + n * icc). The answers of the cluster are then Dirichlet-multinomial with
concentrations p * (1 - icc) / icc, and two of them have the intraclass correlation icc.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln, xlogy

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model.axes import Layout
from many_wolves.families.politeness.reading.clustering import CLUSTERED
from many_wolves.families.politeness.reading.foreign_choices import CLUSTERS
from many_wolves.observations import Observations

Given = npt.NDArray[np.int64]
FEWEST = 2
"""Minimum numbers of clusters in a cell, and of answers of one, to estimate their similarity."""


@dataclass(frozen=True)
class Clustered:
    """Choices by cluster.

    Parameters
    ----------
    name
        Kind of cluster: ``item`` or ``participant``.
    labels
        Names of the clusters.
    given
        (J, C, S, U) choices.
    """

    name: str
    labels: tuple[str, ...]
    given: Given

    @property
    def totals(self) -> Given:
        """(J, C, S) answers."""
        found: Given = self.given.sum(axis=-1)
        return found

    @property
    def alike(self) -> bool:
        """Whether the similarity of answers can be estimated."""
        totals = self.totals
        return bool(((totals >= FEWEST).any(axis=0) & ((totals > 0).sum(axis=0) >= FEWEST)).any())

    def without(self, part: Mapping[str, Any], layout: Layout) -> Clustered:
        """The choices without a part that is given by its labels (cluster, condition, state)."""
        axes = (
            (self.name, self.labels),
            ("condition", layout.conditions),
            ("state", layout.states),
        )
        at = tuple(
            list(map(str, labels)).index(str(part[axis])) if axis in part else slice(None)
            for axis, labels in axes
        )
        left = self.given.copy()
        left[at] = 0
        return Clustered(self.name, self.labels, left)


def stan_data(given: Given) -> dict[str, Any]:
    """Choices by cluster (J, C, S, U) as data of the Stan program."""
    each = given.reshape(len(given), math.prod(given.shape[1:]))
    rows = [(step, (each > step).sum(axis=0)) for step in range(int(each.max(initial=0)))]
    urn = sorted(
        (at + 1, step, int(times[at])) for step, times in rows for at in np.flatnonzero(times)
    )
    totals = given.sum(axis=-1)
    asked = [int((totals > step).sum()) for step in range(int(totals.max(initial=0)))]
    return {
        "J": len(given),
        "given": given,
        "N": len(urn),
        "at": np.array([at for at, _, _ in urn], dtype=np.int64),
        "before": np.array([step for _, step, _ in urn], dtype=float),
        "times": np.array([times for _, _, times in urn], dtype=float),
        "M": len(asked),
        "asked_before": np.arange(len(asked), dtype=float),
        "asked_times": np.array(asked, dtype=float),
    }


def choices_by_cluster(table: Observations, choices: pd.DataFrame) -> pd.DataFrame | None:
    """Choices with a column per cluster: the main table, or the one next to it."""
    if any(name in choices for name in CLUSTERS):
        return choices
    further = table.aside.get(CLUSTERED)
    return further if further is not None and len(further) else None


def read_clusters(
    table: Observations, choices: pd.DataFrame, layout: Layout, likelihood: str, where: str
) -> tuple[Clustered | None, tuple[str, ...]]:
    """The clusters that the likelihood takes, and notes on what it leaves out.

    Parameters
    ----------
    choices
        As ``check_choices`` gives them.
    likelihood
        ``auto``, ``item``, ``participant`` or ``counts``; effects of items make no difference.

    Raises
    ------
    WolvesError
        If the table lacks the requested cluster, or its answers are not whole numbers.
    """
    likelihood = likelihood.partition("+")[0]
    if likelihood == "counts":
        return None, ()
    rows = choices_by_cluster(table, choices)
    known = [name for name in CLUSTERS if rows is not None and name in rows]
    if likelihood == "auto":
        return _first(rows, known, layout)
    if rows is None or likelihood not in known:
        raise WolvesError(
            f"the likelihood by {likelihood} needs choices by {likelihood}",
            where=where,
            fix=f"give the table a column {likelihood}; or --likelihood counts",
        )
    found = _clustered(rows, likelihood, layout)
    if found is None:
        raise WolvesError(
            "expected whole numbers of answers, found probabilities of options",
            where=where,
            column="count",
            fix="--likelihood counts; or collect sampled answers",
        )
    return found, () if found.alike else (_once(likelihood),)


def known_clusters(
    table: Observations, choices: pd.DataFrame, layout: Layout
) -> tuple[Clustered, ...]:
    """All clusters of the table whose answers are whole numbers."""
    rows = choices_by_cluster(table, choices)
    if rows is None:
        return ()
    found = [_clustered(rows, name, layout) for name in CLUSTERS if name in rows]
    return tuple(one for one in found if one is not None)


def _first(
    rows: pd.DataFrame | None, known: Sequence[str], layout: Layout
) -> tuple[Clustered | None, tuple[str, ...]]:
    first: Clustered | None = None
    for name in known:
        assert rows is not None
        found = _clustered(rows, name, layout)
        if found is None:
            return None, (
                "Probabilities of options are treated as independent answers; intervals ignore "
                f"their variation by {name}.",
            )
        if found.alike:
            return found, ()
        first = first or found
    return first, (_once(first.name),) if first else ()


def _once(name: str) -> str:
    return (
        f"Each {name} answered each question once: the intraclass correlation follows its prior, "
        "and intervals ignore that answers to different questions may be similar."
    )


def _clustered(rows: pd.DataFrame, name: str, layout: Layout) -> Clustered | None:
    """The choices by cluster; None where some are not whole."""
    counts = rows["count"].astype(float)
    if not bool((counts % 1 == 0).all()):
        return None
    filled = rows.assign(count=counts, cluster=rows[name].astype(str))
    if "condition" not in filled:
        goals = filled["goal"].astype(str)
        framed = any("/" in one for one in layout.conditions)
        filled["condition"] = goals + "/" + filled["framing"].astype(str) if framed else goals
    filled = filled[filled["condition"].isin(layout.conditions)]
    labels = tuple(sorted(set(filled["cluster"])))
    axes = (labels, layout.conditions, layout.states, layout.utterances)
    summed = filled.groupby(["cluster", "condition", filled["state"].astype(int), "utterance"])
    index = pd.MultiIndex.from_product(axes)
    given = summed["count"].sum().reindex(index, fill_value=0.0).to_numpy(dtype=np.int64)
    return Clustered(name, labels, given.reshape(tuple(map(len, axes))))


def log_likelihood(given: Given, p: Array, icc: float) -> float:
    """Log-likelihood of choices (J, C, S, U) in their order, from P(u | s), shape (C, S, U)."""
    if icc <= 0:
        return float(xlogy(given, p).sum())
    concentration = p * (1 - icc) / icc
    whole = (1 - icc) / icc
    totals = given.sum(axis=-1)
    with np.errstate(invalid="ignore"):
        each = np.where(given > 0, gammaln(concentration + given) - gammaln(concentration), 0.0)
    return float(each.sum() - (gammaln(whole + totals) - gammaln(whole)).sum())


def draw(totals: Given, p: Array, icc: float, rng: np.random.Generator) -> Given:
    """(J, C, S, U) choices of clusters with so many answers (J, C, S), from P(u | s) (C, S, U)."""
    each = np.broadcast_to(p, (len(totals), *p.shape))
    if icc > 0:
        # Concentrations may be tiny, and gamma variables then zero: hence logs.
        shape = np.maximum(each * (1 - icc) / icc, 1e-300)
        log_gamma = np.log(rng.gamma(shape + 1)) + np.log(rng.uniform(size=shape.shape)) / shape
        each = np.exp(log_gamma - log_gamma.max(axis=-1, keepdims=True))
        each = each / each.sum(axis=-1, keepdims=True)
    found: Given = rng.multinomial(totals, each)
    return found
