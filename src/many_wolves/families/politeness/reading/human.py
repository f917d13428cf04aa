"""The human reference: counts, literal judgments and published values of Y20."""

from __future__ import annotations

import pandas as pd

from many_wolves.families.politeness.references import SPEAKER, references
from many_wolves.files import file_fingerprint, shipped
from many_wolves.observations import Observations

PUBLISHED = pd.DataFrame(
    [
        ("w_inf", "informative", 0.36),
        ("w_soc", "informative", 0.02),
        ("w_pres", "informative", 0.62),
        ("phi", "informative", 0.49),
        ("w_inf", "social", 0.25),
        ("w_soc", "social", 0.31),
        ("w_pres", "social", 0.44),
        ("phi", "social", 0.37),
        ("w_inf", "both", 0.36),
        ("w_soc", "both", 0.11),
        ("w_pres", "both", 0.54),
        ("phi", "both", 0.36),
        ("alpha", "", 4.47),
        ("cost", "", 2.64),
    ],
    columns=["parameter", "condition", "published"],
)
"""Values of Y20 for the full model: pooled means of chains that had not mixed."""


def literal_counts() -> pd.DataFrame:
    """The 32 literal judgments: utterance, state, yes, n."""
    return pd.read_csv(shipped("task-data/human/yoon2020_literal_counts.csv"))


def choice_counts() -> pd.DataFrame:
    """The 96 counts of choices: goal, state, utterance, count."""
    return pd.read_csv(shipped("task-data/human/yoon2020_choice_counts.csv"))


def human_table() -> Observations:
    """The human counts as a table with one speaker, ``people``."""
    counts = choice_counts()
    counts.insert(0, "speaker", SPEAKER)
    counts.insert(2, "framing", "first")
    literal = literal_counts()
    literal.insert(0, "speaker", SPEAKER)
    source = shipped("task-data/human/yoon2020_choice_counts.csv")
    return Observations(
        family="politeness",
        tables={"counts": counts, "literal": literal},
        meta={
            **{fact: references()["yoon2020"].card[fact] for fact in ("source", "answers")},
            "fingerprint": file_fingerprint(source),
        },
    )
