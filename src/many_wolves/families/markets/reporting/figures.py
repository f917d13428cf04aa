"""Figures of sessions, with lines of truthful players, zero intelligence and equilibrium."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from many_wolves.families.markets.reporting import measures
from many_wolves.families.markets.reporting.lines import (
    EQUILIBRIUM,
    SCRIPTED,
    expected_declarations,
    expected_turnover,
    scripted,
)
from many_wolves.families.markets.rules.actions import CONDITION_WORDS
from many_wolves.families.markets.rules.parameters import ROLES
from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import COLOURS, LINES, MUTED, Width, group_scales, theme

Tables = Mapping[str, pd.DataFrame]
KINDS = ("truthful", "zero intelligence", EQUILIBRIUM)
"""Lines, in the order of their patterns."""
PATTERNS = ("dashed", "dash-dotted")
"""Words for the patterns of the second and third line; the first is solid."""
THOUSAND = 1_000.0
FEW_PATHS = 5
"""Minimum number of scripted rounds for the median of a trade."""


def declared_figure(
    tables: Tables, designs: tuple[str, ...], precision: float, width: Width = "two"
) -> Figure:
    """Final declarations against true values, a panel a role and condition."""
    import plotnine as p9

    final = measures.final_declarations(tables)
    data = final.assign(
        panel=final["role"] + ", " + final["condition"].str.replace("_", " "),
        value=final["value"] / THOUSAND,
        declared=final["declared"] / THOUSAND,
    )
    panels = list(dict.fromkeys(data["panel"]))
    lines = _declared_lines(data, designs, precision)
    lines = lines[lines["panel"].isin(panels)]
    plot = (
        p9.ggplot(data, p9.aes("value", "declared"))
        + p9.geom_point(size=1.1, alpha=0.5, color=COLOURS[0], stroke=0)
        + _line_layers(lines, "value", "declared")
        + p9.facet_wrap("panel", scales="free", ncol=2)
        + p9.labs(x="true value (1,000 points)", y="declared value (1,000 points)")
        + theme()
    )
    said = []
    for panel, part in data.groupby("panel", sort=False):
        said.append(f"{panel}: mean markup {100 * part['markup'].mean():+.0f} %, n = {len(part)}")
    return Figure(
        name="declared",
        title="Declared against true values",
        plot=plot,
        data=pd.concat(
            [data[["panel", "value", "declared", "tax"]].assign(kind="declared"), lines]
        ),
        caption=(
            "Final declarations of all rounds (points) against the true value. The solid line "
            f"marks true declarations{_also(lines)}. {'; '.join(said)}."
        ),
        alt="Scatter of declared against true values. " + "; ".join(said) + ".",
        width=width,
        height_mm=22 + (58 if width == "two" else 42) * -(-len(panels) // 2),
    )


def turnover_figure(
    tables: Tables, designs: tuple[str, ...], precision: float, width: Width = "two"
) -> Figure:
    """Share of lots that were bought, by percentile of the declaration, a panel a role."""
    import plotnine as p9

    data = measures.turnover(tables)
    roles = list(dict.fromkeys(data["role"]))
    rates = data.groupby("role")["truthful"].mean()
    theory = pd.DataFrame({"role": rates.index, "bought": rates.to_numpy(), "kind": "truthful"})
    ends = pd.concat([theory.assign(percentile=x) for x in (0.0, 1.0)])
    lines = [ends[["role", "percentile", "bought", "kind"]]]
    if designs:
        other = measures.turnover(scripted("zero intelligence", designs))
        if len(other):
            lines.append(other.assign(kind="zero intelligence"))
        expected = expected_turnover(designs, precision)
        if len(expected):
            lines.append(expected.assign(kind=EQUILIBRIUM))
    drawn = pd.concat(lines)[["role", "percentile", "bought", "kind"]]
    drawn = drawn[drawn["role"].isin(roles)]
    plot = (
        p9.ggplot(data, p9.aes("percentile", "bought"))
        + p9.geom_point(p9.aes(size="n"), color=COLOURS[0], alpha=0.8, show_legend=False)
        + _line_layers(drawn, "percentile", "bought")
        + p9.facet_wrap("role")
        + p9.coord_cartesian(ylim=(0, 1))
        + p9.scale_size_area(max_size=4)
        + p9.labs(x="percentile of the declaration in its band", y="share of lots bought")
        + theme()
    )
    said = []
    for role, part in data.groupby("role", sort=False):
        bought = (part["bought"] * part["n"]).sum() / part["n"].sum()
        at = float(theory.loc[theory["role"] == role, "bought"].iloc[0])
        said.append(f"{role}: {bought:.2f} bought, {at:.2f} would keep declarations true")
    return Figure(
        name="turnover",
        title="Turnover by declaration",
        plot=plot,
        data=pd.concat([data.assign(kind="bought"), drawn]),
        caption=(
            "Share of lots bought in the final stage by class of the declaration's percentile "
            "(points; their size is the number of lots). The solid line is the purchase "
            "probability tax x (1 - own shares) / buyers' share that keeps declarations true"
            f"{_also(drawn)}. {'; '.join(said)}."
        ),
        alt="Shares of lots bought by percentile. " + "; ".join(said) + ".",
        width=width,
        height_mm=74,
    )


def prices_figure(tables: Tables, designs: tuple[str, ...], width: Width = "two") -> Figure:
    """Prices over what a share paid, trade by trade: one line per round."""
    import plotnine as p9

    data = measures.price_paths(tables)
    data = data.assign(
        path=data["session"].astype(int).astype(str) + "/" + data["round"].astype(str)
    )
    last = int(data["number"].max())
    lines = [pd.DataFrame({"number": [1, last], "ratio": [1.0, 1.0], "kind": "fundamental"})]
    for name in SCRIPTED if designs else ():
        other = measures.price_paths(scripted(name, designs))
        if len(other):
            middle = other[other["number"] <= last].groupby("number", as_index=False)["ratio"]
            many = middle.size()["size"] >= FEW_PATHS
            lines.append(middle.median()[many].assign(kind=name))
    drawn = pd.concat(lines)
    kinds = ("fundamental", *SCRIPTED)
    plot = (
        p9.ggplot(data, p9.aes("number", "ratio"))
        + p9.geom_line(p9.aes(group="path"), color=COLOURS[0], alpha=0.4, size=0.4)
        + _line_layers(drawn, "number", "ratio", kinds)
        + p9.labs(x="trade of the round", y="price / what a share paid")
        + theme()
    )
    away = float((data["ratio"] - 1).abs().mean())
    ends = data.groupby("path").tail(1)["ratio"]
    said = (
        f"{len(data)} trades in {data['path'].nunique()} rounds; prices are {100 * away:.0f} % "
        f"away from what a share paid on average, {100 * (ends - 1).abs().mean():.0f} % in the "
        "last trade of a round"
    )
    return Figure(
        name="prices",
        title="Price paths against the fundamental",
        plot=plot,
        data=pd.concat([data[["path", "number", "ratio"]].assign(kind="trade"), drawn]),
        caption=(
            "Price of each trade over what a share paid at the end of the round, one line per "
            "round. At 1 (solid) the price is the fundamental"
            f"{_also(drawn, kinds, 'medians of ')}. {said}."
        ),
        alt=f"Lines of price ratios. {said}.",
        width=width,
        height_mm=78,
    )


def efficiency_figure(tables: Tables, designs: tuple[str, ...], width: Width = "two") -> Figure:
    """Sum of values over the best sum, round by round, next to scripted players."""
    import plotnine as p9

    groups = {"observed": measures.rounds(tables)}
    groups |= {name: measures.rounds(scripted(name, designs)) for name in SCRIPTED if designs}
    data = pd.concat([frame.assign(kind=name) for name, frame in groups.items()])
    kinds = list(groups)
    data["kind"] = pd.Categorical(data["kind"], list(reversed(kinds)), ordered=True)
    means = data.groupby("kind", as_index=False, observed=True)["efficiency"].mean()
    plot = (
        p9.ggplot(data, p9.aes("efficiency", "kind"))
        + p9.geom_point(size=1.2, alpha=0.4, color=MUTED, stroke=0)
        + p9.geom_point(data=means, size=2.6, shape="D", color=COLOURS[0])
        + p9.labs(x="sum of values / best sum", y="")
        + theme()
    )
    said = "; ".join(
        f"{name}: mean {frame['efficiency'].mean():.3f}, the better condition in "
        f"{frame['right'].sum():.0f} of {len(frame)} rounds"
        for name, frame in groups.items()
    )
    return Figure(
        name="efficiency",
        title="Efficiency",
        plot=plot,
        data=data.reset_index(drop=True),
        caption=f"Rounds (points) and their means (diamonds). {said}.",
        alt=f"Efficiency by round. {said}.",
        width=width,
        height_mm=26 + 9 * len(kinds),
    )


def payoffs_figure(tables: Tables, designs: tuple[str, ...], width: Width = "two") -> Figure:
    """Euro by role, next to scripted players."""
    import plotnine as p9

    groups = {"observed": measures.payoffs(tables, ROLES)}
    groups |= {
        name: measures.payoffs(scripted(name, designs), ROLES) for name in SCRIPTED if designs
    }
    data = pd.concat([frame.assign(kind=name) for name, frame in groups.items()])
    roles = [role for role in (*ROLES, "all") if role in set(groups["observed"]["role"])]
    data = data[data["role"].isin(roles)].reset_index(drop=True)
    data["role"] = pd.Categorical(data["role"], roles, ordered=True)
    side = p9.position_dodge(width=0.5)
    plot = (
        p9.ggplot(data, p9.aes("role", "mean", color="kind", shape="kind"))
        + p9.geom_linerange(p9.aes(ymin="low", ymax="high"), position=side, na_rm=True)
        + p9.geom_point(position=side, size=1.9)
        + p9.labs(x="", y="euro")
        + group_scales(list(groups))
        + p9.guides(fill="none")
        + theme()
    )
    own = groups["observed"]
    said = "; ".join(
        f"{role}: {mean:.2f} euro, Gini {inequality:.2f}"
        for role, mean, inequality in zip(own["role"], own["mean"], own["gini"], strict=True)
    )
    return Figure(
        name="payoffs",
        title="Payoffs by role",
        plot=plot,
        data=data,
        caption=(
            "Mean payoff of a round in euro, as if it were paid, with base points and fee. Lines "
            "are 95 % intervals over three or more sessions. The Gini coefficient is over "
            f"participants. {said}."
        ),
        alt=f"Mean payoffs by role. {said}.",
        width=width,
        height_mm=74,
    )


def _declared_lines(data: pd.DataFrame, designs: tuple[str, ...], precision: float) -> pd.DataFrame:
    """Lines of declarations by value, with their panel."""
    parts = []
    for panel, part in data.groupby("panel", sort=False):
        ends = [part["value"].min(), part["value"].max()]
        parts.append(
            pd.DataFrame({"panel": panel, "value": ends, "declared": ends, "kind": "truthful"})
        )
    if designs:
        other = measures.final_declarations(scripted("zero intelligence", designs))
        for (role, condition), part in other.groupby(["role", "condition"]):
            panel = f"{role}, {str(condition).replace('_', ' ')}"
            parts.append(_straight(part).assign(panel=panel, kind="zero intelligence"))
        expected = expected_declarations(designs, precision)
        if len(expected):
            words = expected["condition"].map(dict(enumerate(CONDITION_WORDS)))
            mean = expected.assign(
                panel=expected["role"] + ", " + words.str.replace("_", " "), kind=EQUILIBRIUM
            )
            keys = ["panel", "kind", "value"]
            grid = mean.groupby(keys)["declared"].mean().reset_index()
            parts.append(
                grid.assign(value=grid["value"] / THOUSAND, declared=grid["declared"] / THOUSAND)
            )
    return pd.concat(parts)[["panel", "value", "declared", "kind"]]


def _straight(part: pd.DataFrame) -> pd.DataFrame:
    """Ends of the least-squares line of declarations on values, in 1,000 points."""
    value, declared = (part[name].to_numpy(float) / THOUSAND for name in ("value", "declared"))
    ends = np.array([value.min(), value.max()])
    slope = np.cov(value, declared)[0, 1] / value.var(ddof=1) if np.ptp(value) > 0 else 0.0
    line = declared.mean() + slope * (ends - value.mean())
    return pd.DataFrame({"value": ends, "declared": line})


def _line_layers(lines: pd.DataFrame, x: str, y: str, kinds: Sequence[str] = KINDS) -> list[object]:
    """Layers of lines by kind, each with its pattern."""
    import plotnine as p9

    there = [kind for kind in kinds if kind in set(lines["kind"])]
    patterns = [LINES[list(kinds).index(kind)] for kind in there]
    data = lines.assign(kind=pd.Categorical(lines["kind"], there, ordered=True))
    return [
        p9.geom_line(p9.aes(x, y, linetype="kind"), data=data, color=MUTED, size=0.6),
        p9.scale_linetype_manual(values=patterns, limits=there),
    ]


def _also(lines: pd.DataFrame, kinds: Sequence[str] = KINDS, of: str = "") -> str:
    """Which lines are drawn next to the first, in words."""
    there = set(lines["kind"])
    named = [
        f"{pattern}: {of}{kind}"
        for kind, pattern in zip(kinds[1:], PATTERNS, strict=True)
        if kind in there
    ]
    if not named:
        return "; lines of scripted players need tables with the rules"
    return "; " + ", ".join(named)
