"""Choices and literal judgments that cannot be fitted are refused before sampling."""

from __future__ import annotations

import numpy as np
import pandas as pd

from many_wolves.errors import WolvesError


def check_choices(counts: pd.DataFrame, where: str) -> pd.DataFrame:
    """Counts with ``condition``, the goal and, where there are several, the framing; and ``row``.

    Raises
    ------
    WolvesError
        If a column is missing, a count is not a number or negative, a state is
        not a whole number, the table is empty, or it holds several speakers.
    """
    _require(counts, ("goal", "state", "utterance", "count"), where)
    _numbers(counts, ("state", "count"), where)
    if "speaker" in counts and counts["speaker"].nunique() > 1:
        names = ", ".join(map(str, dict.fromkeys(counts["speaker"])))
        raise WolvesError(
            f"one fit is of one speaker; the table holds {names}",
            where=where,
            column="speaker",
            mend="--speaker NAME",
        )
    if not counts["count"].sum() > 0:
        raise WolvesError(
            "the table holds no choices",
            where=where,
            column="count",
            mend="collect answers first: `wolves collect`, then `wolves choices`",
        )
    framings = counts["framing"].nunique() if "framing" in counts else 1
    goals = counts["goal"].astype(str)
    condition = goals + "/" + counts["framing"].astype(str) if framings > 1 else goals
    filled = counts.assign(condition=condition, row=range(len(counts)))
    asked = filled.groupby("condition")["count"].transform("sum") > 0
    return filled[asked].reset_index(drop=True)


def check_literal(judged: pd.DataFrame, where: str) -> None:
    """Refuse literal judgments with a missing column, a bad number, or more yes than n."""
    _require(judged, ("utterance", "state", "yes", "n"), where)
    _numbers(judged, ("state", "yes", "n"), where)
    over = judged["yes"] > judged["n"] + 1e-9
    if over.any():
        row = int(np.argmax(over.to_numpy()))
        raise WolvesError(
            f"{judged['yes'].iloc[row]:g} yes-answers among {judged['n'].iloc[row]:g} judgments",
            where=where,
            line=row + 2,
            column="yes",
            mend="yes must not be above n",
        )


def _require(frame: pd.DataFrame, columns: tuple[str, ...], where: str) -> None:
    missing = [c for c in columns if c not in frame]
    if missing:
        raise WolvesError(
            f"expected the columns {', '.join(columns)}; found {', '.join(map(str, frame))}",
            where=where,
            line=1,
            column=missing[0],
            mend=f"add the column {missing[0]}",
        )


def _numbers(frame: pd.DataFrame, columns: tuple[str, ...], where: str) -> None:
    for column in columns:
        numbers = pd.to_numeric(frame[column], errors="coerce")
        whole = column == "state"
        bad = ~np.isfinite(numbers) | (numbers < 0) | (whole & (numbers % 1 != 0))
        if bad.any():
            row = int(np.argmax(bad.to_numpy()))
            kind = "a whole number" if whole else "a number"
            raise WolvesError(
                f"expected {kind}, zero or more; found {frame[column].iloc[row]!r}",
                where=where,
                line=row + 2,
                column=column,
                mend="correct the entry, or leave the row out and say so in excluded.csv",
            )
