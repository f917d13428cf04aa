"""The page of social preferences: comparison of groups, predicted and observed gifts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from many_wolves.families.dilemmas.model.preferences import NAMES
from many_wolves.families.dilemmas.reporting.page_parts import (
    before_and_after,
    by_condition,
    cells,
    interval,
    predictive,
)
from many_wolves.figures.figure import Figure, both_widths
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.groups import by_group
from many_wolves.figures.section import Section, Table
from many_wolves.figures.theme import Width

DIAGNOSED = ("guilt", "envy", "rho", "sigma", "weight_self", "r", "precision", "given_share")
FORMS = {
    "fehr-schmidt": "inequity aversion: own payoff - guilt x advantage - envy x disadvantage "
    "(Fehr & Schmidt 1999)",
    "charness-rabin": "own payoff, weighted towards the other's by rho if ahead and by sigma if "
    "behind (Charness & Rabin 2002)",
    "ces": "CES altruism: (w own^r + (1 - w) other^r)^(1/r) (Andreoni & Miller 2002)",
    "selfish": "own payoff alone",
}
MEANING = {
    "fehr-schmidt": "Guilt is the utility cost of each dollar ahead of the other: above one half, "
    "sharing equally is best; below, keeping everything. Envy is the cost of each dollar behind.",
    "charness-rabin": "Rho is the weight of the other's payoff if one is ahead. Above one half, "
    "sharing equally is best; below zero, the other's loss is a gain. Sigma is the same if "
    "one is behind.",
    "ces": "The weight of one's own payoff, and the exponent r: near 1, only the weighted sum "
    "counts; far below 0, only the smaller payoff.",
    "selfish": "Only one's own payoff counts; gifts are errors.",
}
LINEAR = (
    "Utilities of this form are linear up to equal shares: the most frequent gift is nothing "
    "or half, never in between. If the check shows another gift, the form does not fit."
)
HEADINGS = {
    "guilt": "guilt",
    "envy": "envy",
    "rho": "rho",
    "sigma": "sigma",
    "weight_self": "weight of own payoff",
    "r": "exponent r",
    "given_share": "share of the stake given",
}


def words(fit: Fitted) -> Mapping[str, str]:
    """What was fitted, heading by heading."""
    options = fit.info["options"]
    priors = {
        "fehr-schmidt": "guilt uniform on 0 to 1, envy exponential with mean 0.8",
        "charness-rabin": "rho uniform on -1 to 1, sigma uniform on -1 to rho",
        "ces": "w uniform on 0 to 1, 1 - r exponential with median 1",
        "selfish": "none but of precision",
    }
    varying = "preferences and precision" if options["vary_precision"] else "preferences"
    return {
        "Model": f"{FORMS[options['form']]}; options are chosen by softmax with a precision per "
        "dollar",
        "Pooling": f"{varying} of participants (prompts) vary around those of their group",
        "Priors": f"{priors[options['form']]} at the middle of all; precision lognormal "
        f"around 10 per stake; standard deviations exponential with mean {options['spread']:g}",
        "Groups": ", ".join(_groups(fit)),
    }


def sections(fit: Fitted) -> list[Section]:
    """Groups compared, and the predictive check."""
    form = str(fit.info["options"]["form"])
    groups = _groups(fit)
    paragraphs = (MEANING[form], *((LINEAR,) if form in ("fehr-schmidt", "charness-rabin") else ()))
    tables = [_table(fit, groups, form)]
    gifts = _distribution(fit, groups)
    if gifts is not None:
        tables.append(gifts)
    frame = _cells(fit, groups)
    before: tuple[Table, ...] = ()
    if fit.has("prior", "given_share"):
        heading = "Share of the stake given"
        before = (before_and_after(fit, "given_share", heading, _given(fit, groups)),)
    return [
        Section(
            "groups",
            "Groups compared",
            paragraphs,
            tuple(tables),
            (both_widths(lambda width: preferences_figure(fit, width)),),
        ),
        predictive(
            frame,
            groups,
            float(fit.info["choices"]),
            "Every option of every participant: its observed and its predicted share.",
            before,
        ),
    ]


def preferences_figure(fit: Fitted, width: Width) -> Figure:
    """Preferences by group (the group's middle), and predicted and observed gifts."""
    groups = _groups(fit)
    frame = by_condition(fit, HEADINGS)
    given = _given(fit, groups)
    frame = frame.assign(observed=frame["group"].map(given))
    frame.loc[frame["parameter"] != "given_share", "observed"] = np.nan
    labels = {k: v for k, v in HEADINGS.items() if k in set(frame["parameter"])}
    return by_group(
        frame,
        name="preferences",
        title="Social preferences by group",
        labels=labels,
        groups=groups,
        limits=None,
        observed="share of the stake that was given",
        note=f"n = {fit.info['choices']:,.0f} choices. Preferences are those of a group's middle.",
        width=width,
    )


def _groups(fit: Fitted) -> list[str]:
    for name in ("guilt", "rho", "weight_self", "given_share"):
        if fit.has("posterior", name):
            return [str(g) for g in fit.values("posterior", name)["group"].to_numpy()]
    return [""]


def _of_cells(fit: Fitted) -> np.ndarray:
    of = fit.values("observed_data", "participant_group").to_numpy().astype(int)
    found: np.ndarray = of[fit.values("observed_data", "cell_participant").to_numpy().astype(int)]
    return found


def _cells(fit: Fitted, groups: Sequence[str]) -> pd.DataFrame:
    frame = cells(fit, groups, [groups[g] for g in _of_cells(fit)])
    options = fit.values("observed_data", "n_options").to_numpy()
    width = fit.values("observed_data", "counts").sizes["option"]
    there = np.arange(width)[None, :] < options[:, None]
    return frame[there.ravel()]


def _given(fit: Fitted, groups: Sequence[str]) -> dict[str, float]:
    """Observed mean share of the stake that each group gave or offered."""
    counts = fit.values("observed_data", "counts").to_numpy()
    amount = fit.values("observed_data", "amount").to_numpy()
    stake = fit.values("observed_data", "stake").to_numpy()
    gift = fit.values("observed_data", "reply").to_numpy() == 0
    found = {}
    for number, group in enumerate(groups):
        own = (_of_cells(fit) == number) & gift
        n = counts[own].sum()
        if n:
            found[group] = float((counts[own] * amount[own] / stake[own, None]).sum() / n)
    return found


def _table(fit: Fitted, groups: Sequence[str], form: str) -> Table:
    counts = fit.values("observed_data", "counts").to_numpy()
    stake = fit.values("observed_data", "stake").to_numpy()
    given = _given(fit, groups)
    one = float(stake[0]) if np.ptp(stake) == 0 else None
    rows = []
    for number, group in enumerate(groups):
        row: dict[str, object] = {"group": group}
        for name in NAMES[form]:
            row[HEADINGS[name]] = interval(fit, name, group)
        if group in given:
            row["share given"] = interval(fit, "given_share", group)
            row["share observed"] = given[group]
            if one is not None:
                row["dollars observed"] = given[group] * one
        rows.append(row | {"choices": counts[_of_cells(fit) == number].sum()})
    return Table(
        pd.DataFrame(rows),
        "Posterior means with 95 % highest-density intervals of each group's preferences, "
        "and of the share of the stake that is given or offered; observed shares. "
        f"Precision: {interval(fit, 'precision', '')} per dollar.",
    )


def _distribution(fit: Fitted, groups: Sequence[str]) -> Table | None:
    """Observed and predicted shares of each gift by group, where all have one stake."""
    stake = fit.values("observed_data", "stake").to_numpy()
    gift = fit.values("observed_data", "reply").to_numpy() == 0
    amount = fit.values("observed_data", "amount").to_numpy()
    if not gift.any() or np.ptp(stake[gift]) > 0 or len(np.unique(amount[gift], axis=0)) > 1:
        return None
    counts = fit.values("observed_data", "counts").to_numpy()
    predicted = fit.values("posterior", "predicted").mean(("chain", "draw")).to_numpy()
    rows = []
    for number, group in enumerate(groups):
        own = gift & (_of_cells(fit) == number)
        n = counts[own].sum(axis=1)
        if n.sum() == 0:
            continue
        seen = counts[own].sum(axis=0) / n.sum()
        expected = (predicted[own] * n[:, None]).sum(axis=0) / n.sum()
        row: dict[str, object] = {"group": group}
        for dollars, s, e in zip(amount[gift][0], seen, expected, strict=True):
            row[f"{dollars:g} of {stake[gift][0]:g}"] = f"{s:.3f} / {e:.3f}"
        rows.append(row)
    return Table(pd.DataFrame(rows), "Share of each gift in dollars: observed / predicted.")
