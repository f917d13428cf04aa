"""Feedback from the project's own vignettes: supervised answers and preference pairs.

The supervised answers are drawn from what 203 people said when they were told to be both
informative and kind (Yoon et al. 2020). Pairs are judged by a rater, a first-order speaker
of the same paper,

    P_S1(u | s)  proportional to  exp(alpha * U(u; s)) * prior(u)

whose utility U is ln P_L0(s | u) for blunt truth, what a literal listener learns, and
E_L0[V | u] for kindness, what pleases it. The rater prefers u to v with probability
P_S1(u | s) / (P_S1(u | s) + P_S1(v | s)) (Bradley & Terry 1952).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from settings import GOAL, RATERS, TAUGHT, Settings

from many_wolves.families.politeness.model.recursion import speaker1
from many_wolves.families.politeness.options import PolitenessDesign
from many_wolves.families.politeness.reading.human import choice_counts
from many_wolves.families.politeness.simulation.human_lexicon import human_lexicon
from many_wolves.families.politeness.task.compiler import trials_of
from many_wolves.files import write_atomic
from many_wolves.records import Trial

VIGNETTES = Path(__file__).parent / "vignettes"

Record = dict[str, Any]
Chances = Mapping[int, Mapping[str, float]]
"""State -> utterance -> probability."""


def scenes(settings: Settings, items: Sequence[str]) -> tuple[Trial, ...]:
    """Choice trials of some items, worded as they are when the model is measured."""
    return trials_of(
        PolitenessDesign(
            tasks=("choice",),
            items=tuple(items),
            goals=(GOAL,),
            orders=8,
            seed=settings.seed,
            sources=VIGNETTES,
        )
    )


def people() -> Chances:
    """Shares of what people said, by state, when told to be both informative and kind."""
    counts = choice_counts()
    part = counts[counts["goal"] == TAUGHT]
    shares = part["count"] / part.groupby("state")["count"].transform("sum")
    table: dict[int, dict[str, float]] = {}
    for state, utterance, share in zip(part["state"], part["utterance"], shares, strict=True):
        table.setdefault(int(state), {})[str(utterance)] = float(share)
    return table


def rater(settings: Settings, name: str) -> Chances:
    """P_S1(u | s) of a rater, with the literal meanings that people judged."""
    lexicon, utterances, states = human_lexicon()
    (table,) = speaker1(lexicon, settings.alpha, settings.cost, RATERS[name])
    return {
        state: dict(zip(utterances, map(float, row), strict=True))
        for state, row in zip(states, table, strict=True)
    }


def supervised(settings: Settings, n: int) -> list[Record]:
    """``n`` answers drawn from those of people: prompt and completion, as messages."""
    rng, chances = Random(f"{settings.seed}/supervised"), people()
    records = []
    for trial in _turns(scenes(settings, settings.train_items), n, rng):
        known = chances[int(trial.cell["state"])]
        (drawn,) = rng.choices(trial.options, weights=[known[o.id] for o in trial.options])
        records.append({"prompt": _prompt(trial), "completion": _said(drawn.text)})
    return records


def preferences(settings: Settings, name: str, n: int) -> list[Record]:
    """``n`` pairs of utterances that a rater has judged: prompt, chosen, rejected, as messages."""
    # the same scenes and the same candidates for every rater: only the judgment differs
    rng, judge = Random(f"{settings.seed}/pairs"), Random(f"{settings.seed}/{name}")
    chances = rater(settings, name)
    records = []
    for trial in _turns(scenes(settings, settings.train_items), n, rng):
        first, second = rng.sample(trial.options, 2)
        known = chances[int(trial.cell["state"])]
        if prefers(known[first.id], known[second.id], judge.random):
            chosen, rejected = first, second
        else:
            chosen, rejected = second, first
        pair = {"chosen": _said(chosen.text), "rejected": _said(rejected.text)}
        records.append({"prompt": _prompt(trial), **pair})
    return records


def prefers(first: float, second: float, draw: Callable[[], float]) -> bool:
    """Whether the first of two utterances is preferred, by the odds of the rater's own choices."""
    return draw() * (first + second) < first


def write(records: Sequence[Record], path: Path) -> None:
    """Records as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, "".join(json.dumps(record) + "\n" for record in records))


def _turns(trials: Sequence[Trial], n: int, rng: Random) -> Iterator[Trial]:
    """``n`` trials; all come once, in an order of chance, before any comes again."""
    left: list[Trial] = []
    for _ in range(n):
        if not left:
            left = rng.sample(list(trials), len(trials))
        yield left.pop()


def _prompt(trial: Trial) -> list[Record]:
    return [{"role": m.role, "content": m.content} for m in trial.messages]


def _said(text: str) -> list[Record]:
    return [{"role": "assistant", "content": text}]
