"""Names and tables that the pages of all models share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.theme import Width

MOVES = {
    "walk": "walks away", "back": "takes back", "hold": "repeats", "split": "splits the gap",
    "concede": "concedes", "accept": "accepts",
}  # fmt: skip
STOREYS = {"share": "share of a deal", "deal_rate": "deals per game begun",
           "expected_share": "share per game begun"}  # fmt: skip
SCHEDULE = {"opening": "opening", "bottom": "bottom", "exponent": "exponent"}
HEADINGS = {**MOVES, **STOREYS, **SCHEDULE, "middle_fraction": "fraction of the gap conceded"}


def table_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a summary as quantity, condition, mean and interval."""
    return pd.DataFrame(
        {
            "quantity": [HEADINGS.get(p, p) for p in rows["parameter"]],
            "of": rows["condition"],
            "mean [95 % HDI]": [
                f"{r.mean:.2f} [{r.hdi_low:.2f}, {r.hdi_high:.2f}]"
                for r in rows[["mean", "hdi_low", "hdi_high"]].itertuples(name="Row", index=False)
            ],
        }
    )


def row_name(fit: Fitted, condition: object, fits: int) -> str:
    """A row's name: the speaker, the condition, or both."""
    name = str(condition)
    if fits == 1:
        return name or fit.label
    return f"{fit.label}: {name}" if name else fit.label


def both_widths(draw: Callable[[Width], Figure]) -> Figure:
    """A figure in two columns, and its narrow version."""
    return replace(draw("two"), narrow=draw("one"))


def model_of(fit: Fitted) -> str:
    """Name of the model that was fitted."""
    return str(fit.info["model"])


def numbers(fits: Sequence[Fitted], what: str) -> str:
    """Number of observations of each fit, for a caption."""
    return "; ".join(f"{fit.label}: n = {fit.info['choices']:,.0f} {what}" for fit in fits) + "."
