"""Predictive checks: observed statistics next to those of replicated data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from many_wolves.contracts import Array
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.section import Table

CLASSES = 5
"""Classes of predicted purchase probability."""

Statistic = tuple[str, float, Array]
"""What it is, its observed value, and its values in replicated data (draws,)."""


def predictive_table(fit: Fitted) -> Table:
    """Statistics of the answers next to those of replicated ones."""
    found = {"declared-value": _declared, "purchases": _purchases, "quotes": _quotes, "ewa": _ewa}
    rows = []
    for words, seen, replicated in found[str(fit.info["model"])](fit):
        low, high = np.quantile(replicated, (0.025, 0.975))
        below = float((replicated < seen).mean() + 0.5 * (replicated == seen).mean())
        rows.append(
            {
                "statistic": words,
                "observed": f"{seen:.3f}",
                "replicated [95 %]": f"{replicated.mean():.3f} [{low:.3f}, {high:.3f}]",
                "two-sided p": f"{2 * min(below, 1 - below):.2f}",
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Posterior predictive check: statistics of the observed answers and of replicated "
        "answers to the same questions (mean and 95 % equal-tailed interval).",
    )


def _both(fit: Fitted, name: str) -> tuple[Array, Array]:
    """Observed values (...), and replicated ones (draws, ...)."""
    seen = fit.values("observed_data", name)
    drawn = fit.values("posterior_predictive", name).transpose("chain", "draw", *seen.dims)
    return seen.to_numpy(), drawn.to_numpy().reshape(-1, *seen.shape)


def _declared(fit: Fitted) -> Iterator[Statistic]:
    seen, drawn = _both(fit, "markup")
    stages = [
        str(label).rsplit(" | ", 1)[-1]
        for label in fit.values("observed_data", "markup")["answer"].to_numpy()
    ]
    for stage in dict.fromkeys(stages):
        own = np.array([other == stage for other in stages])
        yield f"mean markup, {stage}", seen[own].mean(), drawn[:, own].mean(axis=1)
        yield f"sd of markups, {stage}", seen[own].std(), drawn[:, own].std(axis=1)
        over = (drawn[:, own] > 0).mean(axis=1)
        yield f"share above the value, {stage}", (seen[own] > 0).mean(), over


def _purchases(fit: Fitted) -> Iterator[Statistic]:
    seen, drawn = _both(fit, "counts")
    expected = fit.values("posterior", "predicted").mean(("chain", "draw")).to_numpy()[:, 1]
    yield "share bought", seen[:, 1].mean(), drawn[:, :, 1].mean(axis=1)
    order = np.argsort(expected, kind="stable")
    for number, part in enumerate(np.array_split(order, CLASSES), 1):
        if part.size:
            words = f"share bought, class {number} of {CLASSES} by prediction"
            yield words, seen[part, 1].mean(), drawn[:, part, 1].mean(axis=1)


def _quotes(fit: Fitted) -> Iterator[Statistic]:
    seen, drawn = _both(fit, "choice")
    names = map(str, fit.values("posterior", "predicted")["action"].to_numpy())
    for number, name in enumerate(names):
        shares = (drawn == number).mean(axis=1)
        yield f"share of turns: {name}", float((seen == number).mean()), shares
    prices, replicated = _both(fit, "price")
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(replicated > 0, replicated, np.nan))
    there = np.isfinite(logs).any(axis=1)
    if (prices > 0).any() and there.any():
        yield (
            "mean log price of offers",
            float(np.log(prices[prices > 0]).mean()),
            np.nanmean(logs[there], axis=1),
        )


def _ewa(fit: Fitted) -> Iterator[Statistic]:
    seen, drawn = _both(fit, "chosen")
    there = np.isfinite(seen)
    names = map(str, fit.values("posterior", "predicted")["bin"].to_numpy())
    for number, name in enumerate(names):
        shares = (drawn[:, there] == number).mean(axis=1)
        yield f"share of declarations near {name}", float((seen[there] == number).mean()), shares
    same = there[:, 1:] & there[:, :-1]
    if same.any():
        repeated = (drawn[:, :, 1:] == drawn[:, :, :-1])[:, same].mean(axis=1)
        observed = float((seen[:, 1:] == seen[:, :-1])[same].mean())
        yield "share of rounds that repeat the last bin", observed, repeated
