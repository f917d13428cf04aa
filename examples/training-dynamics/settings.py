"""What the example trains and measures: every number in one place, recorded with the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GOAL = "none"
"""No goal is named in any prompt: what moves is the default behaviour."""

TAUGHT = "both"
"""Goal of the people whose choices the supervised stage teaches."""

RATERS: Mapping[str, float] = {"truth": 1.0, "kindness": 0.0}
"""phi of the raters: the share of informing a literal listener, against pleasing it."""

RATER = "rater/"
"""Begins the names of the raters as speakers: they are fitted like the model."""

RUNS = tuple(RATERS)


@dataclass(frozen=True)
class Stage:
    """One training stage.

    Parameters
    ----------
    steps, every
        Optimiser steps, and steps between checkpoints.
    batch
        Examples (or pairs) a step.
    rate
        Learning rate at its peak.
    """

    steps: int
    every: int
    batch: int
    rate: float


@dataclass(frozen=True)
class Settings:
    """The whole example.

    Parameters
    ----------
    seed
        Of the feedback, the trials, the training and the fits.
    train_items, held_out
        Items of the feedback, and those that the model is measured on.
    orders
        Orders of options that each measured scene is shown in.
    judged
        Literal judgments asked of the ends of the runs.
    alpha, cost
        Speaker optimality of the raters, and their cost of negation.
    beta
        Strength of DPO's pull to the model it started from.
    frozen
        Lower layers that are not trained: no gradient passes through them.
    chains, draws
        Of each fit; as many draws are spent on warm-up.
    """

    seed: int = 1
    train_items: tuple[str, ...] = (
        "poem", "song", "painting", "film", "recital", "monologue", "cookie", "review", "app",
    )  # fmt: skip
    held_out: tuple[str, ...] = ("cake", "dance", "solo", "presentation")
    orders: int = 6
    judged: int = 64
    supervised: Stage = field(default=Stage(steps=60, every=20, batch=8, rate=2e-4))
    preference: Stage = field(default=Stage(steps=24, every=6, batch=4, rate=1e-4))
    alpha: float = 2.5
    cost: float = 2.0
    beta: float = 0.1
    frozen: int = 18
    chains: int = 4
    draws: int = 1000


def from_json(record: Mapping[str, Any]) -> Settings:
    """Settings from their record (``dataclasses.asdict``)."""
    known = dict(record)
    for name in ("supervised", "preference"):
        known[name] = Stage(**known[name])
    for name in ("train_items", "held_out"):
        known[name] = tuple(known[name])
    return Settings(**known)


QUICK = Settings(
    train_items=("poem", "song"),
    held_out=("cake",),
    orders=2,
    judged=8,
    supervised=Stage(steps=2, every=2, batch=2, rate=1e-4),
    preference=Stage(steps=2, every=1, batch=2, rate=3e-5),
    chains=2,
    draws=200,
)
"""The same road in two steps a stage: shows that it runs, finds nothing."""
