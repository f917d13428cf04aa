"""Purchases of lots by logit choice: data, equations, likelihood, simulation, in NumPy.

References
----------
Edwards, W. (1968). Conservatism in human information processing. In B. Kleinmuntz (Ed.),
*Formal representation of human judgment* (pp. 17-52). Wiley.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import log_expit

from many_wolves.families.markets.model.limits import (
    Limits,
    Scale,
    choice_information,
    limits,
    middles,
)
from many_wolves.families.markets.model.parts import (
    POINTS,
    Array,
    Ints,
    given_rows,
    numbered,
    rows_of,
    varied,
)
from many_wolves.observations import Observations

COLUMNS = (
    "session", "round", "participant", "stage", "condition", "lot", "declared", "low", "high",
    "bought", "buyers", "speculators", "buyer_share", "given",
)  # fmt: skip


@dataclass(frozen=True)
class Decisions:
    """Decisions to buy, (N,) each.

    Parameters
    ----------
    participants
        Names of the participants, (J,).
    who, declared, middle, share
        Participant, declaration and middle of the band in points, the buyers' share of the gap.
    buyers
        Expected number of buyers with this one: the mean of the round before, else 1 more
        than half of the other speculators.
    bought
        Whether it was bought.
    rows, labels
        Place in the table, and a label.
    """

    participants: tuple[str, ...]
    who: Ints
    declared: Array
    middle: Array
    share: Array
    buyers: Array
    bought: Array
    rows: Ints
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Buyer:
    """Parameters of one speaker; ``hurdle_each`` are deviations of participants, (J,)."""

    base_rate: float = 0.0
    shading: float = 0.0
    hurdle: float = 0.0
    precision: float = 1.0
    sd_hurdle: float = 0.0
    hurdle_each: Array | None = None


def logits(buyer: Buyer, data: Decisions) -> Array:
    """Log-odds of buying, (N,).

    ``precision g (E[v | d] - d) / k - hurdle`` with
    ``E[v | d] = (1 - w) d (1 + m) + w * middle``.
    """
    w, m = buyer.base_rate, buyer.shading
    expected = (1 - w) * (1 + m) * data.declared + w * data.middle
    gain = data.share * (expected - data.declared) / data.buyers / POINTS
    hurdle = buyer.hurdle + (0.0 if buyer.hurdle_each is None else buyer.hurdle_each[data.who])
    found: Array = buyer.precision * gain - hurdle
    return found


def log_likelihood(buyer: Buyer, data: Decisions) -> float:
    """Log-probability of all decisions."""
    return float(log_expit(np.where(data.bought > 0, 1.0, -1.0) * logits(buyer, data)).sum())


def draw(buyer: Buyer, data: Decisions, rng: np.random.Generator) -> Decisions:
    """The same lots with other decisions."""
    bought = rng.random(len(data.rows)) < np.exp(log_expit(logits(buyer, data)))
    return replace(data, bought=bought.astype(float))


def draw_buyer(
    data: Decisions, rng: np.random.Generator, *, base_rate: bool, shading: bool, spread: float
) -> Buyer:
    """Parameters from the prior, without the deviations of participants."""
    return Buyer(
        base_rate=rng.beta(2, 2) if base_rate else 0.0,
        shading=rng.normal(0, 0.2) if shading else 0.0,
        hurdle=rng.normal(),
        precision=float(np.exp(rng.normal())),
        sd_hurdle=rng.exponential(spread) if varied(data.participants) else 0.0,
    )


def with_participants(buyer: Buyer, data: Decisions, rng: np.random.Generator) -> Buyer:
    """The same with deviations of participants drawn by their standard deviation."""
    return replace(buyer, hurdle_each=buyer.sd_hurdle * rng.normal(size=len(data.participants)))


def design_limits(data: Decisions, base_rate: bool, shading: bool) -> Limits:
    """What these lots leave open of each estimated parameter, on the scale of its prior."""
    scales = {"base_rate": Scale(0.5, 0.05**0.5)} if base_rate else {}
    scales |= {"shading": Scale(0.0, 0.2)} if shading else {}
    scales |= {"hurdle": Scale(0.0, 1.0), "precision": Scale(0.0, 1.0)}

    def log_probability(x: Array) -> Array:
        numbers = dict(zip(scales, x, strict=True))
        numbers["precision"] = np.exp(numbers["precision"])
        logit = logits(Buyer(**numbers), data)
        return np.stack([log_expit(-logit), log_expit(logit)], axis=-1)

    return limits(scales, choice_information(log_probability, middles(scales)))


def read_purchases(observations: Observations) -> Decisions:
    """Decisions to buy that were given, of one speaker.

    Raises
    ------
    WolvesError
        If a column is missing, or nobody decided.
    """
    missing = "fit a speaker that played a speculator; `voting` has none"
    rows = rows_of(observations, "purchases", COLUMNS, missing=missing)
    rows = given_rows(rows.assign(before=_mean_before(observations.tables["purchases"], rows)))
    participants, who = numbered(rows["who"])
    others = rows["speculators"].to_numpy(float) - 1
    buyers = np.where(rows["before"].isna(), 1 + 0.5 * others, np.maximum(rows["before"], 1.0))
    labels = (
        f"{name} | {number} | {stage} | {condition} | {lot}"
        for name, number, stage, condition, lot in zip(
            rows["who"], rows["round"], rows["stage"], rows["condition"], rows["lot"], strict=True
        )
    )
    return Decisions(
        participants=participants,
        who=who,
        declared=rows["declared"].to_numpy(float),
        middle=((rows["low"] + rows["high"]) / 2).to_numpy(float),
        share=rows["buyer_share"].to_numpy(float),
        buyers=np.asarray(buyers, float),
        bought=rows["bought"].to_numpy(float),
        rows=np.asarray(rows["row"], np.int64),
        labels=tuple(labels),
    )


def _mean_before(frame: pd.DataFrame, rows: pd.DataFrame) -> pd.Series:
    """Mean number of buyers of a bought lot in the same stage of the round before."""
    lots = frame.drop_duplicates(["session", "round", "stage", "condition", "lot"])
    bought = lots[lots["buyers"] > 0]
    mean = bought.groupby(["session", "stage", "round"])["buyers"].mean()
    keys = zip(rows["session"], rows["stage"], rows["round"] - 1, strict=True)
    return pd.Series([mean.get(key, np.nan) for key in keys], index=rows.index)
