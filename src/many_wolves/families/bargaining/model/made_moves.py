"""Moves that `concession` describes, and the design matrix of their covariates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from many_wolves.contracts import Observations
from many_wolves.errors import WolvesError
from many_wolves.families.bargaining.model.decisions import Decisions, read_decisions
from many_wolves.families.bargaining.model.effects import Covariates, arm_columns, role_column
from many_wolves.families.bargaining.model.shared import Index
from many_wolves.families.bargaining.model.steps import fitting_steps
from many_wolves.families.bargaining.simulation import concession as words
from many_wolves.outcomes import Array

_MIDDLE_GAP = 0.3


@dataclass(frozen=True)
class Moves:
    """What is fitted: moves where both sides' prices stand, or the first one of a side.

    Parameters
    ----------
    decisions
        The rows.
    at
        Where the speaker stood.
    kind
        (N,) number of the kind in ``words.KINDS``.
    fraction
        (N,) conceded fraction of concessions; NaN elsewhere.
    covariates
        Design matrix.
    opens
        (N,) whether the speaker had named no price: it opens (hold), accepts, or leaves.
    skipped
        How many moves had no place in the model, by reason.
    finer
        Number of moves between the steps of the grid, which get a finer step.
    """

    decisions: Decisions
    at: words.Situations
    kind: Index
    fraction: Array
    covariates: Covariates
    opens: Any
    skipped: Mapping[str, int]
    finer: int = 0

    @property
    def available(self) -> Any:
        """(N, 6) kinds that are possible; the one that was made always is."""
        found = self.at.available.copy()
        for kind in ("back", "split", "concede"):
            found[self.opens, words.KINDS.index(kind)] = False
        found[np.arange(self.kind.size), self.kind] = True
        return found


def read_moves(observations: Observations, memory: str = "all") -> Moves:
    """The moves of one speaker that the model describes.

    Raises
    ------
    WolvesError
        If there is none.
    """
    everything = read_decisions(observations)
    told = np.isfinite(everything.offered)
    opens = np.isnan(everything.own)
    own = np.where(opens, 1.0, everything.own)
    gap = own - everything.offered
    kept = everything.is_move & ~everything.is_probe & told & (gap > 1e-9)
    skipped = {
        "no price of the other side stands": int((everything.is_move & ~told).sum()),
        "probes": int((everything.is_move & everything.is_probe).sum()),
        "no gap is left": int((everything.is_move & told & (gap <= 1e-9)).sum()),
    }
    d = everything.part(kept)
    if not len(d):
        raise WolvesError(
            "no move was made where both sides' prices stood",
            where=d.where,
            fix="collect games with scripted or speaking partners; probes are for `values`",
        )
    own, opens, gap = own[kept], opens[kept], gap[kept]
    move = np.where(opens & (d.frame["move"] == "offer"), "opening", d.frame["move"]).astype(str)
    demand = np.where(opens, own, d.demand)
    step, kind, wrong = fitting_steps(gap, d.step, own, demand, move)
    skipped["too small a step"] = int(wrong.sum())
    finer = int(((step < d.step) & ~wrong).sum())
    there = ~wrong
    d, own, opens, gap = d.part(there), own[there], opens[there], gap[there]
    step, demand, kind = step[there], demand[there], kind[there]
    conceded = kind == words.KINDS.index("concede")
    fraction = np.where(conceded, (own - demand) / gap, np.nan)
    covariates = _covariates(d, gap, opens, memory)
    at = words.Situations(gap, step, covariates.matrix)
    return Moves(d, at, kind, fraction, covariates, opens, skipped, finer)


def _covariates(d: Decisions, gap: Array, opens: Any, memory: str) -> Covariates:
    """Covariates on fixed scales: 0 at a gap of .3, in round 3, after a quarter was conceded."""
    frame = d.frame
    columns: dict[str, tuple[Array, float]] = {"seller": role_column(frame["role"])}
    if memory != "none":
        columns["log gap"] = (np.log(gap) - np.log(_MIDDLE_GAP), 1.0)
        columns["no price yet"] = (opens.astype(float), 1.0)
    if memory == "all":
        given = frame["other_conceded"].to_numpy(dtype=float)
        heard = np.isfinite(given)
        columns["round"] = ((np.minimum(d.round, 15) - 3) / 3, 1.0)
        columns["last round"] = ((d.announced & (d.round >= d.rounds)).astype(float), 1.0)
        columns["other conceded"] = (
            np.where(heard, (np.clip(given, -1, 1) - 0.25) / 0.25, 0.0), 1.0
        )  # fmt: skip
        columns["nothing heard"] = ((~heard).astype(float), 1.0)
    return Covariates.of({**columns, **arm_columns(frame)})
