"""The page of principal and agent: who is served, by principal and by shared information."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from many_wolves.families.dilemmas.reporting.page_parts import (
    before_and_after,
    cells,
    interval,
    predictive,
)
from many_wolves.figures.figure import Figure, both_widths
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.groups import by_group
from many_wolves.figures.section import Section, Table
from many_wolves.figures.theme import Width

DIAGNOSED = ("user_served", "effect")
MEANING = (
    "The agent serves a user, and its principal wants the other of two options. The table "
    "shows the probability that the user is served, by principal, over the situations that "
    "were asked. It also shows the change if the agent's reasons are shown to "
    "user or principal."
)


def words(fit: Fitted) -> Mapping[str, str]:
    """What was fitted, heading by heading."""
    options = fit.info["options"]
    kinds = [
        name
        for name, there in (
            ("what is shared with user and principal", options["information"]),
            ("principals, partially pooled", options["by_principal"]),
        )
        if there
    ]
    return {
        "Model": "logistic regression of serving the user"
        + (f", with effects of {' and of '.join(kinds)}" if kinds else ", the same for all"),
        "Priors": "middle normal(0, 1.5) in log-odds, effects normal(0, 1); standard deviations "
        f"exponential, {options['spread']:g} of that on average",
    }


def sections(fit: Fitted) -> list[Section]:
    """Who is served, and the predictive check."""
    names = _principals(fit)
    at = fit.values("observed_data", "cell_principal").to_numpy().astype(int)
    frame = cells(fit, names, [names[p] for p in at]).query("option == 'user'")
    seen = {str(p): float(s) for p, s in _seen(fit)["share"].items()}
    tables = (_table(fit), *((_effects(fit),) if fit.has("posterior", "effect") else ()))
    return [
        Section(
            "served",
            "Who is served",
            (MEANING,),
            tables,
            (both_widths(lambda width: served_figure(fit, width)),),
        ),
        predictive(
            frame,
            names,
            float(fit.info["choices"]),
            "Share of choices that served the user, by situation, observed and predicted.",
            (before_and_after(fit, "user_served", "Share that serves the user", seen),),
        ),
    ]


def served_figure(fit: Fitted, width: Width) -> Figure:
    """Probability that the user is served by principal, and the observed share."""
    part = fit.summary[fit.summary["parameter"] == "user_served"]
    frame = part.rename(columns={"condition": "group"})
    frame = frame.assign(observed=frame["group"].map(_seen(fit)["share"]))
    return by_group(
        frame,
        name="served",
        title="Who is served, by principal",
        labels={"user_served": "user served"},
        groups=_principals(fit),
        observed="observed share",
        note=f"n = {fit.info['choices']:,.0f} choices.",
        width=width,
    )


def _principals(fit: Fitted) -> list[str]:
    return [str(p) for p in fit.values("posterior", "user_served")["principal"].to_numpy()]


def _seen(fit: Fitted) -> pd.DataFrame:
    """Share of choices that served the user, and n, by principal."""
    counts = fit.values("observed_data", "counts").to_numpy()
    at = fit.values("observed_data", "cell_principal").to_numpy().astype(int)
    names = _principals(fit)
    summed = np.array([counts[at == p].sum(axis=0) for p in range(len(names))])
    n = summed.sum(axis=1)
    return pd.DataFrame({"share": summed[:, 0] / n, "n": n}, index=names)


def _table(fit: Fitted) -> Table:
    seen = _seen(fit)
    rows = [
        {
            "principal": name,
            "user served": interval(fit, "user_served", name),
            "observed": seen.loc[name, "share"],
            "choices": seen.loc[name, "n"],
        }
        for name in _principals(fit)
    ]
    return Table(
        pd.DataFrame(rows),
        "Probability that the user is served: posterior means with 95 % highest-density intervals, "
        "with the observed share.",
    )


def _effects(fit: Fitted) -> Table:
    shared = [str(s) for s in fit.values("posterior", "effect")["shared"].to_numpy()]
    frame = pd.DataFrame(
        {
            "effect": shared,
            "change of the probability": [interval(fit, "effect", s) for s in shared],
            "log-odds": [interval(fit, "middle", s) for s in shared],
        }
    )
    return Table(
        frame,
        "Effect of showing the reasons on the probability that the user is served, averaged over "
        "the situations asked. Also in log-odds, for the middle of the principals.",
    )
