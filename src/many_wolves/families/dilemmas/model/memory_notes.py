"""Notes on what the games cannot identify about memory-one strategies."""

from __future__ import annotations

from many_wolves.families.dilemmas.model.rounds import CONTEXTS, Rounds


def notes(rounds: Rounds, end_game: bool) -> list[str]:
    """What these games do not tell, in words."""
    frame, groups = rounds.frame, rounds.levels.groups
    found = []
    per_game = frame.groupby("game", sort=False)
    before = per_game["other"].shift()
    if not ((before == "D") & (frame["other"] == "C")).any():
        found.append(
            "No partner cooperated again after a defection, so retaliation and forgiveness never "
            "occur in the same game. Spite combines the two from different "
            "games, on the assumption that only the last round counts."
        )
    if (per_game["other"].nunique() == 1).all():
        found.append(
            "Every partner always played the same move. These games cannot "
            "distinguish a player that reacts to the partner from one that knows its type."
        )
    met = frame.groupby(["group", "context"]).size()
    for index, context in enumerate(CONTEXTS):
        never = [group for group in groups if (group, index) not in met.index]
        if never:
            who = "any group" if len(never) == len(groups) else ", ".join(never)
            found.append(
                f"The context {context} never occurred for {who}: the probability of C after "
                "it comes only from the prior and from the other groups."
            )
    if end_game and not frame["last"].any():
        found.append(
            "No game had a round that was known to be the last. So the end-game drop is unknown, "
            "and the effect of the last round has its prior distribution."
        )
    return found
