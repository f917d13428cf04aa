"""People as the reference of every other speaker."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.families.politeness.references import SPEAKER
from many_wolves.figures.fitted import Fitted
from many_wolves.files import shipped

WEIGHTS = "task-data/human/yoon2020_weights.csv"
"""Posterior summary of the human fit (full model, joint literal treatment)."""


def is_human(fit: Fitted) -> bool:
    """Whether a fit is that of the human data."""
    return fit.speaker == SPEAKER


def is_reference(fit: Fitted) -> bool:
    """Whether a fit is the reference itself: people, all three utilities, joint."""
    options = fit.info.get("options", {})
    full = set(options.get("utilities", ())) == {"inf", "soc", "pres"}
    return is_human(fit) and full and options.get("literal") == "joint"


def human_weights() -> pd.DataFrame:
    """The human posterior that ships with the project.

    Returns
    -------
    pandas.DataFrame
        parameter, condition (empty for alpha and cost), mean, sd, hdi_low,
        hdi_high (95 %).
    """
    frame = pd.read_csv(shipped(WEIGHTS))
    return frame.assign(condition=frame["condition"].fillna(""))


def matched(reference: pd.DataFrame, conditions: Sequence[str]) -> pd.DataFrame:
    """The reference once per condition: people have goals, others also framings.

    A condition ``social/third`` is compared with the goal ``social`` of people.
    """
    parts = [
        reference[reference["condition"] == goal_of(condition)].assign(condition=condition)
        for condition in conditions
    ]
    return pd.concat(parts, ignore_index=True)


def goal_of(condition: str) -> str:
    """The goal of a condition, which may have a framing after a slash."""
    return condition.split("/", 1)[0]
