"""What the games leave open about memory-one strategies, in words."""

from __future__ import annotations

from many_wolves.families.dilemmas.models.rounds import CONTEXTS, Rounds


def notes(rounds: Rounds, end_game: bool) -> list[str]:
    """What these games do not tell, in words."""
    frame, groups = rounds.frame, rounds.levels.groups
    found = []
    per_game = frame.groupby("game", sort=False)
    before = per_game["other"].shift()
    if not ((before == "D") & (frame["other"] == "C")).any():
        found.append(
            "No partner defected and then came back: retaliation and forgiveness are never "
            "seen in one game. Spite, which joins the two, is put together from different "
            "games on the assumption that only the last round counts."
        )
    if (per_game["other"].nunique() == 1).all():
        found.append(
            "Every partner played one move throughout, whatever its name. These games cannot "
            "distinguish a player that reacts to the partner from one that knows its kind."
        )
    met = frame.groupby(["group", "context"]).size()
    for index, context in enumerate(CONTEXTS):
        never = [group for group in groups if (group, index) not in met.index]
        if never:
            who = "any group" if len(never) == len(groups) else ", ".join(never)
            found.append(
                f"The context {context} was never met by {who}: the probability of C after "
                "it comes from the prior and from the other groups alone."
            )
    if end_game and not frame["last"].any():
        found.append(
            "In no game was a round known to be the last. So the end-game drop is unknown, and "
            "the effect of the last round is its prior."
        )
    return found
