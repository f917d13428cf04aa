"""Do the chains agree? Rank ECDF differences and traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import BAND, LINES, Width, group_scales, theme

if TYPE_CHECKING:
    import plotnine as p9

Draws = npt.NDArray[np.float64]

FEWEST = 20
"""Minimum number of draws per chain after thinning."""

POINTS = 40
"""Points at which rank ECDFs are evaluated."""

SIMULATIONS = 4000
SIMULATION_SEED = 20


def ranks(
    draws: Mapping[str, Draws],
    ess: Mapping[str, float],
    columns: int = 5,
    width: Width = "two",
) -> Figure:
    """Difference between the ECDF of each chain's ranks and that of the uniform distribution.

    The graphical test of Säilynoja, Bürkner & Vehtari (2022),
    doi:10.1007/s11222-022-10090-6: chains that sample the same distribution stay
    inside the band. Draws are first thinned to the effective sample size, because the band
    is valid for independent draws.

    Parameters
    ----------
    draws
        Parameter -> array (chain, draw).
    ess
        Parameter -> effective sample size, over all chains.
    columns
        Panels side by side.
    width
        One or two columns.
    """
    import plotnine as p9

    # Bonferroni correction: the bands of all panels together have 95 % coverage.
    each = 0.95 ** (1 / max(len(draws), 1))
    lines, bands = [], []
    for name, values in draws.items():
        line, band = _rank_ecdf(values, ess.get(name, float("nan")), each)
        lines.append(line.assign(parameter=name))
        bands.append(band.assign(parameter=name))
    order = list(draws)
    line, band = (_panels(pd.concat(frames), order) for frames in (lines, bands))
    outside = _outside(line, band)
    plot = (
        p9.ggplot(line, p9.aes("rank"))
        + p9.geom_ribbon(p9.aes(ymin="low", ymax="high"), data=band, fill=BAND)
        + p9.geom_line(p9.aes(y="difference", color="chain", linetype="chain"), size=0.45)
        + p9.facet_wrap("parameter", ncol=columns)
        + p9.scale_x_continuous(breaks=[0, 0.5, 1], labels=["0", ".5", "1"])
        + p9.labs(x="fractional rank", y="ECDF difference")
        + _chain_scales(line)
        + theme(6.8)
    )
    n_chains = line["chain"].nunique()
    verdict = "every chain stays inside its band" if not outside else (
        "chains leave the band for " + ", ".join(outside)
    )  # fmt: skip
    return Figure(
        name="ranks",
        title="Ranks of the chains",
        plot=plot,
        data=line,
        caption=(
            "Difference between the distribution of each chain's ranks and the uniform "
            f"distribution, {n_chains} chains, draws thinned to the effective sample size. "
            "Grey: 95 % simultaneous band over all panels for chains that agree. "
            f"Result: {verdict}."
        ),
        alt=f"Small panels of rank differences, one per parameter; {verdict}.",
        width=width,
        height_mm=18 + 23 * -(-len(order) // columns),
    )


def trace(draws: Mapping[str, Draws], columns: int = 2, points: int = 400) -> Figure:
    """Draws in the order of sampling, one line per chain.

    Parameters
    ----------
    draws
        Parameter -> array (chain, draw).
    columns
        Panels side by side.
    points
        Number of evenly spaced draws to show per chain.
    """
    import plotnine as p9

    frames = []
    for name, values in draws.items():
        keep = np.unique(np.linspace(0, values.shape[1] - 1, points).round().astype(int))
        for chain, row in enumerate(values):
            part = {"draw": keep, "value": row[keep], "chain": str(chain + 1), "parameter": name}
            frames.append(pd.DataFrame(part))
    data = _panels(pd.concat(frames), list(draws))
    plot = (
        p9.ggplot(data, p9.aes("draw", "value", color="chain"))
        + p9.geom_line(size=0.25, alpha=0.8)
        + p9.facet_wrap("parameter", ncol=columns, scales="free_y")
        + p9.labs(x="draw", y="")
        + _chain_scales(data)
        + theme()
    )
    shown = ", ".join(draws)
    return Figure(
        name="trace",
        title="Traces",
        plot=plot,
        data=data,
        caption=(
            f"Draws after warm-up of {shown}: the parameters for which the chains agree least "
            f"(highest R-hat), {data['chain'].nunique()} chains, "
            f"{data['draw'].nunique()} draws of each shown."
        ),
        alt=f"Traces of {shown}, one line per chain.",
        height_mm=20 + 26 * -(-len(draws) // columns),
        raster=True,
    )


def _rank_ecdf(values: Draws, ess: float, prob: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """ECDF differences at the evaluation points, and the band around zero."""
    from scipy.stats import rankdata

    chains, length = values.shape
    independent = ess if np.isfinite(ess) and ess > 0 else values.size
    # With fewer than about twenty draws per chain, the plot shows nothing; keep at least these.
    step = int(min(np.ceil(values.size / independent), max(1, length // FEWEST)))
    thin = values[:, :: max(step, 1)]
    n = thin.shape[1]
    at, low, high = rank_band(n, chains, prob)
    order = rankdata(thin, method="ordinal").reshape(thin.shape)
    steps = np.round(at * thin.size)
    rows = [
        pd.DataFrame(
            {
                "rank": at,
                "difference": (row[None] <= steps[:, None]).mean(axis=1) - at,
                "chain": str(chain + 1),
            }
        )
        for chain, row in enumerate(order)
    ]
    band = pd.DataFrame({"rank": at, "low": low, "high": high})
    return pd.concat(rows, ignore_index=True), band


@cache
def rank_band(n: int, chains: int, prob: float = 0.95) -> tuple[Draws, Draws, Draws]:
    """Simultaneous band of rank ECDF differences when all chains sample the same distribution.

    Algorithm 2 of Säilynoja, Bürkner & Vehtari (2022): the count of a chain's ranks
    below a point is hypergeometric. The pointwise level is lowered until ``prob`` of
    simulated sets of chains are inside everywhere.

    Parameters
    ----------
    n
        Number of draws per chain.
    chains
        Number of chains.
    prob
        Probability that all chains stay inside at all points.

    Returns
    -------
    tuple
        Points in (0, 1], lower and upper bounds of the difference: (K,) each.
    """
    from scipy.stats import hypergeom

    total = n * chains
    steps = np.unique(np.linspace(0, total, POINTS + 1)[1:].round().astype(int))
    counts = np.arange(n + 1)
    # Summing probabilities takes a small part of the time of SciPy's distribution function.
    each = np.exp(hypergeom.logpmf(counts[None], total, n, steps[:, None]))
    below, above = each.cumsum(axis=1), each[:, ::-1].cumsum(axis=1)[:, ::-1]
    tail = np.minimum(1.0, 2 * np.minimum(below, above))
    extremes = np.ones(SIMULATIONS)
    for k, per_chain in enumerate(_mixed_counts(np.diff(steps, prepend=0), n, chains)):
        extremes = np.minimum(extremes, tail[k][per_chain].min(axis=0))
    level = np.quantile(extremes, 1 - prob)
    inside = tail >= level
    low = counts[inside.argmax(axis=1)] / n
    high = counts[n - inside[:, ::-1].argmax(axis=1)] / n
    at = steps / total
    return at, low - at, high - at


def _mixed_counts(
    increments: npt.NDArray[np.int64], n: int, chains: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Counts (chain, simulation) of ranks below each point when ranks are mixed at random."""
    rng = np.random.default_rng(SIMULATION_SEED)
    counts = np.zeros((chains, SIMULATIONS), dtype=np.int64)
    for increment in increments:
        left = n - counts
        open_places = np.full(SIMULATIONS, increment)
        for chain in range(chains):
            others = left[chain + 1 :].sum(axis=0)
            taken = rng.hypergeometric(left[chain], others, open_places)
            counts[chain] += taken
            open_places -= taken
        yield counts


def _outside(line: pd.DataFrame, band: pd.DataFrame) -> list[str]:
    """Parameters for which at least one chain leaves the band."""
    both = line.merge(band, on=["parameter", "rank"])
    slack = 1e-9
    out = (both["difference"] < both["low"] - slack) | (both["difference"] > both["high"] + slack)
    return [str(name) for name in dict.fromkeys(both.loc[out, "parameter"])]


def _panels(frame: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    return frame.assign(parameter=pd.Categorical(frame["parameter"], list(order), ordered=True))


def _chain_scales(frame: pd.DataFrame) -> list[p9.scales.scale]:
    import plotnine as p9

    chains = sorted(set(frame["chain"]), key=int)
    colour = group_scales(chains)[0]
    styles = [LINES[i % len(LINES)] for i in range(len(chains))]
    return [colour, p9.scale_linetype_manual(values=styles, limits=chains)]
