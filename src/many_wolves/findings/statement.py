"""A finding: draws of a number, the number with its interval, and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from many_wolves.contracts import Array

PROB = 0.95
"""Probability of every interval."""

STRENGTHS = ((0.99, "strong"), (0.95, "moderate"), (0.75, "weak"))
"""Smallest probability of a direction (or of its opposite) for each word."""
UNSETTLED = "no"

DRAWS = "draws.nc"
"""File of the draws behind the statements."""

COLUMNS = (
    "finding",
    "subject",
    "condition",
    "quantity",
    "contrast",
    "estimate",
    "low",
    "high",
    "probability",
    "evidence",
    "sentence",
    "draws",
)

Kind = Literal["change", "size", "probability"]


@dataclass(frozen=True)
class Statement:
    """One finding.

    Parameters
    ----------
    finding
        Kind of finding: ``effort``, ``goals``, ``sycophancy``, ``dynamics``, ``distance``.
    subject, condition, quantity, contrast
        Speaker, condition, parameter and comparison; empty if not applicable.
    draws
        (D,) posterior draws of the number.
    words
        Description of the number that begins a sentence: ``high effort changes phi``.
    kind
        ``change`` may have either sign, and its direction is a question. ``size`` is
        positive by nature. ``probability``: the draws are zeros and ones, and their
        mean is the number.
    unit
        Unit after the number in sentences.
    between
        Whether a change is a difference between two speakers (higher or lower, not up or down).
    """

    finding: str
    subject: str
    condition: str
    quantity: str
    contrast: str
    draws: Array
    words: str
    kind: Kind = "change"
    unit: str = ""
    between: bool = False

    @property
    def id(self) -> str:
        """Name of its draws in ``draws.nc``."""
        parts = (self.finding, self.subject, self.condition, self.quantity, self.contrast)
        return "/".join(part or "-" for part in parts)

    @property
    def estimate(self) -> float:
        """Mean of the draws; for a size their median, since sizes may be skewed."""
        return float(np.median(self.draws) if self.kind == "size" else np.mean(self.draws))

    @property
    def interval(self) -> tuple[float, float]:
        """Equal-tailed 95 % interval; NaN if the draws are zeros and ones."""
        if self.kind == "probability":
            return float("nan"), float("nan")
        low, high = np.quantile(self.draws, [(1 - PROB) / 2, (1 + PROB) / 2])
        return float(low), float(high)

    @property
    def probability(self) -> float:
        """Probability that a change is positive; the estimate itself if it is a probability."""
        if self.kind == "size":
            return float("nan")
        if self.kind == "probability":
            return self.estimate
        return float((np.mean(self.draws > 0) + np.mean(self.draws >= 0)) / 2)

    @property
    def evidence(self) -> str:
        """Strength of the evidence on the direction of a change, or on the truth of a statement."""
        if self.kind == "size":
            return ""
        return strength(self.probability)

    @property
    def sentence(self) -> str:
        """The finding in words, from its numbers."""
        low, high = self.interval
        if self.kind == "probability":
            said = f"{self.words} with probability {percent(self.probability)}"
            if self.evidence == UNSETTLED:
                return f"{said}: not settled."
            side = "for" if self.probability >= 0.5 else "against"
            return f"{said}: {self.evidence} evidence {side} it."
        span = f"[{low:.2f}, {high:.2f}]"
        if self.kind == "size":
            return f"{self.words} {self.estimate:.2f}{self.unit} {span}."
        p = max(self.probability, 1 - self.probability)
        verb, ways = ("is", ("higher", "lower")) if self.between else ("goes", ("up", "down"))
        way = ways[self.probability < 0.5]
        if self.evidence == UNSETTLED:
            end = f"the direction is not settled (probability {percent(p)} of {way})"
        else:
            end = f"{self.evidence} evidence that it {verb} {way} (probability {percent(p)})"
        return f"{self.words} by {self.estimate:+.2f}{self.unit} {span}: {end}."


def strength(probability: float) -> str:
    """The word for a probability or its complement."""
    p = max(probability, 1 - probability)
    return next((word for least, word in STRENGTHS if p >= least), UNSETTLED)


def percent(p: float) -> str:
    """A probability in per cent, never rounded to 0 or 100."""
    if p > 0.999:
        return "above 99.9 %"
    if p < 0.001:
        return "below 0.1 %"
    return f"{100 * p:.3g} %"


def table(statements: Sequence[Statement]) -> pd.DataFrame:
    """One row per statement: ``COLUMNS``."""
    rows = [
        (
            s.finding,
            s.subject,
            s.condition,
            s.quantity,
            s.contrast,
            s.estimate,
            *s.interval,
            s.probability,
            s.evidence,
            s.sentence,
            f"{DRAWS}#{s.id}",
        )
        for s in statements
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
