"""People as the reference of every other speaker."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.families.politeness.references import SPEAKER
from many_wolves.figures.fitted import Fitted
from many_wolves.files import shipped

WEIGHTS = "task-data/human/yoon2020_weights.csv"
"""Posterior summary of the human fit (full model, joint literal treatment)."""

JOINT = "joint"
"""The treatment of literal meanings in the shipped posterior."""


def is_human(fit: Fitted) -> bool:
    """Whether a fit is that of the human data."""
    return fit.speaker == SPEAKER


def is_reference(fit: Fitted) -> bool:
    """Whether a fit is the reference itself: people, all three utilities, joint."""
    return _is_full(fit) and treatment(fit) == JOINT


def treatment(fit: Fitted) -> str:
    """How literal meanings were estimated: joint, cut, fixed."""
    return str(fit.info.get("options", {}).get("literal", JOINT))


def beside(fits: Sequence[Fitted]) -> Fitted | None:
    """The fit of people to compare the others with, None for the shipped one.

    A fit of people with the treatment of all other speakers comes before the joint one.
    """
    people = [fit for fit in fits if _is_full(fit)]
    wanted = {treatment(fit) for fit in fits if not is_human(fit)}
    alike = (fit for fit in people if {treatment(fit)} == wanted)
    return next(alike, None) or next((fit for fit in people if is_reference(fit)), None)


def _is_full(fit: Fitted) -> bool:
    """Whether a fit is that of people with all three utilities."""
    utilities = set(fit.info.get("options", {}).get("utilities", ()))
    return is_human(fit) and utilities == {"inf", "soc", "pres"}


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
