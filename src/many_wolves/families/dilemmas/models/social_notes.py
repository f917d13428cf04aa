"""What gifts, offers and replies leave open, in words."""

from __future__ import annotations

import numpy as np

from many_wolves.families.dilemmas.models.divisions import Divisions
from many_wolves.families.dilemmas.models.preferences import Form


def social_notes(found: Divisions, form: Form) -> list[str]:
    """Sentences on what the design at hand does not identify, for one form."""
    if form == "selfish":
        return []
    notes = []
    gifts, above = _above_half(found)
    rejected, unequal = _rejections(found)
    behind = "envy" if form == "fehr-schmidt" else "sigma"
    if form != "ces" and unequal == 0:
        notes.append(
            f"A dictator alone does not identify {behind}: only gifts above half bear on it, and "
            f"{above:,.0f} of {gifts:,.0f} are. What stands here for {behind} is its prior, cut "
            "off where it would call for more of them; replies to unequal offers in the "
            "ultimatum would tell."
        )
    elif form != "ces" and rejected == 0:
        notes.append(
            f"None of {unequal:,.0f} unequal offers was rejected: they bound {behind} from one "
            "side only."
        )
    if form != "ces" and not any(q.part != "gifts" for q in found.questions):
        first = "guilt" if form == "fehr-schmidt" else "rho"
        notes.append(
            f"Up to half, gifts depend on {first} and precision through precision x (2 {first} - "
            f"1) alone. Whether {first} lies above one half, and the order of groups, come from "
            "the gifts; how far from one half, from the prior of precision and the gifts above "
            "half."
        )
    if form == "ces" and not any(q.part == "replies" for q in found.questions):
        notes.append(
            "A dollar given always costs a dollar: one price does not tell the weight of one's own "
            "payoff from the exponent r but by how gifts spread around the most frequent one, "
            "and that depends on precision."
        )
    if any(q.part == "offers" for q in found.questions):
        notes.append(
            "Who proposes is taken to expect a responder with its own preferences; offers "
            "made from another belief would pass for other preferences."
        )
    return notes


def _above_half(found: Divisions) -> tuple[float, float]:
    """Gifts, and those above half of the stake."""
    gifts = above = 0.0
    for _, question, counts in found.cells():
        if question.part == "gifts":
            gifts += counts.sum()
            above += counts[np.array(question.amounts) > question.stake / 2].sum()
    return gifts, above


def _rejections(found: Divisions) -> tuple[float, float]:
    """Rejections of offers below half, and such offers."""
    rejected = asked = 0.0
    for _, question, counts in found.cells():
        if question.part == "replies" and question.offer < question.stake / 2:
            rejected += counts[0]
            asked += counts.sum()
    return rejected, asked
