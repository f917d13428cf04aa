"""Choices that come as a CSV file, as other software writes them, or as a data frame."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.files import file_fingerprint
from many_wolves.observations import Observations
from many_wolves.tables import read_csv

BESIDE = ("literal", "placed")
"""Further tables: files beside the choices."""
HINT = "save it as comma-separated UTF-8 text with the columns goal,state,utterance,count"


def from_csv(path: Path, task: str) -> Observations:
    """The choices in ``path``, with literal.csv and placed.csv where they lie beside it.

    Raises
    ------
    WolvesError
        If a file is no CSV file.
    """
    beside = {name: path.with_name(f"{name}.csv") for name in BESIDE}
    aside = {name: read_csv(file, HINT) for name, file in beside.items() if file.exists()}
    found = from_frame(read_csv(path, HINT), task, speaker=path.stem, **aside)
    meta = {**found.meta, "path": str(path), "fingerprint": file_fingerprint(path)}
    return Observations.from_rows(found.family, found.rows, found.aside, meta=meta)


def from_frame(
    frame: pd.DataFrame, task: str, *, speaker: str = "speaker", **aside: pd.DataFrame
) -> Observations:
    """The choices in ``frame``; it gets the column ``speaker`` where it has none.

    Raises
    ------
    WolvesError
        If a further table is not known.
    """
    unknown = [name for name in aside if name not in BESIDE]
    if unknown:
        raise WolvesError(
            f"expected the further tables {', '.join(BESIDE)}, found {unknown[0]!r}",
            mend="leave it out",
        )
    rows = frame.copy()
    if "speaker" not in rows:
        rows.insert(0, "speaker", speaker)
    return Observations.from_rows("politeness", rows, aside, meta={"task": task})
