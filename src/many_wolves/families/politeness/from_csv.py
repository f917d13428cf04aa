"""Choices that come as a CSV file, as other software writes them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.files import file_fingerprint
from many_wolves.records import ChoiceTable


def from_csv(path: Path, task: str) -> ChoiceTable:
    """The choices in ``path``, with literal.csv and placed.csv where they lie beside it.

    Raises
    ------
    WolvesError
        If a file is no CSV file.
    """
    counts = _read_csv(path)
    if "speaker" not in counts:
        counts.insert(0, "speaker", path.stem)
    beside = {name: path.with_name(f"{name}.csv") for name in ("literal", "placed")}
    aside = {name: _read_csv(file) for name, file in beside.items() if file.exists()}
    return ChoiceTable(
        family="politeness",
        counts=counts,
        aside=aside,
        meta={"task": task, "path": str(path), "fingerprint": file_fingerprint(path)},
    )


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise WolvesError(
            f"expected a CSV file with a header; {error}",
            where=path,
            mend="save it as comma-separated UTF-8 text with the columns "
            "goal,state,utterance,count",
        ) from error
