"""Comparison of the variants of a model: marginal likelihood and predictive accuracy."""

from __future__ import annotations

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.theme import COLOURS, MUTED, SHAPES, Width, theme

MEASURES = {
    "log_bf": ("log_ml_se", "log Bayes factor against the full model"),
    "elpd_diff": ("elpd_diff_se", "elpd (LOO) minus that of the full model"),
}


def comparison(table: pd.DataFrame, width: Width = "two") -> Figure:
    """Log Bayes factors and differences of elpd, one row per variant.

    Parameters
    ----------
    table
        Columns model, log_bf, log_ml_se, elpd_diff, elpd_diff_se, ok.
    width
        One or two columns.
    """
    import plotnine as p9

    parts = []
    for column, (se, words) in MEASURES.items():
        part = table[["model", "ok"]].assign(value=table[column], se=table[se], measure=words)
        parts.append(part.dropna(subset=["value"]))
    data = pd.concat(parts, ignore_index=True)
    data["low"], data["high"] = data["value"] - 1.96 * data["se"], data["value"] + 1.96 * data["se"]
    data["verdict"] = data["ok"].map({True: "reliable", False: "unreliable"})
    data["model"] = pd.Categorical(data["model"], categories=list(table["model"])[::-1])
    best = table["model"].iloc[int(table["elpd_diff"].to_numpy().argmax())]
    evident = table.dropna(subset=["log_bf"])
    worst = (
        evident["model"].iloc[int(evident["log_bf"].to_numpy().argmin())] if len(evident) else ""
    )
    shown = [v for v in ("reliable", "unreliable") if (data["verdict"] == v).any()]
    plot = (
        p9.ggplot(data, p9.aes("value", "model"))
        + p9.geom_vline(xintercept=0, color=MUTED, size=0.3)
        + p9.geom_errorbarh(p9.aes(xmin="low", xmax="high"), height=0.25, size=0.4)
        + p9.geom_point(p9.aes(color="verdict", shape="verdict"), size=1.8)
        + p9.facet_wrap("measure", scales="free_x")
        + p9.scale_color_manual(values=list(COLOURS[: len(shown)]), limits=shown)
        + p9.scale_shape_manual(values=list(SHAPES[: len(shown)]), limits=shown)
        + p9.labs(x="nats", y="")
        + theme()
    )
    return Figure(
        name="comparison-figure",
        title="Comparison of variants",
        plot=plot,
        data=data,
        caption=(
            "Log Bayes factor and difference in expected log predictive density of each variant, "
            "compared with the full model, in nats. Bars: 95 % intervals from the standard "
            "errors of the estimates. Those of log Bayes factors come from the estimated log "
            "marginal likelihood, and are often smaller than the mark."
        ),
        alt=(
            f"Two panels of points, one row per variant. By LOO {best} predicts best"
            + (f"; the marginal likelihood is lowest for {worst}." if worst else ".")
        ),
        width=width,
        height_mm=22 + 6 * len(table),
    )
