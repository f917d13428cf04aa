"""The utterances of Y20, their order, and which of them are negations."""

from __future__ import annotations

UTTERANCES = (
    "terrible",
    "bad",
    "good",
    "amazing",
    "not terrible",
    "not bad",
    "not good",
    "not amazing",
)


def order(utterance: str) -> tuple[int, str]:
    """Sort key: the order of the paper, then the alphabet."""
    return (UTTERANCES.index(utterance) if utterance in UTTERANCES else 99, utterance)


def is_negation(utterance: str) -> bool:
    """Whether an utterance id is a negation (``not good``)."""
    return utterance.startswith("not ")
