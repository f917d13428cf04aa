"""The verdict on a fit: diagnostics and their interpretation in words.

Thresholds: R-hat below 1.01 and 400 effective draws after Vehtari, Gelman,
Simpson, Carpenter & Buerkner (2021), doi:10.1214/20-BA1221; E-BFMI above 0.3
after Betancourt (2016), arXiv:1604.00695.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.contracts import Array
from many_wolves.inference.engines.draws import Draws
from many_wolves.inference.settings import Settings

MAX_R_HAT = 1.01
MIN_ESS = 400.0
MIN_E_BFMI = 0.3
APART = 3.0
"""Chains whose means differ by more than this many within-chain standard deviations are in
different modes."""


@dataclass(frozen=True)
class RegionShare:
    """Posterior mass of a mode, with its standard error from bridge sampling."""

    share: float
    se: float


@dataclass(frozen=True)
class Diagnostics:
    """The verdict ``ok``, its reasons in ``verdict``, and the diagnostics behind it."""

    ok: bool
    verdict: tuple[str, ...]
    divergences: int
    max_r_hat: float
    min_ess_bulk: float
    min_ess_tail: float
    min_e_bfmi: float
    tree_depth_hits: int
    chains: int
    draws: int
    worst: str
    chains_apart: tuple[str, ...]
    modes: tuple[dict[str, float], ...] = ()
    engine_messages: tuple[str, ...] = ()
    regions: tuple[RegionShare, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All fields for ``diagnostics.json``, with null for NaN."""
        return {
            key: None if isinstance(value, float) and not np.isfinite(value) else value
            for key, value in asdict(self).items()
        }


def e_bfmi(energy: Array) -> Array:
    """(chains,) energy Bayesian fraction of missing information from energy (chains, draws)."""
    change = np.square(np.diff(energy, axis=1)).mean(axis=1)
    fraction: Array = change / energy.var(axis=1)
    return fraction


def judge(
    draws: Draws,
    summary: pd.DataFrame,
    scalars: dict[str, Array],
    settings: Settings,
    modes: tuple[dict[str, float], ...] = (),
    regions: tuple[RegionShare, ...] = (),
    *,
    moving: bool = False,
) -> Diagnostics:
    """Judge the sampler's columns and the summary of the parameters.

    Parameters
    ----------
    summary
        With ``r_hat``, ``ess_bulk``, ``ess_tail``; constants have NaN there and are ignored.
    scalars
        Label -> (chains, draws) of every scalar parameter.
    modes, regions
        Modes found before and after sampling, for the words of the verdict.
    moving
        Whether the data changed along the chains, tempered chains swapped states, or draws of
        several modes were mixed. The energy changed with them, so E-BFMI is meaningless and is left
        out.
    """
    live = summary.dropna(subset=["r_hat"])
    divergences = int(draws.statistic("divergent__").sum())
    hits = int((draws.statistic("treedepth__") >= settings.max_depth).sum())
    fractions = e_bfmi(draws.statistic("energy__"))
    apart = tuple(label for label, values in scalars.items() if _apart(values))
    numbers = _Numbers(
        divergences=divergences,
        r_hat=float(live["r_hat"].max()),
        bulk=float(live["ess_bulk"].min()),
        tail=float(live["ess_tail"].min()),
        energy=np.nan if moving else float(fractions.min()),
    )
    reasons = _reasons(numbers, apart, draws.x.shape[0] * draws.x.shape[1])
    worst = live.iloc[int(np.argmax(live["r_hat"].to_numpy()))] if len(live) else None
    verdict = tuple(reasons) or ("The chains converged: all diagnostics are good.",)
    if hits:
        verdict += (
            f"{hits} draws reached the maximum tree depth ({settings.max_depth}): "
            "the sampler is slow, but its draws are valid.",
        )
    if regions:
        verdict += (_regions(regions),)
    elif len(modes) > 1:
        verdict += (_other_modes(modes),)
    return Diagnostics(
        ok=not reasons,
        verdict=verdict,
        divergences=divergences,
        max_r_hat=numbers.r_hat,
        min_ess_bulk=numbers.bulk,
        min_ess_tail=numbers.tail,
        min_e_bfmi=numbers.energy,
        tree_depth_hits=hits,
        chains=draws.x.shape[0],
        draws=draws.x.shape[1],
        worst="" if worst is None else f"{worst['parameter']} {worst['condition']}".strip(),
        chains_apart=apart,
        modes=modes,
        engine_messages=draws.messages[:20],
        regions=regions,
    )


@dataclass(frozen=True)
class _Numbers:
    divergences: int
    r_hat: float
    bulk: float
    tail: float
    energy: float


def _reasons(n: _Numbers, apart: tuple[str, ...], total: int) -> list[str]:
    reasons = []
    if n.divergences:
        reasons.append(
            f"{n.divergences} of {total} draws diverged ({100 * n.divergences / total:.1f} %): "
            "the sampler may have missed a part of the posterior. Raise --adapt-delta to 0.95 or "
            "0.99."
        )
    if not n.r_hat < MAX_R_HAT:
        reasons.append(
            f"R-hat is {n.r_hat:.3f} (below {MAX_R_HAT} expected): the chains disagree. "
            "Raise --warmup and --draws."
        )
    if not min(n.bulk, n.tail) >= MIN_ESS:
        reasons.append(
            f"Only {n.bulk:.0f} effective draws in the bulk and {n.tail:.0f} in the tails "
            f"({MIN_ESS:.0f} expected). Raise --draws."
        )
    if n.energy < MIN_E_BFMI:
        reasons.append(
            f"E-BFMI is {n.energy:.2f} (above {MIN_E_BFMI} expected): the chains explore heavy "
            "tails poorly. Raise --warmup."
        )
    if apart:
        shown = ", ".join(apart[:4]) + (", ..." if len(apart) > 4 else "")
        reasons.append(
            f"Chains are in different modes of {shown}: no single estimate describes it."
        )
    return reasons


def _other_modes(modes: tuple[dict[str, float], ...]) -> str:
    others = ", ".join(f"{100 * mode['share']:.2g} %" for mode in modes[1:])
    return (
        f"{len(modes)} local maxima were found. By Gaussian approximation, the smaller ones have "
        f"{others} of the mass."
    )


def _regions(regions: tuple[RegionShare, ...]) -> str:
    shares = " and ".join(f"{100 * one.share:.1f}" for one in regions)
    return (
        f"The posterior has {len(regions)} modes between which chains do not move. Their draws are "
        f"mixed in proportion to their mass: {shares} %, with a standard error of "
        f"{100 * max(one.se for one in regions):.1g} percentage points."
    )


def _apart(values: Array) -> bool:
    within = values.std(axis=1).mean()
    means = values.mean(axis=1)
    return bool(within > 0 and np.ptp(means) > APART * within)
