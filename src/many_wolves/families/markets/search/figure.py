"""The best rules of a search next to the published ones, objective by objective."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from many_wolves.families.markets.search.search import PUBLISHED
from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import COLOURS, theme

NAME = "objectives"


def objectives_figure(table: pd.DataFrame, objectives: Sequence[str], sessions: int) -> Figure:
    """One row per set of rules on the Pareto front, one panel per objective.

    Dashed lines are the published rules.

    Parameters
    ----------
    table
        As ``pareto_table`` gives it.
    objectives
        Names of the objectives.
    sessions
        Number of sessions with fresh seeds per set of rules.
    """
    import plotnine as p9

    data = pd.concat([_panel(table, objective) for objective in objectives], ignore_index=True)
    published = data["rules"].str.startswith(PUBLISHED)
    lines = data[published]
    found = data[~published]
    found = found.assign(
        row=pd.Categorical(found["rules"], list(dict.fromkeys(found["rules"]))[::-1], ordered=True)
    )
    mechanisms = list(dict.fromkeys(data["mechanism"]))
    colours = dict(zip(mechanisms, COLOURS, strict=False))
    plot = (
        p9.ggplot(found, p9.aes("mean", "row", color="mechanism"))
        + p9.geom_vline(
            p9.aes(xintercept="mean", color="mechanism"), lines, linetype="dashed", size=0.4
        )
        + p9.geom_segment(p9.aes(x="low", xend="high", yend="row"), size=0.4)
        + p9.geom_point(size=1.6)
        + p9.facet_wrap("panel", scales="free_x", ncol=2)
        + p9.scale_color_manual(values=colours, limits=mechanisms)
        + p9.labs(x="", y="rules", color="")
        + theme()
    )
    rows = max(found["rules"].nunique(), 1)
    return Figure(
        name=NAME,
        title="Rules on the Pareto front",
        plot=plot,
        data=data,
        caption=(
            "Each row is one set of rules on the Pareto front, named by the number of its trial. "
            f"Points: means of {sessions} sessions with fresh seeds; lines: 95 % t intervals over "
            "sessions. Dashed lines: means of the published rules with the same seeds."
        ),
        alt=_words(found, lines, objectives),
        height_mm=18 + (12 + 5 * rows) * -(-len(objectives) // 2),
    )


def _panel(table: pd.DataFrame, objective: str) -> pd.DataFrame:
    columns = {f"fresh_{objective}{end}": name for end, name in _ENDS.items()}
    part = table[["rules", "mechanism", *columns]].rename(columns=columns)
    return part.assign(panel=objective.replace("_", " "), rules=part["rules"].astype(str))


_ENDS = {"": "mean", "_low": "low", "_high": "high"}


def _words(found: pd.DataFrame, lines: pd.DataFrame, objectives: Sequence[str]) -> str:
    """The range of each objective, and the published rules."""
    said = []
    for objective in objectives:
        panel = objective.replace("_", " ")
        values = found.loc[found["panel"] == panel, "mean"]
        old = lines.loc[lines["panel"] == panel, "mean"]
        told = ", ".join(f"{value:.4g}" for value in old)
        between = f"{values.min():.4g} to {values.max():.4g}" if len(values) else "no rules"
        said.append(f"{panel}: {between}, published {told}")
    return f"Rules on the Pareto front. {'; '.join(said)}."
