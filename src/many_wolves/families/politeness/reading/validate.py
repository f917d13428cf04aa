"""Rejects choices and literal judgments that cannot be fitted, before sampling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from many_wolves.contracts import Array
from many_wolves.errors import WolvesError
from many_wolves.tables import no_name, refuse_first

ONE_ANSWER = 0.995
"""Share of one utterance above which a speaker counts as always saying the same."""
MOST_CHOICES = 10
"""Choices per literal judgment, above which the judgments no longer determine the meanings."""
FEW = 40.0
"""Choices up to which saying the same may be chance, and is harmless to the sampler."""


def check_choices(counts: pd.DataFrame, where: str, *, framed: bool | None = None) -> pd.DataFrame:
    """Counts with ``condition``, the goal and, where there are several, the framing; and ``row``.

    ``framed`` states whether conditions include the framing; None lets the counts decide.

    Raises
    ------
    WolvesError
        If a column is missing, the table is empty, or it contains several speakers. Also if a
        count is not a number or negative, or a state is not a whole number.
    """
    require_columns(counts, ("goal", "state", "utterance", "count"), where)
    require_numbers(counts, ("state", "count"), where)
    for column in ("goal", "framing", "utterance"):
        if column in counts:
            refuse_first(
                no_name(counts[column]),
                counts[column],
                f"the name of a {column}",
                where=where,
                fix="write it: otherwise the fit would silently ignore rows without a name",
            )
    if "speaker" in counts and counts["speaker"].nunique() > 1:
        names = ", ".join(map(str, dict.fromkeys(counts["speaker"])))
        raise WolvesError(
            f"a fit needs one speaker; the table contains {names}",
            where=where,
            column="speaker",
            fix="--speaker NAME",
        )
    if not counts["count"].sum() > 0:
        raise WolvesError(
            "the table contains no choices",
            where=where,
            column="count",
            fix="collect answers first: `wolves collect`, then `wolves choices`",
        )
    several = counts["framing"].nunique() > 1 if "framing" in counts else False
    goals = counts["goal"].astype(str)
    condition = (
        goals + "/" + counts["framing"].astype(str)
        if framed or (framed is None and several)
        else goals
    )
    filled = counts.assign(condition=condition, row=range(len(counts)))
    asked = filled.groupby("condition")["count"].transform("sum") > 0
    return filled[asked].reset_index(drop=True)


def check_literal(judged: pd.DataFrame, where: str) -> None:
    """Reject literal judgments with a missing column, an invalid number, or more yes than n."""
    require_columns(judged, ("utterance", "state", "yes", "n"), where)
    require_numbers(judged, ("state", "yes", "n"), where)
    over = judged["yes"] > judged["n"] + 1e-9
    if over.any():
        row = int(np.argmax(over.to_numpy()))
        raise WolvesError(
            f"{judged['yes'].iloc[row]:g} yes-answers among {judged['n'].iloc[row]:g} judgments",
            where=where,
            line=row + 2,
            column="yes",
            fix="correct the row: yes cannot be larger than n",
        )


def require_columns(frame: pd.DataFrame, columns: tuple[str, ...], where: str) -> None:
    """Reject a table that lacks a column."""
    missing = [c for c in columns if c not in frame]
    if missing:
        raise WolvesError(
            f"expected the columns {', '.join(columns)}; found {', '.join(map(str, frame))}",
            where=where,
            line=1,
            column=missing[0],
            fix=f"add the column {missing[0]}",
        )


def require_numbers(
    frame: pd.DataFrame,
    columns: tuple[str, ...],
    where: str,
    whole: tuple[str, ...] = ("state",),
) -> None:
    """Reject entries that are not numbers, negative or, in the columns ``whole``, fractional."""
    for column in columns:
        numbers = pd.to_numeric(frame[column], errors="coerce")
        bad = ~np.isfinite(numbers) | (numbers < 0)
        if column in whole:
            bad |= numbers % 1 != 0
        if bad.any():
            row = int(np.argmax(bad.to_numpy()))
            kind = "a whole number" if column in whole else "a number"
            raise WolvesError(
                f"expected {kind}, zero or more; found {str(frame[column].iloc[row])!r}",
                where=where,
                line=row + 2,
                column=column,
                fix="correct the entry, or leave the row out and list it in excluded.csv",
            )


def one_answer(counts: Array, utterances: Sequence[str], where: str) -> WolvesError | None:
    """Why choices (C, U, S) that are one utterance throughout are fitted with theta fixed only.

    None if there are few, or they vary. Otherwise meanings would follow the choices without
    limit, and neither carries information about the weights.
    """
    by_utterance = counts.sum(axis=(0, 2))
    total, most = by_utterance.sum(), int(np.argmax(by_utterance))
    if total <= FEW or by_utterance[most] <= ONE_ANSWER * total:
        return None
    return WolvesError(
        f"the speaker answered {utterances[most]!r} to every question. Unless the "
        "literal meanings are fixed, they would follow these choices, which carry no "
        "information about the weights",
        where=where,
        column="utterance",
        fix="--literal fixed; checks.json shows whether the speaker did the task",
    )


def overwhelmed(choices: float, judgments: float, where: str) -> WolvesError | None:
    """Why many choices with few literal judgments are fitted with theta fixed only.

    None if there are enough judgments. Otherwise free meanings adapt to the choices, in as many
    ways as there are modes, and no search is sure to find the best one. With meanings drawn from
    the judgments alone, the weights have a narrow posterior for each draw. Chains cannot move from
    one to the next.
    """
    if choices <= MOST_CHOICES * judgments:
        return None
    return WolvesError(
        f"{choices:,.0f} choices come with {judgments:,.0f} literal judgments, more than "
        f"{MOST_CHOICES} to one. With so many choices, the literal meanings need more judgments",
        where=where,
        column="count",
        fix="--literal fixed; or collect more judgments (`wolves compile --task literal`)",
    )
