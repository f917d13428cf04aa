"""Similarity of answers to the same item: their effective number of independent answers.

References
----------
Rao & Scott (1981), The analysis of categorical data from complex sample surveys: chi-squared
tests for goodness of fit and independence in two-way tables, JASA 76(374).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

CLUSTERED = "clustered"
"""Table of the choices by cluster, next to counts that are summed over clusters."""
CELL = ("goal", "framing", "state")
FEWEST = 2
"""Minimum numbers of clusters, and of chosen utterances, for a cell to be informative."""


def design_effects(rows: pd.DataFrame, clusters: Sequence[str]) -> dict[str, dict[str, float]]:
    """Cluster -> speaker -> design effect, if it can be estimated.

    Parameters
    ----------
    rows
        speaker, goal, state, utterance, count, the clusters, and framing where there is one.
        Counts are whole: answers, not probabilities.
    clusters
        Columns such as ``item``.

    Returns
    -------
    dict
        The variance of a share divided by that of the same number of independent answers. It is
        one if answers to the same item are no more similar than those to different items.
    """
    found: dict[str, dict[str, float]] = {}
    for cluster in clusters:
        for speaker, own in rows.groupby("speaker", sort=False):
            effect = design_effect(own, cluster)
            if effect is not None:
                found.setdefault(cluster, {})[str(speaker)] = round(effect, 4)
    return found


def design_effect(rows: pd.DataFrame, cluster: str) -> float | None:
    """The design effect of one speaker's answers.

    Pearson's statistic of homogeneity of the clusters divided by its degrees of freedom, over
    all cells. None if no cell has two clusters and two utterances.
    """
    rows = rows.dropna(subset=[cluster, "utterance", *(c for c in CELL if c in rows)])
    cells = rows.groupby([c for c in CELL if c in rows]).ngroup()
    places = (cells.to_numpy(), pd.factorize(rows[cluster])[0], pd.factorize(rows["utterance"])[0])
    tables = np.zeros([place.max(initial=-1) + 1 for place in places])
    np.add.at(tables, places, rows["count"].to_numpy(float))
    distance = freedom = 0.0
    for table in tables:
        counts = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
        if min(counts.shape) < FEWEST:
            continue
        expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
        distance += float((np.square(counts - expected) / expected).sum())
        freedom += (counts.shape[0] - 1) * (counts.shape[1] - 1)
    return distance / freedom if freedom else None
