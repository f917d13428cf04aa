"""Names and tables that the pages of all models share."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.figures.fitted import Fitted

MOVES = {
    "walk": "walks away", "back": "takes back", "hold": "repeats", "split": "splits the gap",
    "concede": "concedes", "accept": "accepts",
}  # fmt: skip
OUTCOMES = {"share": "share of a deal", "deal_rate": "deals per game begun",
           "expected_share": "share per game begun"}  # fmt: skip
SCHEDULE = {"opening": "opening", "bottom": "bottom", "exponent": "exponent"}
HEADINGS = {
    **MOVES, **OUTCOMES, **SCHEDULE, "middle_fraction": "fraction of the gap conceded",
    "size_scale": "scale of that fraction (logits)", "demand_spread": "spread of demands",
    "precision": "precision of choice", "contrast": "difference between arms (logits)",
    "w": "weight", "w_group": "weight", "pays_to_close": "share given up to close",
    "hope": "demand beyond the offer that it hopes for", "sharpness": "sharpness of that hope",
    "breakdown": "feared breakdown",
}  # fmt: skip
UNPROMPTED = "no role prompt"
"""Name of what was played without a role prompt, next to groups of prompts."""


def table_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a summary as quantity, condition, mean and interval."""
    named = ["" if str(c) == "nan" else str(c) for c in rows["condition"]]
    # Two names of one estimate: the arms that are compared, and what of them.
    conditions = [name.replace("/", ": ") for name in named]
    return pd.DataFrame(
        {
            "quantity": [HEADINGS.get(p, p) for p in rows["parameter"]],
            "of": [
                c or (UNPROMPTED if _several(rows, p) else "")
                for c, p in zip(conditions, rows["parameter"], strict=True)
            ],
            "mean [95 % HDI]": [
                f"{r.mean:.2f} [{r.hdi_low:.2f}, {r.hdi_high:.2f}]"
                for r in rows[["mean", "hdi_low", "hdi_high"]].itertuples(name="Row", index=False)
            ],
        }
    )


def _several(rows: pd.DataFrame, parameter: str) -> bool:
    """Whether a parameter has estimates of several conditions."""
    return int((rows["parameter"] == parameter).sum()) > 1


def row_name(fit: Fitted, condition: object, fits: int, *, several: bool = False) -> str:
    """A row's name: the speaker, the condition (one of several), or both."""
    name = str(condition) or (UNPROMPTED if several else "")
    if fits == 1:
        return name or fit.label
    return f"{fit.label}: {name}" if name else fit.label


def model_of(fit: Fitted) -> str:
    """Name of the model that was fitted."""
    return str(fit.info["model"])


def numbers(fits: Sequence[Fitted], what: str) -> str:
    """Number of observations of each fit, for a caption."""
    return "; ".join(f"{fit.label}: n = {fit.info['choices']:,.0f} {what}" for fit in fits) + "."
