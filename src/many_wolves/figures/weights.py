"""Parameters by speaker and condition, with intervals, and a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from many_wolves.figures.figure import Figure
from many_wolves.figures.lineage import Kin, mark_scales
from many_wolves.figures.theme import (
    BAND,
    COLOURS,
    LETTER_MM,
    MM,
    MUTED,
    Width,
    legend,
    legend_mm,
    theme,
)

if TYPE_CHECKING:
    import plotnine as p9


CROWD = 6
"""Maximum number of speakers side by side; with more, each gets a row."""


def weights(
    frame: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    conditions: Sequence[str],
    reference: pd.DataFrame | None = None,
    reference_name: str = "reference",
    marks: pd.DataFrame | None = None,
    marks_name: str = "",
    interval: str = "95 % highest-density interval",
    note: str = "",
    title: str = "Parameters by speaker and condition",
    kin: Kin | None = None,
    width: Width = "two",
) -> Figure:
    """Posterior means and intervals of parameters in [0, 1].

    Parameters
    ----------
    frame
        speaker, parameter, condition, mean, hdi_low, hdi_high.
    labels
        Heading of each parameter's panel; the keys select and order the parameters.
    conditions
        Conditions in the order drawn; others are left out.
    reference
        The same columns without ``speaker``; drawn as a grey band with its mean.
    reference_name
        Description of the band for the caption.
    marks
        parameter, condition, value: further values, drawn as open diamonds next to the
        points; only if speakers are side by side.
    marks_name
        Description of the diamonds for the caption.
    interval
        Kind of the intervals, for the caption.
    note
        Further sentences for the caption, such as the numbers of choices.
    title
        Title of the figure.
    kin
        Speakers that share a colour; marks of base models are hollow.
    width
        One or two columns.
    """
    import plotnine as p9

    speakers = list(dict.fromkeys(frame["speaker"]))
    labels = _headings(labels, speakers) if len(speakers) > CROWD else labels
    data = _ordered(frame, labels, conditions)
    band = None if reference is None else _ordered(reference, labels, conditions)
    crowded = len(speakers) > CROWD
    plot = (
        _rows(data, band, speakers, kin or Kin())
        if crowded
        else _columns(data, band, speakers, width)
    )
    if marks is not None and not crowded:
        plot = plot + p9.geom_point(
            p9.aes("condition", "value"), data=_ordered(marks, labels, conditions),
            inherit_aes=False, shape="D", fill="white", color=MUTED, size=2, stroke=0.6,
            position=p9.position_nudge(x=0.28),
        )  # fmt: skip
    plot = plot + mark_scales(speakers, kin) + theme()
    if not crowded:
        plot = plot + p9.theme(axis_text_x=p9.element_text(rotation=30, ha="right"))
    if crowded or len(speakers) == 1:
        plot = plot + p9.theme(legend_position="none")
    height = (
        30 + 4 * len(speakers) * len(conditions) if crowded else 66 + legend_mm(speakers, width)
    )
    if width == "one" and not crowded:
        height += 44
    return Figure(
        name="weights",
        title=title,
        plot=plot,
        data=_tidy(data, band, reference_name),
        caption=_caption(
            speakers,
            reference_name if band is not None else "",
            marks_name if marks is not None and not crowded else "",
            interval,
            " ".join(part for part in (kin.note if kin else "", note) if part),
        ),
        alt=_alt(data, speakers),
        width=width,
        height_mm=height,
    )


def _headings(labels: Mapping[str, str], speakers: Sequence[str]) -> dict[str, str]:
    """Headings in two lines, if the names of speakers leave too little room for one."""
    room = (MM["two"] - LETTER_MM * max(map(len, speakers))) / len(labels) - 3
    wide = any(LETTER_MM * len(text) > room for text in labels.values())
    return {name: text.replace(": ", ":\n") if wide else text for name, text in labels.items()}


def _ordered(
    frame: pd.DataFrame, labels: Mapping[str, str], conditions: Sequence[str]
) -> pd.DataFrame:
    part = frame[frame["parameter"].isin(list(labels)) & frame["condition"].isin(list(conditions))]
    return part.assign(
        panel=pd.Categorical(part["parameter"].map(labels), list(labels.values()), ordered=True),
        condition=pd.Categorical(part["condition"], list(conditions), ordered=True),
    )


def _tidy(data: pd.DataFrame, band: pd.DataFrame | None, reference: str) -> pd.DataFrame:
    """All data of the figure: ``drawn`` distinguishes points from the reference's band."""
    parts = [data.assign(drawn="point")]
    if band is not None:
        parts.append(band.assign(drawn="band", speaker=reference))
    columns = ["drawn", "speaker", "parameter", "condition", "mean", "hdi_low", "hdi_high"]
    return pd.concat([part[columns] for part in parts], ignore_index=True)


def _columns(
    data: pd.DataFrame, band: pd.DataFrame | None, speakers: Sequence[str], width: Width
) -> p9.ggplot:
    """Speakers side by side at each condition."""
    import plotnine as p9

    data = data.assign(speaker=pd.Categorical(data["speaker"], list(speakers), ordered=True))
    dodge = p9.position_dodge(width=min(0.8, 0.2 * len(speakers)))
    plot = p9.ggplot(data, p9.aes("condition", "mean"))
    if band is not None:
        plot = plot + p9.geom_crossbar(
            p9.aes("condition", "mean", ymin="hdi_low", ymax="hdi_high"),
            data=band, width=0.86, fill=BAND, color="#9a9a9a", size=0.3, fatten=1.4,
        )  # fmt: skip
    marks = p9.aes(ymin="hdi_low", ymax="hdi_high", color="speaker", shape="speaker")
    return (
        plot
        + p9.geom_linerange(marks, position=dodge, size=0.7)
        + p9.geom_point(
            p9.aes(color="speaker", fill="speaker", shape="speaker"), position=dodge, size=1.9
        )
        + p9.facet_wrap("panel", ncol=4 if width == "two" else 2)
        + p9.coord_cartesian(ylim=(0, 1))
        + p9.scale_y_continuous(
            breaks=[0, 0.25, 0.5, 0.75, 1], labels=["0", ".25", ".5", ".75", "1"]
        )
        + p9.labs(x="", y="posterior mean")
        + legend(speakers, width)
    )


def _rows(
    data: pd.DataFrame, band: pd.DataFrame | None, speakers: Sequence[str], kin: Kin
) -> p9.ggplot:
    """One row per speaker, one block of rows per condition, for any number of speakers."""
    import plotnine as p9

    upward = list(reversed(list(speakers)))
    data = data.assign(row=pd.Categorical(data["speaker"], upward, ordered=True))
    # The blank layer makes the axis discrete before the band adds numbers to it.
    plot = p9.ggplot(data, p9.aes("mean", "row")) + p9.geom_blank()
    if band is not None:
        everywhere = p9.aes(xmin="hdi_low", xmax="hdi_high", ymin=0.4, ymax=len(speakers) + 0.6)
        plot = (
            plot
            + p9.geom_rect(everywhere, data=band, inherit_aes=False, fill=BAND)
            + p9.geom_vline(p9.aes(xintercept="mean"), data=band, color=MUTED, size=0.3)
        )
    base = data[data["speaker"].isin(kin.base)]
    hollow = (
        [p9.geom_point(data=base, size=1.5, color=COLOURS[0], fill="white")] if len(base) else []
    )
    return (
        plot
        + p9.geom_segment(
            p9.aes(x="hdi_low", xend="hdi_high", yend="row"), size=0.6, color=COLOURS[0]
        )
        + p9.geom_point(size=1.5, color=COLOURS[0])
        + hollow
        + p9.facet_grid("condition", "panel")
        + p9.coord_cartesian(xlim=(0, 1))
        + p9.scale_x_continuous(breaks=[0, 0.5, 1])
        + p9.labs(x="posterior mean", y="")
    )


def _caption(speakers: Sequence[str], band: str, marks: str, interval: str, note: str) -> str:
    who = "1 speaker" if len(speakers) == 1 else f"{len(speakers)} speakers"
    parts = [
        f"Posterior means (points) with {interval}s (lines), {who}.",
        f"Grey bands: {band}, mean and {interval}." if band else "",
        f"Open diamonds: {marks}." if marks else "",
        note,
    ]
    return " ".join(part for part in parts if part)


def _alt(data: pd.DataFrame, speakers: Sequence[str]) -> str:
    """The means in words, for the first speakers only: a screen reader reads all of it."""
    parts = []
    for speaker in list(speakers)[:CROWD]:
        mine = data[data["speaker"] == speaker]
        values = [
            f"{name} "
            + ", ".join(f"{c} {m:.2f}" for c, m in zip(g["condition"], g["mean"], strict=True))
            for name, g in mine.groupby("parameter", sort=False, observed=True)
        ]
        parts.append(f"{speaker}: " + "; ".join(values))
    more = f" {len(speakers) - CROWD} more speakers are drawn." if len(speakers) > CROWD else ""
    return "Posterior means. " + ". ".join(parts) + "." + more
