"""Shared parts of the pages of game models: intervals, cells, predictive checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from many_wolves.figures.agreement import agreement
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.section import Section, Table
from many_wolves.figures.theme import Width

NOTHING = "–"


def interval(fit: Fitted, parameter: str, condition: str) -> str:
    """``mean [low, high]`` of one parameter; a dash where the fit has none."""
    summary = fit.summary
    row = summary[(summary["parameter"] == parameter) & (summary["condition"] == condition)]
    if row.empty:
        return NOTHING
    mean, low, high = (float(row.iloc[0][c]) for c in ("mean", "hdi_low", "hdi_high"))
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def cells(fit: Fitted, groups: Sequence[str], of_cell: Sequence[str]) -> pd.DataFrame:
    """Observed and predicted proportions: cell, option, group, observed, predicted, low, high.

    Parameters
    ----------
    groups
        Names of the groups.
    of_cell
        Group of every cell.
    """
    counts = fit.values("observed_data", "counts")
    total = counts.sum("option").to_numpy()
    shares = fit.values("posterior_predictive", "counts") / total[:, None]
    low, high = (shares.quantile(q, dim=("chain", "draw")).to_numpy() for q in (0.025, 0.975))
    predicted = fit.values("posterior", "predicted").mean(("chain", "draw"))
    names = [str(c) for c in counts["cell"].to_numpy()]
    options = [str(o) for o in counts["option"].to_numpy()]
    return pd.DataFrame(
        {
            "cell": np.repeat(names, len(options)),
            "option": np.tile(options, len(names)),
            "group": np.repeat(list(of_cell), len(options)),
            "observed": (counts.to_numpy() / total[:, None]).ravel(),
            "predicted": predicted.transpose("cell", "option").to_numpy().ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
            "n": np.repeat(total, len(options)),
        }
    )


def predictive(
    frame: pd.DataFrame,
    groups: Sequence[str],
    n: float,
    words: str,
    tables: tuple[Table, ...] = (),
) -> Section:
    """The section that compares predictions with what was chosen."""

    def draw(width: Width) -> Figure:
        return agreement(frame, groups=list(groups), n=n, width=width)

    return Section(
        "predictive",
        "Predictive check",
        paragraphs=(words,),
        tables=tables,
        figures=(draw("one"),),
    )


def before_and_after(fit: Fitted, name: str, heading: str, observed: Mapping[str, float]) -> Table:
    """What prior and posterior make of a quantity of each group, and what was observed."""
    prior, posterior = fit.values("prior", name), fit.values("posterior", name)
    dim = str(posterior.dims[-1])
    rows = [
        {
            dim: group,
            "prior": _central(prior.sel({dim: group}).to_numpy()),
            "posterior": _central(posterior.sel({dim: group}).to_numpy()),
            "observed": observed.get(group, float("nan")),
        }
        for group in map(str, posterior[dim].to_numpy())
    ]
    return Table(
        pd.DataFrame(rows),
        f"{heading}: mean with 95 % central interval, prior predictive and posterior predictive.",
    )


def _central(values: np.ndarray) -> str:
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{values.mean():.2f} [{low:.2f}, {high:.2f}]"


def by_condition(fit: Fitted, parameters: Mapping[str, str]) -> pd.DataFrame:
    """parameter, group, mean, hdi_low, hdi_high of parameters that have one dimension, group."""
    part = fit.summary[fit.summary["parameter"].isin(list(parameters))]
    return part.rename(columns={"condition": "group"})[
        ["parameter", "group", "mean", "hdi_low", "hdi_high"]
    ]
