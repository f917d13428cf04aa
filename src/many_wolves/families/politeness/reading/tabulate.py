"""Turns responses into the choice table of the politeness family, with its checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.politeness.reading.answers import FACTORS, FAMILY, Answer, take
from many_wolves.families.politeness.reading.checks import check_speaker
from many_wolves.families.politeness.reading.clustering import CLUSTERED, design_effects
from many_wolves.families.politeness.task.utterances import order
from many_wolves.files import code_version
from many_wolves.observations import Observations
from many_wolves.reading import Intake
from many_wolves.records import SCHEMA, Response
from many_wolves.sources import quoted

GOALS = ("informative", "social", "both", "none")
"""Order of the known goals in a table; others follow by the alphabet."""

_EXCLUDED = ["speaker", "task", "goal", "framing", "utterance", "state", "status", "n", "example"]


def tabulate(
    responses: Iterable[Response],
    *,
    scoring: str = "sum",
    seed: int = 1,
) -> Observations:
    """Count choices and judgments.

    A response in sample mode counts one for the option that is read from its text.
    One in score mode counts for every option by its probability.

    Parameters
    ----------
    responses
        Responses of any speakers and both tasks, in the order of arrival.
    scoring
        ``sum``, ``mean`` or ``pmi``: how options are scored in score mode.
    seed
        Seed of the permutations in the checks.

    Returns
    -------
    Observations
        Table ``counts`` (speaker, goal, framing, state, utterance, count) has a row
        for every utterance of every cell that a speaker was asked, zeros
        included. Table ``literal`` (speaker, utterance, state, yes, n) has the judgments.
        Table ``placed`` has the choices by the order in which the options were shown, in
        ``order`` and ``place``. Table ``clustered`` has the choices by ``item``, where answers
        were sampled.

    Raises
    ------
    WolvesError
        If the scoring is unknown or cannot be computed, or scales are mixed.
    """
    answers, intake = take(responses, scoring=scoring)
    scale = _scale(answers)
    speakers = list(dict.fromkeys(answer.speaker for answer in answers))
    checks = [
        check
        for speaker in speakers
        for check in check_speaker(speaker, [a for a in answers if a.speaker == speaker], seed)
    ]
    choices = [a for a in answers if a.task == "choice"]
    by_item = _by_item(choices)
    return Observations(
        family=FAMILY,
        tables={
            "counts": _counts(choices),
            "literal": _literal([a for a in answers if a.task == "literal"]),
            "placed": _by_order(choices),
            **({CLUSTERED: by_item} if by_item is not None else {}),
        },
        excluded=_excluded(answers),
        checks=tuple(checks),
        meta=_meta(answers, intake, {"scoring": scoring, "scale": scale, "seed": seed})
        | _alike(choices, by_item),
    )


def _alike(answers: Sequence[Answer], by_item: pd.DataFrame | None) -> dict[str, Any]:
    """The clusters of the table, and the design effect of items; see ``clustering``.

    Probabilities of options vary by item without any sampling, which the measure does not fit.
    """
    if by_item is not None:
        return {"clusters": ["item"], "design_effects": design_effects(by_item, ["item"])}
    known = any(a.weights is not None and "item" in a.cell for a in answers)
    return {"clusters": ["item"]} if known else {}


def _by_item(answers: Sequence[Answer]) -> pd.DataFrame | None:
    """Choices by item; None where no item is known, or answers are probabilities of options."""
    read = [a for a in answers if a.weights is not None and "item" in a.cell]
    if not read or any(float(a.weights.max()) < 1 for a in read if a.weights is not None):
        return None
    rows = [
        (a.speaker, a.cell["item"], *(a.cell[f] for f in FACTORS["choice"]), option, share)
        for a in read
        if a.weights is not None
        for option, share in zip(a.options, a.weights, strict=True)
        if share
    ]
    columns = ["speaker", "item", *FACTORS["choice"], "utterance", "count"]
    keys = columns[:-1]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.groupby(keys, sort=False)["count"].sum().reset_index()


def _scale(answers: Sequence[Answer]) -> str:
    """The common scale of the answers; a state has another meaning on another scale."""
    found = sorted({str(a.cell.get("scale", "")) for a in answers})
    if len(found) > 1:
        raise WolvesError(
            f"expected answers on one scale, found {quoted(found)}",
            fix=f"choose one, for example --only scale={found[0]}",
        )
    return "".join(found)


def _counts(answers: Sequence[Answer]) -> pd.DataFrame:
    """Sum of the weights in every cell that was asked."""
    sums: dict[tuple[Any, ...], float] = {}
    for answer in answers:
        cell = tuple(answer.cell[factor] for factor in FACTORS["choice"])
        shares = [0.0] * len(answer.options) if answer.weights is None else answer.weights
        for option, share in zip(answer.options, shares, strict=True):
            key = (answer.speaker, *cell, option)
            sums[key] = sums.get(key, 0.0) + float(share)
    columns = ["speaker", *FACTORS["choice"], "utterance"]
    rows = [(*key, count) for key, count in sorted(sums.items(), key=_place(answers, columns))]
    return pd.DataFrame(rows, columns=[*columns, "count"])


def _by_order(answers: Sequence[Answer]) -> pd.DataFrame:
    """Sum of the weights in every cell and order of the options; orders are numbered from 1."""
    orders = {shown: n + 1 for n, shown in enumerate(sorted({a.options for a in answers}))}
    sums: dict[tuple[Any, ...], float] = {}
    for answer in answers:
        if answer.weights is None:
            continue
        cell = tuple(answer.cell[factor] for factor in FACTORS["choice"])
        for place, (option, share) in enumerate(zip(answer.options, answer.weights, strict=True)):
            key = (answer.speaker, *cell, option, orders[answer.options], place + 1)
            sums[key] = sums.get(key, 0.0) + float(share)
    columns = ["speaker", *FACTORS["choice"], "utterance", "order", "place"]
    ranked = sorted(sums.items(), key=_place(answers, columns))
    frame = pd.DataFrame([(*key, count) for key, count in ranked], columns=[*columns, "count"])
    return frame[["speaker", *FACTORS["choice"], "order", "utterance", "place", "count"]]


def _literal(answers: Sequence[Answer]) -> pd.DataFrame:
    """Sum of the weights of yes, and number of judgments that could be read."""
    sums: dict[tuple[Any, ...], list[float]] = {}
    for answer in answers:
        key = (answer.speaker, *(answer.cell[factor] for factor in FACTORS["literal"]))
        total = sums.setdefault(key, [0.0, 0.0])
        if answer.weights is not None:
            total[0] += float(answer.weights[answer.options.index("yes")])
            total[1] += 1.0
    columns = ["speaker", *FACTORS["literal"]]
    rows = [(*key, *total) for key, total in sorted(sums.items(), key=_place(answers, columns))]
    return pd.DataFrame(rows, columns=[*columns, "yes", "n"])


def _place(answers: Sequence[Answer], columns: Sequence[str]) -> Any:
    """Sort key for rows of ``columns``: speakers in order of arrival, then the factors' order."""
    speakers = {s: i for i, s in enumerate(dict.fromkeys(a.speaker for a in answers))}

    def rank(column: str, value: Any) -> tuple[float, str]:
        if column == "speaker":
            return speakers[value], ""
        if column == "goal":
            return (GOALS.index(value) if value in GOALS else len(GOALS)), value
        if column == "utterance":
            return order(value)
        numeric = column in ("state", "order", "place")
        return (float(value), "") if numeric else (0.0, str(value))

    return lambda item: tuple(
        rank(column, value) for column, value in zip(columns, item[0], strict=True)
    )


def _excluded(answers: Sequence[Answer]) -> pd.DataFrame:
    """Excluded answers, counted by cell and reason, with the first example of each."""
    groups: dict[tuple[Hashable, ...], list[str]] = {}
    for answer in answers:
        if answer.weights is None:
            cell = [answer.cell.get(column, "") for column in _EXCLUDED[2:6]]
            key = (answer.speaker, answer.task, *cell, answer.status)
            groups.setdefault(key, []).append(answer.example)
    rows = [
        (*key, len(examples), next((text for text in examples if text), ""))
        for key, examples in groups.items()
    ]
    return pd.DataFrame(rows, columns=_EXCLUDED)


def _meta(answers: Sequence[Answer], intake: Intake, settings: dict[str, Any]) -> dict[str, Any]:
    status: dict[str, dict[str, int]] = {}
    for (speaker, name), n in Counter((a.speaker, a.status) for a in answers).items():
        status.setdefault(speaker, {})[name] = n
    return {
        "schema": SCHEMA,
        "code_version": code_version(),
        **settings,
        "responses": intake.responses,
        "answers": len(answers),
        "repeated": intake.repeated,
        "foreign": intake.foreign,
        "status": status,
        "speakers": intake.speakers,
    }
