"""Reads choices from a CSV file or a data frame of other software."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.families.politeness.reading.clustering import design_effects
from many_wolves.families.politeness.reading.foreign_choices import (
    Choices,
    of_speakers,
    read_choices,
    read_literal,
)
from many_wolves.families.politeness.reading.human import literal_counts
from many_wolves.families.politeness.reading.table_checks import check_tables
from many_wolves.families.politeness.task.utterances import UTTERANCES
from many_wolves.files import file_fingerprint
from many_wolves.observations import Observations
from many_wolves.store.foreign_csv import ForeignTable, foreign_of, read_foreign
from many_wolves.tables import read_csv

BESIDE = ("literal", "placed")
"""Further tables: files in the folder of the choices."""
CHECK_SEED = 1
HINT = "make it again with `wolves choices`, which writes placed.csv"


def from_csv(path: Path, task: str) -> Observations:
    """The choices in ``path``, with literal.csv and placed.csv if its folder has them.

    Returns
    -------
    Observations
        The rows keep the columns item and participant. ``meta`` holds ``notes`` (what a
        reader must know), ``clusters``, ``negated`` (utterance -> whether it is a negation,
        where the table has them) and ``total``.

    Raises
    ------
    WolvesError
        If a file is not a table, or has invalid content; with line and column.
    """
    literal, placed = (path.with_name(f"{name}.csv") for name in BESIDE)
    return _table(
        read_foreign(path),
        read_foreign(literal) if literal.exists() else None,
        path.stem,
        {"task": task, "path": str(path), "fingerprint": file_fingerprint(path)},
        {"placed": read_csv(placed, HINT)} if placed.exists() else {},
    )


def from_frame(
    frame: pd.DataFrame, task: str, *, speaker: str = "speaker", **aside: pd.DataFrame
) -> Observations:
    """The choices of a data frame, which gets the column ``speaker`` if it has none.

    Parameters
    ----------
    frame
        With the columns of a CSV file; states may be numbers or text.
    aside
        ``literal`` and ``placed``, as the files of these names.

    Raises
    ------
    WolvesError
        If a further table is unknown, or a table has invalid content.
    """
    unknown = [name for name in aside if name not in BESIDE]
    if unknown:
        raise WolvesError(
            f"expected the further tables {', '.join(BESIDE)}, found {unknown[0]!r}",
            fix="leave it out",
        )
    judged = aside.get("literal")
    literal = None if judged is None else foreign_of(judged, "the data frame of judgments")
    placed = {"placed": aside["placed"]} if "placed" in aside else {}
    return _table(foreign_of(frame), literal, speaker, {"task": task}, placed)


def _table(
    table: ForeignTable,
    literal: ForeignTable | None,
    speaker: str,
    meta: Mapping[str, Any],
    placed: Mapping[str, pd.DataFrame],
) -> Observations:
    judged = None if literal is None else read_literal(literal)
    labels = [] if judged is None else list(judged.frame["utterance"])
    choices = read_choices(table, speaker, {*UTTERANCES, *labels})
    speakers = list(dict.fromkeys(choices.frame["speaker"]))
    aside: dict[str, pd.DataFrame] = {}
    notes = list(choices.notes)
    if judged is not None and literal is not None:
        aside["literal"], told = of_speakers(judged.frame, speakers, literal.where)
        notes += [*judged.notes, *told]
    found = Observations.from_rows(
        "politeness",
        choices.frame,
        {**aside, **placed},
        meta={
            **meta,
            "notes": list(dict.fromkeys(notes)),
            "clusters": list(choices.clusters),
            "negated": _agreed(choices, judged),
            "total": choices.total,
        },
    )
    return checked(found)


def checked(table: Observations) -> Observations:
    """The table with checks of the task, and with the design effects of clusters.

    If a table has no literal judgments, the checks use those of people.
    """
    literal = table.tables.get("literal")
    judged = literal_counts() if literal is None else literal
    summed = judged.groupby(["utterance", "state"])[["yes", "n"]].sum()
    truth = {(str(u), int(s)): yes / n for (u, s), yes, n in summed.itertuples(name=None) if n > 0}
    clusters = table.meta.get("clusters", ())
    checks = check_tables(table.rows, truth, clusters, CHECK_SEED)
    whole = bool((table.rows["count"] % 1 == 0).all())
    effects = design_effects(table.rows, clusters) if whole else {}
    meta = {"clusters": list(clusters), **table.meta, "design_effects": effects}
    return replace(table, checks=tuple(checks), meta=meta)


def _agreed(choices: Choices, judged: Choices | None) -> dict[str, bool]:
    """Utterance -> negated, from both tables."""
    told = dict(choices.negated)
    for name, value in (judged.negated if judged else {}).items():
        if told.setdefault(name, value) != value:
            raise WolvesError(
                f"{name!r} is a negation in one table but not in the other",
                column="negated",
                fix="write the same in both tables",
            )
    return told
