"""Tidy frames behind the figures, from the draws of a fit."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.families.politeness.task.utterances import order
from many_wolves.figures.fitted import Fitted, interval_frame, quantile_frame

KEYS = ["condition", "state", "utterance"]


def choice_counts(fits: Sequence[Fitted]) -> str:
    """The number of choices of each speaker, in one sentence."""
    numbers = [f"n = {fit.info.get('choices', 0):,.0f}" for fit in fits]
    if len(fits) > 1 and len(set(numbers)) == 1:
        return f"Choices: {numbers[0]} for each speaker."
    each = (f"{fit.label} {n}" for fit, n in zip(fits, numbers, strict=True))
    return f"Choices: {', '.join(each)}."


def utterances(fit: Fitted) -> list[str]:
    """Utterances of a fit in the order of the paper."""
    labels = fit.values("observed_data", "counts")["utterance"].to_numpy()
    return sorted((str(u) for u in labels), key=order)


def states(fit: Fitted) -> list[int]:
    """States of a fit, ascending."""
    return sorted(int(s) for s in fit.values("observed_data", "counts")["state"].to_numpy())


def state_unit(levels: Sequence[int]) -> str:
    """The unit of a state: hearts count from zero, stars from one."""
    return "hearts" if min(levels) == 0 else "stars"


def state_names(levels: Sequence[int]) -> list[str]:
    """States with their unit: ``1 heart``, ``2 hearts``."""
    unit = state_unit(levels)
    return [f"{s} {unit.removesuffix('s') if s == 1 else unit}" for s in levels]


def cells(fit: Fitted) -> pd.DataFrame:
    """Observed and predicted proportion of every cell that was asked.

    Returns
    -------
    pandas.DataFrame
        condition, state, utterance, n, observed, predicted, low, high. ``predicted``
        is the posterior mean of P(utterance | state); the bounds are those of the
        95 % equal-tailed interval of replicated proportions.
    """
    counts = fit.values("observed_data", "counts")
    n = counts.sum("utterance")
    asked = n.where(n > 0)
    observed = (counts / asked).rename("observed").to_dataframe().reset_index()
    # A replication has whole choices: where counts are expected ones, its own
    # total is the rounded one.
    replicated = fit.values("posterior_predictive", "counts")
    total = replicated.sum("utterance")
    predicted = quantile_frame(replicated / total.where(total > 0))
    # With a position bias, predictions depend on the orders that were shown.
    name = "predicted" if fit.has("posterior", "predicted") else "s2"
    expected = fit.values("posterior", name).mean(("chain", "draw")).rename("predicted")
    frame = predicted.drop(columns="mean").merge(observed, on=KEYS)
    frame = frame.merge(expected.to_dataframe().reset_index()[[*KEYS, "predicted"]], on=KEYS)
    frame = frame.merge(n.rename("n").to_dataframe().reset_index(), on=["condition", "state"])
    columns = [*KEYS, "n", "observed", "predicted", "low", "high"]
    return frame[columns].dropna(subset="observed").reset_index(drop=True)


def meanings(fit: Fitted) -> pd.DataFrame:
    """Posterior of theta, and the literal judgments.

    Returns
    -------
    pandas.DataFrame
        utterance, state, mean, hdi_low, hdi_high (95 %), and, where the speaker
        judged, n, yes, observed, low, high: the proportion of yes with its 95 %
        Jeffreys interval.
    """
    frame = interval_frame(fit.values("posterior", "theta"))
    if not fit.has("observed_data", "literal_n"):
        return frame
    judged = fit.draws["observed_data"].dataset[["literal_yes", "literal_n"]]
    seen = judged.to_dataframe().reset_index()
    seen = seen.rename(columns={"literal_yes": "yes", "literal_n": "n"})
    return frame.merge(_jeffreys(seen[seen["n"] > 0]), on=["utterance", "state"], how="left")


def _jeffreys(frame: pd.DataFrame) -> pd.DataFrame:
    from scipy.stats import beta

    a, b = frame["yes"] + 0.5, frame["n"] - frame["yes"] + 0.5
    low = pd.Series(beta.ppf(0.025, a, b), frame.index).where(frame["yes"] > 0, 0.0)
    high = pd.Series(beta.ppf(0.975, a, b), frame.index).where(frame["yes"] < frame["n"], 1.0)
    return frame.assign(observed=frame["yes"] / frame["n"], low=low, high=high)


def weight_rows(fit: Fitted, parameters: Sequence[str]) -> pd.DataFrame:
    """Summary rows of parameters that differ by condition, with the speaker's name first."""
    part = fit.summary[fit.summary["parameter"].isin(list(parameters))]
    part = part[part["condition"] != ""].reset_index(drop=True)
    part.insert(0, "speaker", fit.label)
    return part
