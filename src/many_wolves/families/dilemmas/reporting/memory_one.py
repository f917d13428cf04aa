"""The page of a memory-one fit: groups compared, strategies, predictive check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from many_wolves.families.dilemmas.model.rounds import CONTEXTS
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

DIAGNOSED = ("cooperation", "opening", "retaliation", "forgiveness", "spite", "endgame_drop")
HEADINGS = {
    "cooperation": "cooperation",
    "opening": "opening with C",
    "retaliation": "retaliation",
    "forgiveness": "forgiveness",
    "spite": "spite",
    "endgame_drop": "end-game drop",
}
AFTER = {
    "start": "first round",
    "CC": "after CC",
    "CD": "after CD",
    "DC": "after DC",
    "DD": "after DD",
}
MEANING = (
    "A player that remembers one round has a probability of cooperating (C) in the first "
    "round, and after each pair of moves (its own first). Retaliation: D after CD, after the "
    "other defected on a cooperator. Forgiveness: C after DC, after the other cooperated with "
    "a defector. Spite: D twice in a row after the other defected once, (1 - C after "
    "CD) x (1 - C after DC). End-game drop: the decrease of C in the last round, after the same "
    "previous round. Cooperation is the share of C in the observed situations."
)


def words(fit: Fitted) -> Mapping[str, str]:
    """What was fitted, heading by heading."""
    options = fit.info.get("options", {})
    looks = {"both": "both moves", "other": "the other's move", "none": "nothing"}
    found = {
        "Model": f"memory-one strategy: a player that remembers {looks[options['memory']]} of the "
        "previous round, with log-odds of C for each context"
        + (" and a change in the last round" if options.get("end_game") else ""),
        "Pooling": "log-odds of participants vary around those of their group, these around "
        "the middle of all",
        "Priors": "middle normal(0, 1.5) in log-odds, the last round's change normal(0, 1); "
        f"standard deviations exponential, {options['spread']:g} of that on average",
    }
    data = f"{fit.info['choices']:,.0f} rounds"
    return found | {"Groups": ", ".join(_groups(fit)), "Data": data}


def sections(fit: Fitted) -> list[Section]:
    """Groups compared, strategies by context, predictive check."""
    groups = _groups(fit)
    seen = _seen(fit, groups)
    frame = cells(fit, groups, [groups[g] for g in _group_of_cells(fit)])
    listed = [Section("groups", "Groups compared", (MEANING,), (_table(fit, groups, seen),),
                      (both_widths(lambda width: measures_figure(fit, width)),))]  # fmt: skip
    listed.append(
        Section(
            "strategies",
            "Memory-one strategies",
            paragraphs=(
                "Probability of C after each context, the mean over a group's participants. "
                "The last columns are the observed frequency over all rounds but the last, and n.",
            ),
            tables=(_strategies(fit, groups, seen), _rounds(fit, groups)),
            figures=(both_widths(lambda width: strategies_figure(fit, width)),),
        )
    )
    why = "The cells are the participants' contexts, with the last round separate."
    c = frame[frame["option"] == "C"]
    n = float(fit.info["choices"])
    shares = seen.groupby("group")[["c", "n"]].sum()
    share = {str(g): float(v) for g, v in (shares["c"] / shares["n"]).items()}
    tables = (before_and_after(fit, "cooperation", "Share of C", share),)
    text = f"Share of C, observed and predicted. {why}"
    return [*listed, predictive(c, groups, n, text, tables)]


def measures_figure(fit: Fitted, width: Width) -> Figure:
    """Measures by group, and the observed share of C."""
    groups = _groups(fit)
    frame = by_condition(fit, HEADINGS)
    shares = _seen(fit, groups).groupby("group")[["c", "n"]].sum()
    frame = frame.assign(observed=frame["group"].map(shares["c"] / shares["n"]))
    frame.loc[frame["parameter"] != "cooperation", "observed"] = np.nan
    labels = {k: v for k, v in HEADINGS.items() if k in set(frame["parameter"])}
    return by_group(
        frame,
        name="measures",
        title="Cooperation, retaliation, forgiveness and spite by group",
        labels=labels,
        groups=groups,
        limits=(-0.25, 1.0) if "endgame_drop" in labels else (0.0, 1.0),
        observed="observed share of C",
        note=f"n = {fit.info['choices']:,.0f} rounds.",
        width=width,
    )


def strategies_figure(fit: Fitted, width: Width) -> Figure:
    """Probability of C after each context by group, and observed frequencies."""
    groups = _groups(fit)
    part = fit.summary[fit.summary["parameter"] == "p_c"]
    place = part["condition"].str.split("/", n=1, expand=True)
    frame = part.assign(parameter=place[0], group=place[1])
    seen = _seen(fit, groups).query("not last").groupby(["context", "group"])[["c", "n"]].sum()
    share = (seen["c"] / seen["n"]).rename("observed").reset_index()
    frame = frame.merge(share.rename(columns={"context": "parameter"}), how="left")
    return by_group(
        frame,
        name="strategies",
        title="Memory-one strategies by group",
        labels=AFTER,
        groups=groups,
        observed="observed frequency over all rounds but the last",
        width=width,
    )


def _groups(fit: Fitted) -> list[str]:
    return [str(g) for g in fit.values("posterior", "cooperation")["group"].to_numpy()]


def _group_of_cells(fit: Fitted) -> list[int]:
    of = fit.values("observed_data", "participant_group").to_numpy().astype(int)
    who = fit.values("observed_data", "cell_participant").to_numpy().astype(int)
    return [int(g) for g in of[who]]


def _seen(fit: Fitted, groups: Sequence[str]) -> pd.DataFrame:
    """Observed C and n of every cell with its group, context and whether it is the last round."""
    counts = fit.values("observed_data", "counts")
    context = fit.values("observed_data", "cell_context").to_numpy().astype(int)
    return pd.DataFrame(
        {
            "group": [groups[g] for g in _group_of_cells(fit)],
            "context": [CONTEXTS[c] for c in context],
            "last": fit.values("observed_data", "cell_last").to_numpy() > 0,
            "c": counts.sel(option="C").to_numpy(),
            "n": counts.sum("option").to_numpy(),
        }
    )


def _table(fit: Fitted, groups: Sequence[str], seen: pd.DataFrame) -> Table:
    rows = []
    for group in groups:
        own = seen[seen["group"] == group]
        row: dict[str, object] = {"group": group, "C observed": own["c"].sum() / own["n"].sum()}
        for name, heading in HEADINGS.items():
            if name in set(fit.summary["parameter"]):
                row[heading] = interval(fit, name, group)
        rows.append(row | {"rounds": own["n"].sum()})
    return Table(
        pd.DataFrame(rows),
        "Posterior means with 95 % highest-density intervals by group, and the observed "
        "share of C; rounds: n.",
    )


def _strategies(fit: Fitted, groups: Sequence[str], seen: pd.DataFrame) -> Table:
    summed = seen[~seen["last"]].groupby(["group", "context"])[["c", "n"]].sum()
    shares = {key: (row["c"], row["n"]) for key, row in summed.iterrows()}
    rows = []
    for group in groups:
        row: dict[str, object] = {"group": group}
        for context in CONTEXTS:
            c, n = shares.get((group, context), (0.0, 0.0))
            met = f"observed {c / n:.2f} of {n:,.0f}" if n else "never observed"
            row[AFTER[context]] = f"{interval(fit, 'p_c', f'{context}/{group}')}; {met}"
        rows.append(row)
    return Table(
        pd.DataFrame(rows),
        "Probability of C after each context (own move first): posterior mean with 95 % "
        "highest-density interval; then the observed frequency and n, without last rounds.",
    )


def _rounds(fit: Fitted, groups: Sequence[str]) -> Table:
    chosen = fit.values("observed_data", "round_cooperation")
    asked = fit.values("observed_data", "round_decisions")
    share = (chosen / asked.where(asked > 0)).to_numpy()
    frame = pd.DataFrame(share, columns=[f"round {r}" for r in chosen["round"].to_numpy()])
    frame.insert(0, "group", list(groups))
    return Table(frame, "Observed share of C by round.")
