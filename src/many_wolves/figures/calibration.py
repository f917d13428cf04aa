"""Are posteriors calibrated? Differences between the ranks of truths and uniform ranks."""

from __future__ import annotations

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import BAND, COLOURS, Width, theme
from many_wolves.inference.evaluation.sbc import Calibration


def calibration(
    result: Calibration, names: dict[str, str], columns: int = 5, width: Width = "two"
) -> Figure:
    """One panel per quantity: ECDF of its ranks minus that of the uniform distribution, with its
    band.

    Parameters
    ----------
    result
        Verdict and ranks.
    names
        What to show -> headings of the panels.
    columns
        Panels side by side.
    width
        One or two columns.
    """
    import plotnine as p9

    shown = [test for test in result.tests if test.name in names]
    frames = [
        pd.DataFrame(
            {
                "quantity": names[test.name],
                "rank": test.points,
                "difference": test.difference,
                "low": test.lower,
                "high": test.upper,
            }
        )
        for test in shown
    ]
    data = pd.concat(frames, ignore_index=True)
    order = [names[test.name] for test in shown]
    data["quantity"] = pd.Categorical(data["quantity"], categories=order)
    plot = (
        p9.ggplot(data, p9.aes("rank"))
        + p9.geom_ribbon(p9.aes(ymin="low", ymax="high"), fill=BAND)
        + p9.geom_step(p9.aes(y="difference"), color=COLOURS[0], size=0.45)
        + p9.facet_wrap("quantity", ncol=columns)
        + p9.scale_x_continuous(breaks=[0, 0.5, 1], labels=["0", ".5", "1"])
        + p9.labs(x="fractional rank of the truth", y="ECDF difference")
        + theme(6.8)
    )
    return Figure(
        name="calibration-ranks",
        title="Calibration",
        plot=plot,
        data=data,
        caption=(
            "Distribution of the rank of the true value among 99 posterior draws, minus the "
            f"uniform distribution, over {result.simulations} simulations. Grey: 95 % "
            "simultaneous band "
            f"of each panel for calibrated posteriors. {result.verdict}."
        ),
        alt=f"Small panels of rank differences, one per quantity; {result.verdict}.",
        width=width,
        height_mm=18 + 23 * -(-len(order) // columns),
    )
