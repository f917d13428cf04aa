"""Kinds of politeness questions, and the initial questions of an adaptive design."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from many_wolves.cognitive import AnswerKind
from many_wolves.contracts import Observations, Problem
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.model.clusters import choices_by_cluster
from many_wolves.families.politeness.model.item_effects import stan_data
from many_wolves.families.politeness.model.problem import build
from many_wolves.families.politeness.options import PoliteOptions
from many_wolves.records import Question

FACTORS = ("item", "goal", "framing", "state")
TWICE, ONCE = 2, 1
"""Answers to the first two prompts of one cell, which identify the correlation."""


def kinds(problem: Problem) -> dict[str, AnswerKind]:
    """Each condition and state of the choices; each utterance and state that is judged."""
    coords, data = problem.coords, problem.data
    predicted = "predicted" if data["J"] or data["O"] else "s2"
    correlation = "icc" if data["J"] else ""
    found = {
        _choice(str(condition), int(state)): AnswerKind(predicted, (c, s), correlation=correlation)
        for c, condition in enumerate(coords["condition"])
        for s, state in enumerate(coords["state"])
    }
    if data["theta_free"]:
        found |= {
            _judgment(str(utterance), int(state)): AnswerKind("theta", (u, s), binary=True)
            for u, utterance in enumerate(coords["utterance"])
            for s, state in enumerate(coords["state"])
        }
    return found


def kinds_of(problem: Problem, questions: Sequence[Question]) -> list[str]:
    """Names of the kinds of questions; empty for questions of no kind."""
    conditions = list(map(str, problem.coords["condition"]))
    framed = any("/" in condition for condition in conditions)
    framings = list(dict.fromkeys(str(q.cell["framing"]) for q in questions if _chosen(q)))
    if len(framings) > 1 and not framed:
        raise WolvesError(
            f"the answers have one framing, and the trials have {', '.join(framings)}",
            fix=f"compile the trials with --framings {framings[0]}",
        )
    known = kinds(problem)
    named = [_name(question, framed=framed) for question in questions]
    return [name if name in known else "" for name in named]


def before(questions: Sequence[Question], **options: Any) -> Problem:
    """The problem of these questions without any answer, whose posterior is the prior.

    Literal meanings come from people's judgments, unless the questions include judgments that the
    model uses.
    """
    chosen = _allowed(options)
    asked = [question for question in questions if _chosen(question)]
    if not asked:
        raise WolvesError(
            "the trials contain no choices, only judgments", fix="wolves compile --task politeness"
        )
    rows = [
        ("nobody", *(q.cell[name] for name in FACTORS), option.id, TWICE if n == 0 else 0)
        for q in asked
        for n, option in enumerate(q.options)
    ]
    columns = ["speaker", *FACTORS, "utterance", "count"]
    counts = pd.DataFrame(rows, columns=columns).groupby(columns[:-1], sort=False)
    aside = {}
    if judged := _judged(questions, chosen):
        cells = dict.fromkeys((q.cell["utterance"], q.cell["state"]) for q in judged)
        frame = pd.DataFrame(list(cells), columns=["utterance", "state"])
        aside["literal"] = frame.assign(speaker="nobody", yes=1, n=TWICE)
    table = Observations.from_rows("politeness", counts["count"].sum().reset_index(), aside)
    problem = build(table, **options)
    data = dict(problem.data)
    given = np.zeros_like(np.asarray(data["given"], dtype=np.int64))
    nothing = {"counts": np.zeros_like(data["counts"]), "total": np.zeros_like(data["total"])}
    if judged:
        none = np.zeros_like(np.asarray(data["literal_yes"]))
        nothing |= {"literal_yes": none, "literal_no": none}
    along = data["direction"] if data["E"] else None
    return replace(problem, data=data | nothing | stan_data(given, along), refused=None)


def start(questions: Sequence[Question], **options: Any) -> list[int]:
    """One item for each goal and state; of the first of them two, one of them twice.

    Each judgment is asked once. A longer start would leave fewer calls to choose.
    """
    judged = {id(question) for question in _judged(questions, _allowed(options))}
    names = [_name(question, framed=True) for question in questions]
    prompts = Counter(name for name, q in zip(names, questions, strict=True) if _chosen(q))
    repeated = next((name for name, number in prompts.items() if number > 1), "")
    seen: Counter[str] = Counter()
    found = []
    for question, name in zip(questions, names, strict=True):
        if not _chosen(question) and id(question) not in judged:
            found.append(0)
            continue
        wanted = (TWICE, ONCE) if name == repeated else (ONCE,)
        found.append(wanted[seen[name]] if seen[name] < len(wanted) else 0)
        seen[name] += 1
    return found


def answered(observations: Observations, questions: Sequence[Question]) -> list[int]:
    """Answers to each scene, where the table has items; judgments do not record theirs."""
    rows = choices_by_cluster(observations, observations.rows)
    if rows is None or "item" not in rows:
        return [0] * len(questions)
    columns = [c for c in FACTORS if c in rows]
    counted = rows.assign(state=rows["state"].astype(int)).groupby(columns)["count"].sum()
    known = {
        tuple(map(str, key if isinstance(key, tuple) else (key,))): int(n)
        for key, n in counted.items()
    }
    cells = [tuple(str(q.cell.get(c, "")) for c in columns) for q in questions]
    return [
        known.get(cell, 0) if _chosen(q) else 0 for q, cell in zip(questions, cells, strict=True)
    ]


def _allowed(options: dict[str, Any]) -> PoliteOptions:
    chosen = PoliteOptions.read(options)
    if chosen.literal == "cut":
        raise WolvesError(
            "no design can be computed with cut literal meanings, because choices do not inform "
            "them",
            fix="--literal joint, or --literal fixed",
        )
    return chosen


def _judged(questions: Sequence[Question], chosen: PoliteOptions) -> list[Question]:
    """The judgments among the questions, if the model learns from them."""
    joint = chosen.literal == "joint"
    return [q for q in questions if joint and not _chosen(q)]


def _chosen(question: Question) -> bool:
    return question.task == "choice"


def _name(question: Question, *, framed: bool) -> str:
    cell = question.cell
    if not _chosen(question):
        return _judgment(str(cell["utterance"]), int(cell["state"]))
    condition = f"{cell['goal']}/{cell['framing']}" if framed else str(cell["goal"])
    return _choice(condition, int(cell["state"]))


def _choice(condition: str, state: int) -> str:
    return f"choice, {condition}, state {state}"


def _judgment(utterance: str, state: int) -> str:
    return f"judgment of {utterance!r}, state {state}"
