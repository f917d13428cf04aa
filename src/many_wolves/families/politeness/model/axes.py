"""Turns tables of choices and literal judgments into labelled arrays."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.reading import human
from many_wolves.families.politeness.references import CITATION
from many_wolves.families.politeness.task.utterances import order
from many_wolves.observations import Observations


@dataclass(frozen=True)
class Layout:
    """Labels of the axes of one fit."""

    utterances: tuple[str, ...]
    states: tuple[int, ...]
    conditions: tuple[str, ...]

    @property
    def cells(self) -> list[str]:
        """``utterance/state``, the states within each utterance."""
        return [f"{u}/{s}" for u in self.utterances for s in self.states]


def literal_table(table: Observations) -> tuple[pd.DataFrame, list[str]]:
    """The literal judgments to use, and a note if they are not the speaker's own."""
    own = table.aside.get("literal")
    if own is not None and len(own) and not ("n" in own and (own["n"] == 0).all()):
        return own, []
    return human.literal_counts(), [
        "The speaker gave no literal judgments. People's judgments are used instead (49 people, "
        f"{CITATION})."
    ]


def layout_of(choices: pd.DataFrame, judged: pd.DataFrame, where: str) -> Layout:
    """Axes of choices and judgments; WolvesError where these do not fit each other."""
    utterances = tuple(sorted(set(choices["utterance"]), key=order))
    states = tuple(sorted({int(s) for s in choices["state"]} | {int(s) for s in judged["state"]}))
    missing = set(utterances) - set(judged["utterance"])
    if missing:
        first = int(choices["utterance"].isin(list(missing)).to_numpy().argmax())
        raise WolvesError(
            f"unknown utterance: no literal judgments for {', '.join(sorted(missing))}",
            where=where,
            line=int(choices["row"].iloc[first]) + 2,
            column="utterance",
            fix="correct its spelling; or collect the literal task for them "
            "(`wolves compile --task literal`), or give their judgments in literal.csv "
            "(utterance,state,yes,n) next to the counts",
        )
    if len(utterances) < 2:
        raise WolvesError(
            "a choice needs two utterances or more; found one",
            where=where,
            column="utterance",
            fix="keep the rows of utterances that were offered and never chosen, with count 0",
        )
    if len(states) < 2:
        raise WolvesError(
            "with one state only, the weight of being informative is not identified",
            where=where,
            column="state",
            fix="collect choices in two states or more",
        )
    unjudged = {s for s in states if s not in {int(v) for v in judged["state"]}}
    if unjudged:
        raise WolvesError(
            f"no literal judgments for state {', '.join(map(str, sorted(unjudged)))}",
            where=where,
            column="state",
            fix="give literal judgments on the same scale as the choices, in literal.csv "
            "(utterance,state,yes,n) next to the counts",
        )
    return Layout(utterances, states, tuple(dict.fromkeys(choices["condition"])))


def cube(choices: pd.DataFrame, layout: Layout) -> Array:
    """(C, U, S) counts; zero where a row is missing."""
    index = pd.MultiIndex.from_product(
        [layout.conditions, layout.utterances, layout.states],
        names=["condition", "utterance", "state"],
    )
    summed = choices.groupby(["condition", "utterance", "state"])["count"].sum()
    shape = tuple(map(len, (layout.conditions, layout.utterances, layout.states)))
    found: Array = summed.reindex(index, fill_value=0.0).to_numpy(dtype=float).reshape(shape)
    return found


def square(judged: pd.DataFrame, layout: Layout, column: str) -> Array:
    """(U, S) yes-counts, no-counts or judgments of the literal task."""
    frame = judged.assign(no=judged["n"] - judged["yes"], state=judged["state"].astype(int))
    index = pd.MultiIndex.from_product([layout.utterances, layout.states])
    summed = frame.groupby(["utterance", "state"])[column].sum()
    found: Array = summed.reindex(index, fill_value=0.0).to_numpy(dtype=float)
    return found.reshape(len(layout.utterances), len(layout.states))
