"""Shared parts of the market models: rows of a table, participants, weights of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from many_wolves.contracts import Outcome, Problem, Variable
from many_wolves.errors import WolvesError
from many_wolves.families.markets.model import PROGRAMS
from many_wolves.files import shipped
from many_wolves.observations import Observations
from many_wolves.options import ModelOptions

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

POINTS = 10_000.0
"""Utilities are in units of so many points."""
FEW_PARTICIPANTS = 3
"""Minimum number of participants to estimate their variation."""
PRACTICE = 0
"""Number of the practice round; it is not paid."""


def rows_of(
    observations: Observations,
    table: str,
    columns: Sequence[str],
    *,
    missing: str,
    practice: bool = False,
) -> pd.DataFrame:
    """Rows of a table, with their place in it (``row``) and who answered (``who``).

    Parameters
    ----------
    observations
        Of one speaker.
    table, columns
        Name of the table, and the columns that it must have.
    missing
        What to do where there is no such table, or nothing in it.
    practice
        Whether rows of the practice round are kept.

    Raises
    ------
    WolvesError
        If a column is missing, or no row is left.
    """
    frame = observations.tables.get(table, pd.DataFrame())
    lacking = [name for name in columns if name not in frame]
    if len(frame) and lacking:
        raise WolvesError(
            f"the table {table} lacks the columns {', '.join(lacking)}",
            where=observations.where,
            fix="docs/explanation/markets.md lists the columns of each table",
        )
    rows = frame if not len(frame) or practice else frame[frame["round"] != PRACTICE]
    if not len(rows):
        only = " but those of the practice round" if len(frame) else ""
        raise WolvesError(
            f"expected {table} to fit, found none{only}", where=observations.where, fix=missing
        )
    who = rows["session"].astype(str) + "/" + rows["participant"].astype(str)
    at = np.flatnonzero(np.isin(np.asarray(frame.index), np.asarray(rows.index)))
    return rows.assign(row=at, who=who)


def given_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that hold an answer: a default that the engine put in its place is nobody's."""
    return rows[rows["given"].astype(bool)]


def numbered(who: pd.Series) -> tuple[tuple[str, ...], Ints]:
    """Participants in order of appearance, and the number of each row's, from 0."""
    names = tuple(dict.fromkeys(who))
    place = {name: n for n, name in enumerate(names)}
    return names, np.array([place[name] for name in who], np.int64)


def varied(participants: Sequence[Any]) -> bool:
    """Whether there are enough participants to learn how they vary."""
    return len(participants) >= FEW_PARTICIPANTS


def left_out(labels: Sequence[str], part: Mapping[str, Any]) -> Array:
    """Weights that leave out the answer that ``part`` names."""
    return np.array([0.0 if label == part["answer"] else 1.0 for label in labels])


def problem_of(
    model: str,
    program: str,
    observations: Observations,
    options: ModelOptions,
    *,
    data: Mapping[str, Any],
    coords: Mapping[str, Sequence[Any]],
    names: Sequence[str],
    variables: Sequence[Variable],
    observed: Mapping[str, tuple[tuple[str, ...], Array]],
    outcome: Outcome,
    **more: Any,
) -> Problem:
    """A problem whose scalar parameters have the names of the program's variables.

    The fit keeps the speaker's sessions as well, for its report.
    """
    from many_wolves.families.markets.model.sessions import kept_sessions

    kept, sessions = kept_sessions(observations)
    return Problem(
        model=model,
        family="markets",
        speaker=str(observations.rows["speaker"].iloc[0]) if len(observations.rows) else "",
        program=shipped(f"{PROGRAMS}/{program}.stan"),
        data=data,
        coords={**kept, **coords},
        variables=(*(Variable("posterior", name, name) for name in names), *variables),
        observed={**observed, **sessions},
        outcome=outcome,
        options=options.model_dump(),
        **more,
    )


def design_notes(observations: Observations, rows: pd.DataFrame) -> list[str]:
    """Notes of every model on the rounds: whether there was practice, and how many count."""
    payoffs = observations.rows
    said = []
    if "round" in payoffs and not (payoffs["round"] == PRACTICE).any():
        said.append(
            "This design has no practice round: learning to use the forms in the first paid "
            "round counts as behaviour."
        )
    if rows["round"].nunique() == 1:
        said.append("All answers are of one round, so a change over rounds cannot be estimated.")
    return said
