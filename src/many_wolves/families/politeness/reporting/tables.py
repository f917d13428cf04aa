"""Tables of politeness fits for reports: one fit with people, several speakers together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from many_wolves.families.politeness.reading.human import PUBLISHED
from many_wolves.families.politeness.reporting.reference import goal_of, human_weights, is_reference
from many_wolves.figures.fitted import LEAST_DESCRIBED, WELL_DESCRIBED, Fitted
from many_wolves.figures.section import Table

WEIGHTS = ("w_inf", "w_soc", "w_pres", "phi")
SHARED = ("alpha", "cost")
NOTHING = "–"


def interval(summary: pd.DataFrame, parameter: str, condition: str) -> str:
    """``mean [low, high]`` of one parameter; a dash if the fit has none."""
    row = summary[(summary["parameter"] == parameter) & (summary["condition"] == condition)]
    if row.empty:
        return NOTHING
    mean, low, high = (float(row.iloc[0][c]) for c in ("mean", "hdi_low", "hdi_high"))
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def weights_table(fit: Fitted) -> Table:
    """Every weight of one fit with its diagnostics, and those of people.

    The reference fit of people is shown with the published values.
    """
    part = fit.summary[fit.summary["parameter"].isin((*WEIGHTS, *SHARED))]
    published = PUBLISHED.set_index(["parameter", "condition"])["published"]
    people = None if is_reference(fit) else human_weights()
    rows = []
    for row in part.itertuples():
        name, condition = str(row.parameter), str(row.condition)
        beside = (
            {"published 2020": published.get((name, condition), float("nan"))}
            if people is None
            else {"people": interval(people, name, goal_of(condition))}
        )
        rows.append(
            {"parameter": name, "goal": condition or "all"}
            | {"mean [95 % HDI]": interval(part, name, condition)}
            | beside
            | {"R-hat": f"{row.r_hat:.3f}", "ESS bulk": f"{row.ess_bulk:.0f}"}
        )
    source = "published 2020: Yoon et al. (2020), see above" if people is None else (
        "people: the counts of Yoon et al. (2020) fitted with this program, all three utilities, "
        "literal judgments joint"
    )  # fmt: skip
    return Table(
        pd.DataFrame(rows),
        f"Posterior mean and 95 % highest-density interval, n = {fit.info.get('choices', 0):,.0f} "
        f"choices; {source}. ESS: effective sample size.",
    )


def places_table(fit: Fitted) -> Table:
    """Log-odds of every place in the list of options."""
    part = fit.summary[fit.summary["parameter"] == "place_bias"]
    frame = pd.DataFrame(
        {
            "place": [str(c) for c in part["condition"]],
            "log-odds [95 % HDI]": [interval(part, "place_bias", c) for c in part["condition"]],
            "odds": [math.exp(mean) for mean in part["mean"]],
        }
    )
    return Table(
        frame,
        "Posterior mean and 95 % highest-density interval of the log-odds of a place, against "
        "the mean of all places; odds: their exponential.",
    )


def study_table(fits: Sequence[Fitted]) -> Table:
    """One row per speaker and goal: weights with intervals, and the verdict."""
    rows = [
        {"speaker": fit.label, "goal": condition}
        | {name: interval(fit.summary, name, condition) for name in WEIGHTS}
        | standing(fit)
        for fit in fits
        for condition in fit.conditions
    ]
    total = sum(float(fit.info.get("choices", 0)) for fit in fits)
    who = "1 speaker" if len(fits) == 1 else f"{len(fits)} speakers"
    return Table(
        pd.DataFrame(rows),
        f"Posterior means with 95 % highest-density intervals; {who}, n = {total:,.0f} choices. "
        "The weights of a goal sum to one; phi is how informative the speaker wants to seem. "
        "Verdict: sound if the chains converged and the speaker did the task.",
    )


def shared_table(fits: Sequence[Fitted]) -> Table:
    """One row per speaker: the parameters that goals share, number of choices, r²."""
    rows = [
        {"speaker": fit.label}
        | {name: interval(fit.summary, name, "") for name in SHARED}
        | {"choices": fit.info.get("choices", 0), "r²": fit.info.get("r2", float("nan"))}
        | {"literal judgments": str(fit.info.get("options", {}).get("literal", NOTHING))}
        for fit in fits
    ]
    return Table(
        pd.DataFrame(rows),
        "Means with 95 % highest-density intervals. alpha: how strongly choices follow "
        "utility (near 0: random choices). Cost of a negation (1: none). r² of observed "
        "and predicted proportions over all cells.",
        digits=3,
    )


def standing(fit: Fitted) -> dict[str, str]:
    """The verdict in a word or two."""
    faults = [] if fit.converged else ["not converged"]
    if fit.failed_checks:
        faults.append("did not do the task")
    elif fit.described is not None and fit.described < WELL_DESCRIBED:
        least = fit.described < LEAST_DESCRIBED
        faults.append("not described" if least else "described in part")
    return {"verdict": ", ".join(faults) or "sound"}
