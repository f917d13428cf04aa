"""The section of a fit report on the sensitivity to assumptions."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from many_wolves.errors import WolvesError
from many_wolves.figures.section import Section, Table

POWER = ("prior scaled", "likelihood scaled")
FITTED = "as fitted"
MOST_ENTRIES = 20
"""Variables with more entries, such as literal meanings, are left out of the table."""


def sensitivity_section(folder: str | Path) -> Section | None:
    """The section, if ``wolves sensitivity`` has written its table into the folder of the fit."""
    path = Path(folder) / "sensitivity.csv"
    if not path.exists():
        return None
    try:
        # No word means a missing value: a goal may be called NA.
        text = {"parameter": str, "condition": str, "variant": str}
        found = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=text)
        found["condition"] = found["condition"].fillna("")
        shown = _of_few_entries(found)
        meanings = json.loads(path.with_suffix(".json").read_text())
        return Section(
            "sensitivity",
            "Sensitivity",
            paragraphs=tuple(_paragraphs(found, meanings)),
            tables=(_table(shown),),
        )
    except (KeyError, ValueError, OSError) as error:
        raise WolvesError(
            f"expected the table of `wolves sensitivity`; it cannot be read ({error})",
            where=path,
            fix="run `wolves sensitivity` again, or delete the file",
        ) from error


def _of_few_entries(found: pd.DataFrame) -> pd.DataFrame:
    entries = found.groupby("parameter")["condition"].nunique()
    limit = entries[entries <= MOST_ENTRIES].index
    return found[found["parameter"].isin(limit)]


def _paragraphs(found: pd.DataFrame, meanings: dict[str, str]) -> list[str]:
    words = [
        "This section shows the estimates under other assumptions. "
        + " ".join(f"{name}: {meaning}." for name, meaning in meanings.items()),
        "Power-scaling raises the prior or the likelihood to a power near one; above 0.05, the "
        "posterior is sensitive to it. A flat prior stays flat under any power, so its row is "
        "zero; the alternatives test it instead.",
    ]
    alternatives = found[~found["variant"].isin((*POWER, FITTED))]
    if len(alternatives):
        worst = alternatives.iloc[int(alternatives["shift"].abs().to_numpy().argmax())]
        name = f"{worst['parameter']} {worst['condition']}".strip()
        words.append(
            f"The largest shift is {worst['shift']:+.2f} posterior standard deviations, of {name} "
            f"under “{worst['variant']}”."
        )
    doubtful = found[~found["ok"]]["variant"].unique()
    if len(doubtful):
        words.append(f"Unreliable, because the chains failed: {', '.join(doubtful)}.")
    return words


def _table(shown: pd.DataFrame) -> Table:
    keys = ["parameter", "condition"]
    frame = shown[shown["variant"] == FITTED][[*keys, "mean", "sd"]]
    for variant in POWER:
        part = shown[shown["variant"] == variant][[*keys, "sensitivity"]]
        frame = frame.merge(part.rename(columns={"sensitivity": variant}), on=keys, how="left")
    for variant in dict.fromkeys(shown["variant"]):
        if variant not in (*POWER, FITTED):
            part = shown[shown["variant"] == variant][[*keys, "shift"]]
            frame = frame.merge(part.rename(columns={"shift": variant}), on=keys, how="left")
    return Table(
        frame.rename(columns={"condition": "of"}),
        "Posterior mean and standard deviation as fitted; sensitivity to power-scaling; and, "
        "for each alternative, the shift of the mean in posterior standard deviations.",
    )
