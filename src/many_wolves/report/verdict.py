"""The verdict on a fit in words: did the chains converge, did the speaker do the task?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from many_wolves.figures import Fitted, Table

Grade = Literal["good", "doubtful", "bad"]

MEASURES: tuple[tuple[str, str, str], ...] = (
    ("divergences", "divergent transitions", "0"),
    ("max_r_hat", "largest R-hat", "below 1.01"),
    ("min_ess_bulk", "smallest bulk ESS", "400 or more"),
    ("min_ess_tail", "smallest tail ESS", "400 or more"),
    ("min_e_bfmi", "smallest E-BFMI", "0.3 or more"),
    ("tree_depth_hits", "transitions at the deepest tree", "0"),
    ("modes", "local maxima found before sampling", "1, or others of little mass"),
    ("chains_apart", "parameters on which chains sit apart", "0"),
)
"""Field of the diagnostics, what it is, and the value of a fit without fault."""


NOTHING = "–"


@dataclass(frozen=True)
class Verdict:
    """What a reader must know before any number.

    Parameters
    ----------
    grade
        ``bad``: do not use the numbers. ``doubtful``: the speaker did not do the task.
    headline
        The verdict in one sentence.
    reasons
        What speaks against the numbers, or must be known with them.
    holds
        What was checked and holds.
    """

    grade: Grade
    headline: str
    reasons: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()


def judge(fit: Fitted) -> Verdict:
    """The verdict on one fit: convergence before the task, the task before the numbers."""
    sampler = _sentences(fit.diagnostics["verdict"])
    checks = fit.info.get("checks", ())
    failed = tuple(_statement(check, fit) for check in checks if not check["ok"])
    passed = tuple(_statement(check, fit) for check in checks if check["ok"])
    if not fit.converged:
        tail = " And the speaker did not do the task." if failed else ""
        headline = "Do not use these numbers: the chains have not converged." + tail
        return Verdict("bad", headline, sampler + failed, passed)
    if failed:
        headline = (
            "The speaker did not do the task. The fit converged, but its numbers do not mean "
            "what the model takes them to mean."
        )
        return Verdict("doubtful", headline, failed, sampler + passed)
    if not checks:
        unchecked = "These choices came without checks of whether the speaker did the task."
        return Verdict("good", "The chains converged.", (unchecked,), sampler)
    headline = "The chains converged, and the speaker did the task."
    return Verdict("good", headline, (), sampler + passed)


def _statement(check: Mapping[str, Any], fit: Fitted) -> str:
    """A check in words, without the name of the speaker, which stands above it."""
    text = str(check["statement"]).removeprefix(f"Speaker {fit.speaker}: ")
    return text[:1].upper() + text[1:]


def diagnostics_table(fit: Fitted) -> Table:
    """The sampler's diagnostics beside the values of a fit without fault."""
    rows = [
        {"measure": words, "found": measured(fit, key), "should be": wanted}
        for key, words, wanted in MEASURES
        if fit.diagnostics.get(key) is not None
    ]
    return Table(
        pd.DataFrame(rows, columns=["measure", "found", "should be"]),
        "Sampler diagnostics over all parameters. ESS: effective sample size; E-BFMI: energy "
        "Bayesian fraction of missing information.",
    )


def measured(fit: Fitted, key: str) -> str:
    """One diagnostic as text; of a list, its length; a dash where there is none."""
    value = fit.diagnostics.get(key)
    return NOTHING if value is None else _number(value)


def _sentences(verdict: object) -> tuple[str, ...]:
    if isinstance(verdict, str):
        return (verdict,)
    return tuple(str(sentence) for sentence in verdict) if isinstance(verdict, list) else ()


def _number(value: object) -> str:
    if isinstance(value, list | tuple):
        value = len(value)
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.3f}" if abs(value) < 10 else f"{value:,.0f}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
