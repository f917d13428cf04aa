"""Figures of the moves: prices by round, acceptance by share, game length, tournaments."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.fitted import Fitted
from many_wolves.figures.heatmap import heat
from many_wolves.figures.theme import COLOURS, MUTED, Width, group_scales, theme
from many_wolves.outcomes import Array

BINS = np.linspace(0, 1, 11)
"""Ends of the bins of offered shares."""
FEWEST = 5
"""Messages below which a bin or a round is not drawn."""

_MOST_ABREAST = 8
"""Partners above which the two heat maps of a tournament are below each other."""


def whole_numbers(limits: tuple[float, float]) -> list[int]:
    """Ticks at whole numbers, seven at most."""
    low, high = math.ceil(limits[0]), math.floor(limits[1])
    return list(range(low, high + 1, max(math.ceil((high - low) / 6), 1)))


def prices_by_round(fit: Fitted) -> pd.DataFrame:
    """side, round, median, low, high, n: the seller's share at the prices that each side names."""
    demand = fit.values("observed_data", "demanded").to_numpy()
    seller = fit.values("observed_data", "seller").to_numpy() > 0
    at = fit.values("observed_data", "round").to_numpy().astype(int)
    rows = []
    for side, own in (("seller", seller), ("buyer", ~seller)):
        for number in np.unique(at):
            here = demand[own & (at == number) & np.isfinite(demand)]
            if here.size >= FEWEST:
                share = here if side == "seller" else 1 - here
                low, high = np.quantile(share, [0.1, 0.9])
                rows.append((side, number, float(np.median(share)), low, high, here.size))
    return pd.DataFrame(rows, columns=["side", "round", "median", "low", "high", "n"])


def trajectories(fit: Fitted, width: Width = "one") -> Figure:
    """Prices of both sides by round."""
    import plotnine as p9

    data = prices_by_round(fit)
    sides = list(dict.fromkeys(data["side"]))
    plot = (
        p9.ggplot(data, p9.aes("round", "median", color="side", fill="side", shape="side"))
        + p9.geom_ribbon(p9.aes(ymin="low", ymax="high"), alpha=0.15, color="none")
        + p9.geom_line(size=0.6)
        + p9.geom_point(size=1.6)
        + p9.scale_x_continuous(breaks=whole_numbers)
        + p9.labs(x="message number of the side", y="price, as the seller's share of the pie")
        + group_scales(sides)
        + theme()
    )
    ends = "; ".join(
        f"{side} from {own['median'].iloc[0]:.2f} to {own['median'].iloc[-1]:.2f}"
        for side, own in data.groupby("side", sort=False)
    )
    return Figure(
        "trajectories", "Prices of both sides", plot, data,
        f"Median price of each side's offers by message (lines), middle 80 % (bands); messages "
        f"with fewer than {FEWEST} offers are left out. n = {data['n'].sum():,} offers.",
        f"Two lines of prices by message: {ends}.", width, 70,
    )  # fmt: skip


def acceptance(fit: Fitted) -> pd.DataFrame:
    """share, rate, low, high, n: how often offers of each share were accepted."""
    offered = fit.values("observed_data", "offered_share").to_numpy()
    taken = fit.values("observed_data", "accepted").to_numpy() > 0
    bins = np.clip(np.digitize(offered + 1e-9, BINS) - 1, 0, BINS.size - 2)
    rows = []
    for number in range(BINS.size - 1):
        here = taken[(bins == number) & np.isfinite(offered)]
        if here.size >= FEWEST:
            low, high = _jeffreys(int(here.sum()), here.size)
            middle = (BINS[number] + BINS[number + 1]) / 2
            rows.append((middle, here.mean(), low, high, here.size))
    return pd.DataFrame(rows, columns=["share", "rate", "low", "high", "n"])


def _jeffreys(count: int, n: int) -> tuple[float, float]:
    from scipy.stats import beta

    low, high = beta.ppf([0.025, 0.975], count + 0.5, n - count + 0.5)
    return (0.0 if count == 0 else float(low)), (1.0 if count == n else float(high))


def acceptance_curve(fit: Fitted, width: Width = "one") -> Figure:
    """How often an offer is accepted, by the share that it leaves."""
    import plotnine as p9

    data = acceptance(fit)
    plot = (
        p9.ggplot(data, p9.aes("share", "rate"))
        + p9.geom_linerange(p9.aes(ymin="low", ymax="high"), color=COLOURS[0], size=0.6)
        + p9.geom_line(color=COLOURS[0], size=0.5)
        + p9.geom_point(color=COLOURS[0], size=1.8)
        + p9.geom_vline(xintercept=0.5, color=MUTED, linetype="dashed", size=0.4)
        + p9.coord_cartesian(xlim=(0, 1), ylim=(0, 1))
        + p9.labs(x="share of the pie that is offered", y="acceptance rate")
        + theme()
    )
    words = ", ".join(f"{r.rate:.2f} at {r.share:.2f}" for r in data.itertuples())
    return Figure(
        "acceptance", "Acceptance against what is offered", plot, data,
        "Share of standing offers that are accepted, by the share of the pie that they leave, "
        f"with 95 % Jeffreys intervals. Bins with fewer than {FEWEST} messages are left "
        f"out. n = {data['n'].sum():,} messages.",
        f"Acceptance by offered share: {words}.", width, 66,
    )  # fmt: skip


def survival(
    last: Array, ended: npt.NDArray[np.bool_], agreed: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """round, open, agreed, at_risk, ends, cut: shares of games by the end of each round.

    Parameters
    ----------
    last
        (N,) last round.
    ended
        (N,) whether the game ended in it. Otherwise it was cut, and had not ended by then.
    agreed
        (N,) whether it ended with a deal.

    References
    ----------
    ``open`` is the estimate of Kaplan & Meier (1958, JASA 53). ``agreed`` is that of Aalen &
    Johansen (1978, Scand. J. Statist. 5), in which a game that ends otherwise never agrees.
    """
    rows, still, closed = [(0, 1.0, 0.0, last.size, 0, 0)], 1.0, 0.0
    for number in range(1, int(last.max()) + 1):
        risk, here = int((last >= number).sum()), last == number
        ends = int((here & ended).sum())
        if risk:
            closed += still * int((here & agreed).sum()) / risk
            still *= 1 - ends / risk
        rows.append((number, still, closed, risk, ends, int((here & ~ended).sum())))
    return pd.DataFrame(rows, columns=["round", "open", "agreed", "at_risk", "ends", "cut"])


def survival_curve(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """The time to agreement and to any end; a game that was cut is censored."""
    import plotnine as p9

    parts = []
    for fit in fits:
        counts = fit.values("observed_data", "counts")
        cut, deal = (counts.sel(end=end).to_numpy() for end in ("cut", "deal"))
        last = fit.values("observed_data", "last_round").to_numpy().astype(int)
        parts.append(survival(last, cut == 0, deal > 0).assign(speaker=fit.label))
    data = pd.concat(parts, ignore_index=True)
    names = list(dict.fromkeys(data["speaker"]))
    panels = {"agreed": "games with a deal so far", "open": "games still open"}
    drawn = data.melt(
        ["speaker", "round", "cut"], list(panels), var_name="panel", value_name="share"
    )
    drawn["panel"] = pd.Categorical(drawn["panel"].map(panels), list(panels.values()), ordered=True)
    # With more speakers than colours, each has its own panel, and colours mark the two curves.
    apart = len(names) > len(COLOURS)
    drawn["speaker"] = pd.Categorical(drawn["speaker"], names, ordered=True)
    panel, line, kinds = (
        ("speaker", "panel", list(panels.values())) if apart else ("panel", "speaker", names)
    )
    across = (4 if apart else 2) if width == "two" else (2 if apart else 1)
    height = 62 if width == "two" else 110
    plot = (
        p9.ggplot(drawn, p9.aes("round", "share", color=line, shape=line))
        + p9.geom_step(size=0.6)
        + p9.geom_point(data=drawn[drawn["cut"] > 0], size=1.8, fill="none")
        + p9.facet_wrap(panel, ncol=across)
        + p9.coord_cartesian(ylim=(0, 1))
        + p9.scale_x_continuous(breaks=whole_numbers)
        + p9.labs(x="round", y="share of games")
        + group_scales(kinds)
        + theme()
    )
    ends = "; ".join(
        f"{name}: {own['agreed'].iloc[-1]:.2f} with a deal and {own['open'].iloc[-1]:.2f} open "
        f"after round {own['round'].iloc[-1]}"
        for name, own in data.groupby("speaker", sort=False)
    )
    return Figure(
        "time_to_end", "Time to agreement, and to any end", plot, data,
        "Share of games with a deal by the end of a round (Aalen-Johansen), and share of games "
        "that have not ended (Kaplan-Meier). Points mark rounds in which games were cut; these "
        "count as open up to there. "
        + "; ".join(f"{f.label}: n = {f.info['choices']:,.0f} games" for f in fits) + ".",
        f"Steps by round: {ends}.", width,
        22 + 32 * math.ceil(len(names) / across) if apart else height,
    )  # fmt: skip


def pairs(fits: Sequence[Fitted], value: str) -> pd.DataFrame:
    """row, column, value: what each speaker (row) gets from each partner (column), predicted.

    ``value`` is ``deal`` (share of games that end with one) or ``share`` (of the pie, a game
    without a deal counting as nothing).
    """
    rows = []
    for fit in fits:
        partner = fit.values("observed_data", "episode_partner").to_numpy().astype(int)
        names = [str(p) for p in fit.values("posterior", "partner_at")["partner"].to_numpy()]
        deals = fit.values("posterior", "predicted").sel(end="deal").mean(("chain", "draw"))
        each = deals.to_numpy()
        if value == "share":
            each = fit.values("posterior", "expected").mean(("chain", "draw")).to_numpy()
        for number, name in enumerate(names):
            here = partner == number
            rows.append((fit.label, name.rsplit("/", 1)[-1], float(each[here].mean())))
    return pd.DataFrame(rows, columns=["row", "column", "value"])


def tournament(fits: Sequence[Fitted], width: Width = "two") -> Figure:
    """What every speaker gets from every partner: deals, and shares."""
    import plotnine as p9

    headings = {"deal": "games with a deal", "share": "share of the pie per game"}
    data = pd.concat(
        [pairs(fits, name).assign(panel=words) for name, words in headings.items()],
        ignore_index=True,
    )
    rows = list(dict.fromkeys(data["row"]))
    columns = list(dict.fromkeys(data["column"]))
    many = len(columns) > _MOST_ABREAST
    plot = heat(
        data, rows=rows, columns=columns, x="partner", y="speaker",
        panels=list(headings.values()), panel_columns=1 if many else 2,
    )  # fmt: skip
    turned = {"rotation": 90, "ha": "center"} if many else {"rotation": 30, "ha": "right"}
    plot = plot + p9.theme(axis_text_x=p9.element_text(**turned))
    words = "; ".join(
        f"{r.row} with {r.column}: {r.value:.2f} ({r.panel})" for r in data.itertuples()
    )
    return Figure(
        "tournament", "Every speaker against every partner", plot, data,
        "Posterior means by speaker (rows) and partner (columns). A game without a deal "
        "counts as a share of zero.",
        f"Heat maps: {words}.", width, 60 + 11 * len(rows) if many else 40 + 9 * len(rows),
    )  # fmt: skip
