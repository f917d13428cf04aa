"""Scores texts token by token, from the probabilities of the next tokens at each prefix."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

Ids = tuple[int, ...]


def questions(texts: Sequence[Ids], ends: Sequence[int]) -> dict[Ids, tuple[int, ...]]:
    """The required probabilities: the next tokens after each prefix of a text.

    Parameters
    ----------
    texts
        Token ids, none empty.
    ends
        Tokens that end a text.

    Returns
    -------
    dict
        Prefixes, including the empty one, in the order of length; shared prefixes occur once.
    """
    asked: dict[Ids, dict[int, None]] = {}
    for text in texts:
        for place, token in enumerate(text):
            asked.setdefault(text[:place], {})[token] = None
        asked.setdefault(text, {}).update(dict.fromkeys(ends))
    return {begun: tuple(asked[begun]) for begun in sorted(asked, key=len)}


def sums(
    texts: Iterable[Ids], ends: Sequence[int], found: Mapping[Ids, Mapping[int, float]]
) -> list[float]:
    """Log-probability of each text including its end, in nats.

    Parameters
    ----------
    found
        The log-probability of each next token after each prefix.
    """
    return [
        sum(found[text[:place]][token] for place, token in enumerate(text))
        + _log_sum(found[text][end] for end in ends)
        for text in texts
    ]


def parts(tokens: Sequence[int], most: int) -> list[list[int]]:
    """Tokens in lists of at most ``most``."""
    return [list(tokens[start : start + most]) for start in range(0, len(tokens), most)]


def _log_sum(logs: Iterable[float]) -> float:
    values = list(logs)
    top = max(values)
    if math.isinf(top):
        return top
    return top + math.log(sum(math.exp(x - top) for x in values))
