"""The quantities of findings on politeness."""

from __future__ import annotations

from many_wolves.contracts import FindingsSpec
from many_wolves.families.politeness.references import SPEAKER
from many_wolves.families.politeness.reporting.reference import goal_of

DEFAULT = "none"
"""The goal of a scene without a goal."""


def default(condition: str) -> str:
    """The condition without a goal in the same framing; empty for that condition itself."""
    goal, slash, framing = condition.partition("/")
    return "" if goal == DEFAULT else f"{DEFAULT}{slash}{framing}"


def comparable(condition: str) -> str:
    """The goal of people with which a condition is compared; people always had one."""
    goal = goal_of(condition)
    return "" if goal == DEFAULT else goal


QUANTITIES = FindingsSpec(
    words={
        "w_inf": "the weight of being informative",
        "w_soc": "the weight of being kind",
        "w_pres": "the weight of self-presentation",
        "phi": "the projected goal: 1 informative, 0 kind",
    },
    # phi is uniform; each of three weights with a uniform distribution on the simplex is Beta(1,
    # 2).
    prior={
        "phi": (1 / 2, (1 / 12) ** 0.5),
        "w_inf": (1 / 3, (1 / 18) ** 0.5),
        "w_soc": (1 / 3, (1 / 18) ** 0.5),
        "w_pres": (1 / 3, (1 / 18) ** 0.5),
    },
    condition="goal",
    default=default,
    comparable=comparable,
    signature={"phi": "low", "w_pres": "high", "w_inf": "low", "w_soc": "low"},
    signature_name="sycophancy",
    reference=SPEAKER,
    reference_words="203 people (Yoon et al. 2020)",
    reference_command="wolves fit --human yoon2020",
    predicted=("predicted", "s2"),
)
