"""Checks of whether a speaker did the task, from a table of counts.

A table without the original answers records neither unreadable answers nor the positions of
options. It does show whether choices depend on the state, and whether they are true of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from many_wolves.contracts import Array
from many_wolves.families.politeness.reading.checks import FAILED, P_LIMIT, STATE_LEAST
from many_wolves.families.politeness.reading.permutation import Effect, between, codes
from many_wolves.records import Check

INFORMATIVE = "informative"
"""The goal under which choices should be true."""
TRUTH_LEAST = 0.10
"""Smallest gain in literal truth under that goal over choices that ignore the state. The people of
Yoon et al. (2020) gain 0.43; speakers that hardly depend on the state gain at most 0.04."""
TABLES = 199
"""Random tables with the margins of the counts: smallest p-value 0.005."""


def check_tables(
    rows: pd.DataFrame, truth: Mapping[tuple[str, int], float], clusters: Sequence[str], seed: int
) -> list[Check]:
    """Checks of every speaker of a table of counts.

    Parameters
    ----------
    rows
        speaker, goal, state, utterance, count; framing and clusters where they are known.
    truth
        (utterance, state) -> how often it is judged true; may lack some.
    clusters
        Columns whose answers may be alike: each cluster then counts once.
    seed
        Seed of the permutations.

    Returns
    -------
    list of Check
        ``state``: whether choices depend on the state (share of choices that it moves).
        ``truth``: whether choices under the goal of being informative are truer than choices
        made without the state, where that goal and literal meanings are there.
    """
    return [
        check
        for speaker in dict.fromkeys(rows["speaker"])
        for check in _of_speaker(
            str(speaker), rows[rows["speaker"] == speaker], truth, clusters, seed
        )
    ]


def _of_speaker(
    speaker: str,
    rows: pd.DataFrame,
    truth: Mapping[tuple[str, int], float],
    clusters: Sequence[str],
    seed: int,
) -> list[Check]:
    rows = rows.astype({"count": float})
    strata = [c for c in ("goal", "framing") if c in rows]
    wide = rows.pivot_table(
        index=[*clusters, *strata, "state"],
        columns="utterance",
        values="count",
        aggfunc="sum",
        fill_value=0.0,
        observed=True,
    )
    wide = wide[wide.sum(axis=1) > 0]
    n = float(wide.to_numpy().sum())
    states = wide.index.get_level_values("state").nunique()
    if states < 2:
        text = f"Speaker {speaker} was asked about one state only: whether its choice depends on "
        return [Check("state", speaker, True, text + "the state is not known.", math.nan, math.nan)]
    effect = _clustered(wide, strata, seed) if clusters else _counted(wide, strata, seed)
    checks = [_state(speaker, effect, n, states)]
    gain = _gain(rows, truth)
    return [*checks, *([_truth(speaker, gain)] if gain is not None else [])]


def _clustered(wide: pd.DataFrame, strata: Sequence[str], seed: int) -> Effect:
    """The effect of the state, with all answers of a cluster to one question counted once."""
    counts = wide.to_numpy(float)
    labels = wide.index.to_frame(index=False)
    within = codes(list(labels[list(strata)].itertuples(index=False, name=None)))
    shares = counts / counts.sum(axis=1, keepdims=True)
    return between(shares, codes(list(labels["state"])), within, seed)


def _counted(wide: pd.DataFrame, strata: Sequence[str], seed: int) -> Effect:
    """The effect of the state, with every answer counted."""
    # scipy.stats takes long to import
    from scipy.stats import random_table

    rng = np.random.default_rng(seed)
    total = float(wide.to_numpy().sum())
    observed = 0.0
    chance = np.zeros(TABLES)
    for _, part in wide.groupby(level=list(strata)):
        counts = np.rint(part.to_numpy(float))
        counts = counts[counts.sum(axis=1) > 0]
        # With one utterance nothing can be moved, and `random_table` draws wrong tables.
        if min(counts.shape) < 2:
            continue
        observed += float(_moved(counts[None])[0])
        law = random_table(counts.sum(axis=1), counts.sum(axis=0))
        chance += _moved(law.rvs(TABLES, random_state=rng))
    reached = int((chance >= observed - 1e-9).sum())
    size = max(0.0, float(observed - chance.mean()) / total)
    return Effect(size, (1 + reached) / (1 + TABLES))


def _moved(tables: Array) -> Array:
    """(tables,) choices that would have to be moved to make all rows of (tables, rows, columns)
    alike."""
    totals = tables.sum(axis=2, keepdims=True)
    pooled = tables.sum(axis=1, keepdims=True) / tables.sum(axis=(1, 2), keepdims=True)
    moved: Array = 0.5 * np.abs(tables - totals * pooled).sum(axis=(1, 2))
    return moved


def _gain(rows: pd.DataFrame, truth: Mapping[tuple[str, int], float]) -> float | None:
    """How much truer choices are than the same choices assigned to states at random."""
    asked = rows[(rows["goal"] == INFORMATIVE) & (rows["count"] > 0)]
    if asked["state"].nunique() < 2:
        return None
    wide = asked.pivot_table(
        index="state", columns="utterance", values="count", aggfunc="sum", fill_value=0.0
    )
    cells = [[truth.get((str(u), int(s)), math.nan) for u in wide] for s in wide.index]
    true = np.array(cells)
    if np.isnan(true).any():
        return None
    shares = wide.to_numpy(float) / wide.to_numpy(float).sum(axis=1, keepdims=True)
    return float(((shares - shares.mean(axis=0)) * true).sum(axis=1).mean())


def _state(speaker: str, effect: Effect, n: float, states: int) -> Check:
    ok = effect.p_value <= P_LIMIT and effect.size >= STATE_LEAST
    moved = f"changes {100 * effect.size:.0f} % of {n:,.0f} choices over {states} states"
    if ok:
        text = f"the choice depends on the state, which {moved} (p = {effect.p_value:.3f})."
    elif effect.p_value <= P_LIMIT:
        text = f"the choice hardly depends on the state, which {moved}: {FAILED}."
    else:
        text = f"the choice does not depend on the state ({n:,.0f} choices, "
        text += f"p = {effect.p_value:.3f}): {FAILED}."
    return Check("state", speaker, ok, f"Speaker {speaker}: {text}", effect.size, effect.p_value)


def _truth(speaker: str, gain: float) -> Check:
    ok = gain >= TRUTH_LEAST
    text = (
        f"Speaker {speaker}: asked to be informative, it makes {100 * gain:.0f} % more true "
        "choices than a speaker that does not know the state (people: 43 %)"
    )
    return Check("truth", speaker, ok, text + ("." if ok else f": {FAILED}."), gain, math.nan)
