"""The page of strategy frequencies: classes by group, course of cooperation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from many_wolves.families.dilemmas.reporting.page_parts import interval
from many_wolves.figures.agreement import agreement
from many_wolves.figures.figure import Figure, both_widths
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.groups import by_group
from many_wolves.figures.section import Section, Table
from many_wolves.figures.theme import Width

DIAGNOSED = ("frequency", "tremble")
MEANING = (
    "Each game is played by one strategy. A move differs from what it prescribes with the "
    "probability of a tremble. Strategies that make the same moves against all partners here "
    "form one class with one frequency."
)


def words(fit: Fitted) -> Mapping[str, str]:
    """What was fitted, heading by heading."""
    options = fit.info["options"]
    shared = "one tremble for all groups" if options["one_tremble"] else "one tremble per group"
    return {
        "Model": f"mixture of strategies (Dal Bo & Frechette 2011) by group, {shared}",
        "Strategies": ", ".join(options["strategies"]),
        "Classes": "; ".join(options["classes"]),
        "Data": f"{fit.info['choices']:,.0f} games",
        "Priors": "frequencies of a group Dirichlet(1, ..., 1) over the classes; trembles uniform "
        "on 0 to 0.5; the members of a class share its games evenly",
    }


def sections(fit: Fitted) -> list[Section]:
    """Frequencies by group, and the course of cooperation against predictions."""
    return [
        Section(
            "frequencies",
            "Strategies by group",
            (MEANING,),
            (_table(fit),),
            (both_widths(lambda width: frequencies_figure(fit, width)),),
        ),
        Section(
            "predictive",
            "Predictive check",
            (
                "Share of C in each round, by group and the partner's moves, and predictions of "
                "the mixture from the first round on.",
            ),
            (_before(fit),),
            (_check(fit),),
        ),
    ]


def frequencies_figure(fit: Fitted, width: Width) -> Figure:
    """Frequency of each class by group."""
    part = fit.summary[fit.summary["parameter"] == "frequency"]
    place = part["condition"].str.split("/", n=1, expand=True)
    frame = part.assign(group=place[0], parameter=place[1])
    return by_group(
        frame,
        name="frequencies",
        title="Strategies by group",
        labels={name: name for name in _classes(fit)},
        groups=_groups(fit),
        note=f"n = {fit.info['choices']:,.0f} games.",
        width=width,
    )


def _groups(fit: Fitted) -> list[str]:
    return [str(g) for g in fit.values("posterior", "tremble")["group"].to_numpy()]


def _classes(fit: Fitted) -> list[str]:
    return [str(c) for c in fit.values("posterior", "frequency")["class"].to_numpy()]


def _table(fit: Fitted) -> Table:
    games = fit.values("observed_data", "counts").sum("history").to_numpy()
    rows = []
    for group, n in zip(_groups(fit), games, strict=True):
        row: dict[str, object] = {"group": group}
        for name in _classes(fit):
            row[name] = interval(fit, "frequency", f"{group}/{name}")
        rows.append(row | {"tremble": interval(fit, "tremble", group), "games": n})
    return Table(
        pd.DataFrame(rows),
        "Share of a group's games that are played by each class of strategies, and the probability "
        "of a tremble: posterior means with 95 % highest-density intervals.",
    )


def _check(fit: Fitted) -> Figure:
    predicted = fit.values("posterior", "course").transpose("chain", "draw", "arm", "round")
    share = fit.values("observed_data", "course_cooperation").to_numpy()
    games = fit.values("observed_data", "course_games").to_numpy()
    arms: Sequence[str] = [str(a) for a in predicted["arm"].to_numpy()]
    flat = predicted.to_numpy().reshape(-1, *share.shape)
    # What is predicted is a share of so many games, not a probability.
    rng = np.random.default_rng(0)
    drawn = rng.binomial(games.astype(int)[:, None], np.nan_to_num(flat)) / games[:, None]
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    frame = pd.DataFrame(
        {
            "group": np.repeat([a.split(" against ")[0] for a in arms], share.shape[1]),
            "arm": np.repeat(arms, share.shape[1]),
            "round": np.tile(predicted["round"].to_numpy(), len(arms)),
            "observed": share.ravel(),
            "predicted": flat.mean(axis=0).ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
        }
    ).dropna(subset=["observed"])
    n = float(np.nansum(np.where(np.isnan(share), 0.0, 1.0) * games[:, None]))
    return agreement(frame, groups=_groups(fit), n=n)


def _before(fit: Fitted) -> Table:
    """Share of C over all rounds before and after the data, by group and partner."""
    share = fit.values("observed_data", "course_cooperation").mean("round")
    rows = []
    for arm in map(str, share["arm"].to_numpy()):
        row: dict[str, object] = {"group": arm}
        for when in ("prior", "posterior"):
            values = fit.values(when, "course").sel(arm=arm).mean("round").to_numpy()
            low, high = np.quantile(values, [0.025, 0.975])
            row[when] = f"{values.mean():.2f} [{low:.2f}, {high:.2f}]"
        rows.append(row | {"observed": float(share.sel(arm=arm))})
    return Table(
        pd.DataFrame(rows),
        "Share of C over a game, by group and the partner's moves. Means with 95 % central "
        "intervals, prior predictive and posterior predictive.",
    )
