"""The questions that simulated speakers answer in benchmarks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd


def design(speaker: str, goals: Iterable[str], answers: int) -> Any:
    """A table of so many answers to each state under each goal, what they say of no matter.

    The literal judgments are those of people.
    """
    from many_wolves.families.politeness.reading.human import literal_counts
    from many_wolves.families.politeness.task.utterances import UTTERANCES
    from many_wolves.observations import Observations

    rows = [
        (speaker, goal, state, utterance, answers * (utterance == UTTERANCES[0]))
        for goal in goals
        for state in range(4)
        for utterance in UTTERANCES
    ]
    counts = pd.DataFrame(rows, columns=["speaker", "goal", "state", "utterance", "count"])
    literal = literal_counts().assign(speaker=speaker)
    return Observations.from_rows("politeness", counts, {"literal": literal})
