"""Choices that come as a CSV file or a data frame, as other software writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.politeness.foreign_choices import (
    Choices,
    of_speakers,
    read_choices,
    read_literal,
)
from many_wolves.families.politeness.human import UTTERANCES
from many_wolves.files import file_fingerprint
from many_wolves.records import ChoiceTable
from many_wolves.store.foreign_csv import ForeignTable, foreign_of, read_foreign


def from_csv(path: Path, task: str) -> ChoiceTable:
    """The choices in ``path``, with literal.csv and placed.csv where they lie beside it.

    Returns
    -------
    ChoiceTable
        ``counts`` keeps the columns item and participant. ``meta`` holds ``notes`` (what a
        reader must know), ``clusters``, ``negated`` (utterance -> whether it is a negation,
        where the table says so) and ``total``.

    Raises
    ------
    WolvesError
        If a file is no table, or does not hold what it should; with line and column.
    """
    beside = {name: path.with_name(f"{name}.csv") for name in ("literal", "placed")}
    literal = read_foreign(beside["literal"]) if beside["literal"].exists() else None
    meta = {"task": task, "path": str(path), "fingerprint": file_fingerprint(path)}
    found = _table(read_foreign(path), literal, path.stem, meta)
    if not beside["placed"].exists():
        return found
    return replace(found, aside={**found.aside, "placed": _placed(beside["placed"])})


def from_frame(
    counts: pd.DataFrame, literal: pd.DataFrame | None = None, speaker: str = "speaker"
) -> ChoiceTable:
    """The choices of a data frame, and the judgments of another.

    Parameters
    ----------
    counts, literal
        With the columns of the CSV files; states may be numbers or text.
    speaker
        Name of the speaker where there is no such column.

    Raises
    ------
    WolvesError
        As ``from_csv``.
    """
    judged = None if literal is None else foreign_of(literal, "the data frame of judgments")
    return _table(foreign_of(counts), judged, speaker, {"task": "politeness"})


def _table(
    table: ForeignTable, literal: ForeignTable | None, speaker: str, meta: Mapping[str, Any]
) -> ChoiceTable:
    judged = None if literal is None else read_literal(literal)
    labels = [] if judged is None else list(judged.frame["utterance"])
    choices = read_choices(table, speaker, {*UTTERANCES, *labels})
    speakers = list(dict.fromkeys(choices.frame["speaker"]))
    aside: dict[str, pd.DataFrame] = {}
    notes = list(choices.notes)
    if judged is not None and literal is not None:
        aside["literal"], told = of_speakers(judged.frame, speakers, literal.where)
        notes += [*judged.notes, *told]
    return ChoiceTable(
        family="politeness",
        counts=choices.frame,
        aside=aside,
        meta={
            **meta,
            "notes": list(dict.fromkeys(notes)),
            "clusters": list(choices.clusters),
            "negated": _agreed(choices, judged),
            "total": choices.total,
        },
    )


def _agreed(choices: Choices, judged: Choices | None) -> dict[str, bool]:
    """Utterance -> negated, as both tables say it."""
    told = dict(choices.negated)
    for name, value in (judged.negated if judged else {}).items():
        if told.setdefault(name, value) != value:
            raise WolvesError(
                f"{name!r} is a negation in one table and none in the other",
                column="negated",
                mend="write the same in both tables",
            )
    return told


def _placed(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(
            path, keep_default_na=False, dtype={"speaker": str, "goal": str, "utterance": str}
        )
    except (ValueError, UnicodeDecodeError) as error:
        raise WolvesError(
            f"expected a CSV file with a header; {error}",
            where=path,
            mend="make it again with `wolves choices`, which writes placed.csv",
        ) from error
