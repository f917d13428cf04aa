"""Looks for a variant of the model that describes a speaker better than a poor fit does."""

from __future__ import annotations

import re
import shlex

import pandas as pd

from many_wolves import families
from many_wolves.contracts import SimulatedModel
from many_wolves.figures import Fitted

COMPARED = "comparison.csv"
"""The file that ``wolves compare`` writes; in the folder of a fit, it is about that fit."""
_ONLY_OF_FITS = ("--variant", "--out")


def better_variant(fit: Fitted) -> tuple[str, ...]:
    """A sentence on the variant that predicts best, or on the command that finds it; may be empty.

    A comparison is read from the folder of the fit, where the suggested command writes it.
    """
    if (fit.folder / COMPARED).is_file():
        return _best(pd.read_csv(fit.folder / COMPARED))
    command = _command(fit)
    return (f"To see which variant predicts better, run `{command}`.",) if command else ()


def _best(rows: pd.DataFrame) -> tuple[str, ...]:
    """The trusted variant with the largest expected log predictive density."""
    trusted = rows[rows["ok"].astype(bool) & rows["elpd_diff"].notna()]
    if trusted.empty:
        return ("`wolves compare` found no variant with reliable predictions.",)
    best = trusted.iloc[int(trusted["elpd_diff"].to_numpy().argmax())]
    full = str(rows["model"].iloc[0])
    if best["model"] == full or best["elpd_diff"] <= 0:
        return (f"No other variant predicts better than {full}.",)
    return (
        f"Of {len(trusted)} variants, {best['model']} predicts best, by {best['elpd_diff']:.0f} "
        f"nats (standard error {best['elpd_diff_se']:.0f}) better than {full}, with an r² of "
        f"{best['r2']:.2f}.",
    )


def _has_variants(fit: Fitted) -> bool:
    """Whether the model of the fit can be compared with others."""
    name, family = fit.info.get("model"), str(fit.info.get("family", families.DEFAULT))
    found = families.get(family).models().get(str(name))
    return isinstance(found, SimulatedModel) and len(found.variants()) > 1


def _command(fit: Fitted) -> str:
    """The comparison as a command line; empty if the fit did not record its own."""
    made_by = str(fit.info.get("command", ""))
    if not re.match(r"wolves fit (?!CHOICES\b)", made_by) or not _has_variants(fit):
        return ""
    given = shlex.split(made_by)[2:]
    kept = [
        word
        for at, word in enumerate(given)
        if word not in _ONLY_OF_FITS and (at == 0 or given[at - 1] not in _ONLY_OF_FITS)
    ]
    return shlex.join(["wolves", "compare", *kept, "--out", str(fit.folder)])
