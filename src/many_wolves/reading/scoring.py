"""Probabilities of options from their scores, for every family."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from many_wolves.errors import WolvesError
from many_wolves.outcomes import Array
from many_wolves.records import OptionScore, Response
from many_wolves.sources import nearest, quoted

SCORINGS: Mapping[str, Callable[[OptionScore], float]] = {
    "sum": lambda score: score.logprob,
    "mean": lambda score: score.logprob / score.tokens,
    "pmi": lambda score: score.logprob - (score.baseline or 0.0),
}
"""Scores of an option in score mode: the log-probability of its tokens, its mean per token, or
its gain over the log-probability without the scene."""


def check_scoring(scoring: str) -> None:
    """Reject an unknown scoring.

    Raises
    ------
    WolvesError
        If there is none with that name.
    """
    if scoring not in SCORINGS:
        raise WolvesError(
            f"unknown scoring {scoring!r}", fix=f"--scoring: {nearest(scoring, SCORINGS)}"
        )


def option_shares(response: Response, label: str, scoring: str) -> tuple[Array | None, str]:
    """Probability of each option of a scored response, in the order shown.

    Parameters
    ----------
    response
        The response, with ``scores``.
    label
        Name of the speaker, for messages.
    scoring
        ``sum``, ``mean`` or ``pmi``.

    Returns
    -------
    tuple
        (options,) probabilities that sum to one, and an empty reason; None and the reason if the
        scores do not allow it.

    Raises
    ------
    WolvesError
        If this scoring is impossible for all responses of this speaker.
    """
    scores = {score.option: score for score in response.scores}
    missing = [option.id for option in response.options if option.id not in scores]
    if missing:
        return None, f"no score for {quoted(missing)}"
    ordered = [scores[option.id] for option in response.options]
    _check(ordered, label, scoring)
    values = np.array([SCORINGS[scoring](score) for score in ordered])
    if np.isnan(values).any() or not np.isfinite(values.max()):
        return None, f"scores that are not numbers: {values.tolist()}"
    weights: Array = np.exp(values - values.max())
    return weights / weights.sum(), ""


def _check(scores: Sequence[OptionScore], label: str, scoring: str) -> None:
    if scoring == "pmi" and any(score.baseline is None for score in scores):
        raise WolvesError(
            f"expected scores without the scene for scoring 'pmi', found none for {label}",
            fix="use --scoring sum or mean, or ask again with trials that have a baseline",
        )
    if scoring == "mean" and any(score.tokens < 1 for score in scores):
        raise WolvesError(
            "expected the number of tokens of every option for scoring 'mean', found none "
            f"for {label}",
            fix="use --scoring sum",
        )
    if scoring == "pmi" and any(math.isinf(score.baseline or 0.0) for score in scores):
        raise WolvesError(
            "an option has probability zero without the scene, so its gain is infinite,  "
            f"for {label}",
            fix="use --scoring sum or mean",
        )
