"""Notes on what gifts, offers and replies cannot identify."""

from __future__ import annotations

import numpy as np

from many_wolves.families.dilemmas.model.divisions import Divisions
from many_wolves.families.dilemmas.model.preferences import Form


def social_notes(found: Divisions, form: Form) -> list[str]:
    """Sentences on what the design does not identify, for one form."""
    if form == "selfish":
        return []
    notes = []
    gifts, above = _above_half(found)
    rejected, unequal = _rejections(found)
    behind = "envy" if form == "fehr-schmidt" else "sigma"
    if form != "ces" and unequal == 0:
        notes.append(
            f"Dictator games alone do not identify {behind}: only gifts above half depend on it, "
            f"and {above:,.0f} of {gifts:,.0f} are. So {behind} has its prior distribution here, "
            "without the values that would lead to more of them. Replies to unequal offers in "
            "the ultimatum identify it."
        )
    elif form != "ces" and rejected == 0:
        notes.append(
            f"None of {unequal:,.0f} unequal offers was rejected: they bound {behind} from one "
            "side only."
        )
    if form != "ces" and not any(q.part != "gifts" for q in found.questions):
        first = "guilt" if form == "fehr-schmidt" else "rho"
        notes.append(
            f"Up to half, gifts depend on {first} and precision only through precision x "
            f"(2 {first} - 1). Gifts show whether {first} is above one half, and the order of "
            "groups. The distance from one half comes from the prior of precision and the gifts "
            "above half."
        )
    if form == "ces" and not any(q.part == "replies" for q in found.questions):
        notes.append(
            "A dollar given always costs a dollar. At one price, only the spread of gifts around "
            "the most frequent one separates the weight of one's own payoff from the exponent "
            "r. That spread depends on precision."
        )
    if any(q.part == "offers" for q in found.questions):
        notes.append(
            "Proposers are assumed to expect responders with their own preferences. Offers "
            "based on other beliefs would look like other preferences."
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
