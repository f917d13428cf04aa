"""Leapfrog steps of a fit, and how many its further attempts may take.

Each attempt after a bad verdict may halve the step size or double the draws. Without a limit, a
posterior that no attempt suits takes hours. Steps are counted rather than seconds, so that the same
seed gives the same result on a slow machine.
"""

from __future__ import annotations

from dataclasses import replace

from many_wolves.inference.engines.draws import Draws
from many_wolves.inference.sampling.diagnostics import Diagnostics
from many_wolves.inference.settings import Settings


def allowance(settings: Settings) -> float:
    """Leapfrog steps of all further attempts together.

    They are those of the iterations asked for, each with the longest trajectory.
    """
    return float(settings.chains * (settings.warmup + settings.draws) * 2**settings.max_depth)


def steps_of(draws: Draws, warmup: int = 0) -> float:
    """Leapfrog steps of draws, and of warm-up iterations at their mean.

    Engines do not report the steps of warm-up. Tempered ensembles count by their chains at power 1.
    """
    taken = draws.statistic("n_leapfrog__")
    return float(taken.sum() + warmup * taken.mean(axis=1).sum())


def ended(found: Diagnostics, settings: Settings) -> Diagnostics:
    """A bad verdict, with the reason why no further attempt was made."""
    words = (
        f"Nothing more was tried: further attempts may take {allowance(settings):,.0f} leapfrog "
        "steps in all. With more --warmup and --draws they may take more."
    )
    return replace(found, verdict=(*found.verdict, words))
