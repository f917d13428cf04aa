"""Columns of the family's tables, with a description of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_WHO: Mapping[str, str] = {
    "speaker": "the player who moves, by its name in the tables",
    "group": "group of its role prompt; empty without one",
    "participant": "number of the role prompt within the group",
    "role": "seller or buyer",
    "partner": "the other side: the name of a script or of a speaker",
    "chain": "number of the chain of games, from 0, for each speaker",
    "arm": "advice between games: none, constant, human, ai; empty in a shared first game",
    "game": "number of the game within its chain, from 1",
    "good": "what is for sale",
    "cost": "the seller's limit; empty if it has none",
    "value": "the buyer's limit; empty if it has none",
    "ask": "usual first price of the seller",
    "bid": "usual first price of the buyer",
    "step": "grid of prices",
    "outside": "the speaker's own payoff without a deal",
    "rounds": "maximum number of messages per side",
    "announced": "yes, no: whether the sides know the maximum number of messages",
    "form": "answer form: free, marked, json; option for a probe",
    "rule": "kind of the partner's rule: fixed, schedule, ..., told, last, speaker, people",
}

TURNS: Mapping[str, str] = {
    **_WHO,
    "round": "number of the speaker's message within the game, from 1",
    "own_before": "its own standing price; empty before the first",
    "standing": "the other side's standing price; empty before the first",
    "standing_before": "the same when it last wrote, or the other's scripted first price",
    "other_conceded": "share of the gap that the other side's last message gave up; empty for none",
    "menu": "prices with their announced odds, PRICE:ODDS; empty outside such probes",
    "move": "offer, accept, walk, talk; empty where the message could not be read",
    "price": "price of an offer",
    "conceded": "share of the gap between both prices that an offer gives up",
    "flags": "other_goods, reversed, range, crossed, computed, unmarked",
    "status": "answered, refused, empty, unparsed",
    "episode": "chain in the journal",
    "replicate": "its repetition",
    "branch": "its arm's number, 0 for a shared first game",
    "turn": "turn in the journal",
}
"""One row per message of a speaker: the state of the game, and the move."""

GAMES: Mapping[str, str] = {
    **_WHO,
    "ended": "deal, walked, cap, unparsed, refused, failed, unfinished",
    "price": "price of the deal; empty without one",
    "by": "self, other: who accepted or walked away, or whose message could not be read",
    "share": "the speaker's share of the pie; empty without a deal",
    "payoff": "its payoff; empty if it has no private limit",
    "last_round": "round in which the game ended",
    "messages": "messages of both sides without a scripted opening",
    "reversed": "messages of the speaker in the other role, or beyond the other's price",
    "other_goods": "yes, no: whether a message was about other goods",
    "beyond_limit": "yes, no: whether the deal is worse for it than its own limit",
    "opening": "whose first price was scripted: both, seller, buyer, none",
    "first": "who wrote the first message that was not scripted",
    "seat": "speaker, partner",
    "episode": "chain in the journal",
    "replicate": "its repetition",
    "branch": "its arm's number, 0 for a shared first game",
}
"""One row per game and speaker in it."""

FEEDBACK: Mapping[str, str] = {
    "speaker": "the player who gets the advice",
    "critic": "who advises",
    "role": "role of that player",
    "chain": "number of the chain",
    "arm": "ai, constant, human",
    "game": "number of the game that follows",
    "words": "words of the advice",
    "names_price": "yes, no: whether it names an amount of money",
    "names_extras": "yes, no: whether it proposes further goods or services",
    "text": "the advice",
}
"""One row per piece of advice from a critic."""

READINGS: Mapping[str, str] = {
    "speaker": "whose message it is",
    "moderator": "the model that read it in addition to the rules",
    "form": "answer form",
    "chain": "number of the chain",
    "game": "number of the game within its chain",
    "message": "messages of the game so far, this one included",
    "rules_state": "open, deal, left: the state by the rules",
    "rules_price": "price of the deal by the rules",
    "moderator_state": "the same by the moderator; empty if its answer could not be read",
    "moderator_price": "price of the deal by the moderator",
}
"""One row per message that a moderator read."""

COUNTS: Mapping[str, str] = {
    "speaker": "who moved",
    "task": "task",
    "role": "seller or buyer",
    "partner": "the other side",
    "move": "offer, accept, walk, talk",
    "count": "how often",
}

WORDS: Mapping[str, str] = {
    "speaker": "who chose",
    "group": "group of its role prompt",
    "participant": "number of the role prompt within the group",
    "role": "seller or buyer",
    "good": "what is for sale",
    "offered": "share that the other side's standing price leaves to the speaker",
    "own": "share that the speaker demanded before",
    "set": "number of the set of replies: situations with the same ones share it",
    "demand": "share that the reply demands; for an acceptance, that of the standing price",
    "accepts": "1 if the reply accepts the standing price",
    "tone": "kind, plain, cold",
    "count": "times that it was chosen; expected counts if options were scored",
}
"""``haggle-words``: one row per reply of a situation."""


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Rows as a table with these columns; what is missing is an empty text."""
    import pandas as pd

    values = [["" if row.get(c) is None else row[c] for c in columns] for row in rows]
    return pd.DataFrame(values, columns=list(columns), dtype=object)
