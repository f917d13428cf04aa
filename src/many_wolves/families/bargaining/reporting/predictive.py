"""Observed and predicted shares of answers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from many_wolves.families.bargaining.reporting.parts import row_name
from many_wolves.figures.agreement import agreement
from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.section import Section
from many_wolves.figures.theme import Width


def predictive(fit: Fitted) -> Section:
    """The section that compares observed with predicted shares."""
    words = "Each point is one kind of answer in one group: its observed and its predicted share."
    return Section(
        "predictive", "Predictive check", (words,), (), (observed_and_predicted(fit, "one"),)
    )


def observed_and_predicted(fit: Fitted, width: Width) -> Figure:
    """Observed and predicted shares of each kind of answer, by group."""
    counts = fit.values("observed_data", "counts")
    units, event = counts.dims
    groups, of = _groups(fit, str(units))
    seen = counts.to_numpy()
    drawn = fit.values("posterior_predictive", "counts").to_numpy()
    predicted = fit.values("posterior", "predicted").mean(("chain", "draw")).to_numpy()
    rows = []
    for number, group in enumerate(groups):
        own = of == number
        n = seen[own].sum()
        each = seen[own].sum(axis=1, keepdims=True)
        low, high = np.quantile(drawn[..., own, :].sum(axis=-2) / n, [0.025, 0.975], axis=(0, 1))
        for place, name in enumerate(counts[event].to_numpy()):
            rows.append((str(name), group, seen[own, place].sum() / n,
                         float((predicted[own] * each)[:, place].sum() / n),
                         low[place], high[place]))  # fmt: skip
    frame = pd.DataFrame(rows, columns=["answer", "group", "observed", "predicted", "low", "high"])
    return agreement(frame, groups=groups, n=float(seen.sum()), width=width)


def _groups(fit: Fitted, units: str) -> tuple[list[str], np.ndarray]:
    """Names of groups, and the group of each unit; one where the fit tells none."""
    for name, places in (("rate", "group"), ("opening", "group"), ("w_group", "group"),
                         ("deal_rate", "condition")):  # fmt: skip
        if fit.has("posterior", name) and fit.has("observed_data", f"{units}_{places}"):
            names = fit.values("posterior", name)[places].to_numpy()
            of = fit.values("observed_data", f"{units}_{places}").to_numpy().astype(int)
            return [row_name(fit, g, 1, several=len(names) > 1) for g in names], of
    n = fit.values("observed_data", "counts").sizes[units]
    return [fit.label], np.zeros(n, dtype=int)
