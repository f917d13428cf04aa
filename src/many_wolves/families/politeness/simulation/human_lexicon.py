"""The literal meanings of people, read without pandas, which takes a second to load."""

from __future__ import annotations

import csv

import numpy as np

from many_wolves.families.politeness.model.recursion import Lexicon
from many_wolves.families.politeness.task.utterances import is_negation, order
from many_wolves.files import shipped


def human_lexicon() -> tuple[Lexicon, tuple[str, ...], tuple[int, ...]]:
    """Lexicon at the literal means of people, with its utterances and states.

    The means are (yes + 1) / (n + 2), those under a uniform prior.
    """
    with shipped("task-data/human/yoon2020_literal_counts.csv").open(newline="") as file:
        means = {
            (row["utterance"], int(row["state"])): (int(row["yes"]) + 1) / (int(row["n"]) + 2)
            for row in csv.DictReader(file)
        }
    utterances = tuple(sorted({utterance for utterance, _ in means}, key=order))
    states = tuple(sorted({state for _, state in means}))
    theta = np.array([[means[utterance, state] for state in states] for utterance in utterances])
    negated = np.array([is_negation(utterance) for utterance in utterances])
    return Lexicon(theta, negated, np.array(states, dtype=float)), utterances, states
