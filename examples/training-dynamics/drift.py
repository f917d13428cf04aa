"""From fits to the drift: ``trajectory.csv``, its figure, and whether the weights moved."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from settings import RATER, RUNS, Settings

from many_wolves.figures.figure import Figure
from many_wolves.figures.save import save
from many_wolves.figures.theme import group_scales, theme
from many_wolves.files import write_atomic

PARAMETERS = {
    "w_inf": "w_inf: informing",
    "w_soc": "w_soc: kindness",
    "w_pres": "w_pres: being seen",
    "phi": "phi: seen as informative",
}
COLUMNS = ["run", "algorithm", "step", "parameter", "condition", "mean", "hdi_low", "hdi_high"]


def fits(build: Path) -> pd.DataFrame:
    """Summaries of all fits: speaker, parameter, condition, mean, hdi_low, hdi_high, sound."""
    parts = []
    for file in sorted((build / "fits").glob("*/fit.json")):
        summary = pd.read_csv(file.parent / "summary.csv", keep_default_na=False)
        kept = summary[summary["parameter"].isin([*PARAMETERS, "alpha"])]
        sound = json.loads((file.parent / "diagnostics.json").read_text())["ok"]
        parts.append(kept.assign(speaker=json.loads(file.read_text())["speaker"], sound=sound))
    frame = pd.concat(parts, ignore_index=True)
    return frame[["speaker", "parameter", "condition", "mean", "hdi_low", "hdi_high", "sound"]]


def trajectory(frame: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Means and 95 % intervals of every checkpoint of both runs, from the table of all fits.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``, and whether the chains converged (``sound``). Steps count from the
        untrained model on, those of DPO after those of the supervised stage, which the runs share.
    """
    parts = []
    for speaker, part in frame[frame["speaker"].str.contains("@checkpoint-")].groupby("speaker"):
        model, _, revision = str(speaker).rpartition("@checkpoint-")
        stage = model.rpartition("-")[2]
        shared = stage == "sft"
        step = int(revision) + (0 if shared else settings.supervised.steps)
        algorithm = "sft" if shared else "dpo"
        runs = RUNS if shared else (stage,)
        parts += [part.assign(run=run, algorithm=algorithm, step=step) for run in runs]
    together = pd.concat(parts, ignore_index=True)[[*COLUMNS, "sound"]]
    return together.sort_values(["run", "step", "parameter"], ignore_index=True)


def targets(frame: pd.DataFrame) -> pd.DataFrame:
    """The same fit of the raters' own choices, and of those of the people who were imitated."""
    part = frame[frame["speaker"].str.startswith(RATER)]
    return part.assign(rater=part["speaker"].str.removeprefix(RATER)).drop(columns="speaker")


def verdicts(frame: pd.DataFrame, aims: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Whether each parameter moved as the feedback rewards, between start and end of DPO.

    ``rewarded`` is where the fit of the rater's own choices (``aims``) lies from the start;
    ``apart`` is whether the 95 % intervals of start and end have no value in common.
    """
    begin = settings.supervised.steps
    aim = aims.set_index(["rater", "parameter"])["mean"]
    rows = []
    for run in RUNS:
        mine = frame[frame["run"] == run].set_index(["parameter", "step"]).sort_index()
        for parameter in PARAMETERS:
            start, end = mine.loc[(parameter, begin)], mine.loc[parameter].iloc[-1]
            up = bool(aim[run, parameter] > start["mean"])
            moved = float(end["mean"]) - float(start["mean"])
            apart = end["hdi_low"] > start["hdi_high"] or end["hdi_high"] < start["hdi_low"]
            rows.append(
                {
                    "run": run,
                    "parameter": parameter,
                    "rewarded": "up" if up else "down",
                    "rater": round(float(aim[run, parameter]), 2),
                    "start": _words(start),
                    "end": _words(end),
                    "moved": round(moved, 3),
                    "as_rewarded": (moved > 0) == up,
                    "apart": bool(apart),
                }
            )
    return pd.DataFrame(rows)


def figure(frame: pd.DataFrame, aims: pd.DataFrame, settings: Settings) -> Figure:
    """Means with ribbons over training steps; dashed: the fit of the rater's own choices."""
    import plotnine as p9

    data = frame[frame["parameter"].isin(PARAMETERS)].copy()
    data["panel"] = _panel(data["parameter"])
    known = aims["parameter"].isin(PARAMETERS) & aims["rater"].isin(RUNS)
    target = aims[known].rename(columns={"rater": "run"})
    target = target.assign(panel=_panel(target["parameter"]))
    plot = (
        p9.ggplot(data, p9.aes("step", "mean", color="run", fill="run", shape="run"))
        + p9.geom_vline(xintercept=settings.supervised.steps, color="#6b6b6b", size=0.3)
        + p9.geom_hline(
            p9.aes(yintercept="mean", color="run"), data=target, linetype="dashed", size=0.4
        )
        + p9.geom_ribbon(p9.aes(ymin="hdi_low", ymax="hdi_high"), alpha=0.2, color="none")
        + p9.geom_line(size=0.5)
        + p9.geom_point(size=1.3)
        + p9.facet_wrap("panel", ncol=4)
        + p9.coord_cartesian(ylim=(0, 1))
        + p9.scale_y_continuous(
            breaks=[0, 0.25, 0.5, 0.75, 1], labels=["0", ".25", ".5", ".75", "1"]
        )
        + p9.labs(x="training step", y="posterior mean")
        + group_scales(RUNS)
        + theme()
    )
    return Figure(
        name="drift",
        title="Drift of the utility weights in training",
        plot=plot,
        data=data[COLUMNS],
        caption=(
            "Posterior means with 95 % highest-density intervals. Left of the line: supervised, "
            "shared by both runs; right of it: DPO on the judgments of two raters. Dashed: the "
            "same fit of the rater's own choices."
        ),
        alt=_alt(frame),
        width="two",
        height_mm=62,
    )


def write(settings: Settings, build: Path, results: Path) -> pd.DataFrame:
    """Write tables and figure; returns the verdicts."""
    summaries = fits(build)
    frame, aims = trajectory(summaries, settings), targets(summaries)
    found = verdicts(frame, aims, settings)
    results.mkdir(parents=True, exist_ok=True)
    for name, table in (("trajectory", frame), ("targets", aims), ("verdicts", found)):
        text = table.to_csv(index=False, float_format="%.4f", lineterminator="\n")
        write_atomic(results / f"{name}.csv", text)
    save(figure(frame, aims, settings), results, ("pdf", "png"))
    # trajectory.csv holds all that is drawn
    (results / "drift.csv").unlink()
    return found


def choices(settings: Settings, build: Path, results: Path) -> None:
    """Shares of the utterances by state, before and after each stage."""
    counts = pd.read_csv(build / "tables" / "measured" / "choices" / "counts.csv")
    ends = {
        "before": "hf/smollm2-sft@checkpoint-0",
        "supervised": f"hf/smollm2-sft@checkpoint-{settings.supervised.steps}",
        **{run: f"hf/smollm2-{run}@checkpoint-{settings.preference.steps}" for run in RUNS},
    }
    part = counts[counts["speaker"].isin(ends.values())].copy()
    names = {speaker: name for name, speaker in ends.items()}
    part["when"] = part["speaker"].map(names)
    shares = part["count"] / part.groupby(["speaker", "state"])["count"].transform("sum")
    table = part.assign(share=shares)[["when", "state", "utterance", "share"]]
    text = table.to_csv(index=False, float_format="%.4f", lineterminator="\n")
    write_atomic(results / "choices.csv", text)


def _panel(parameters: pd.Series) -> pd.Categorical:
    return pd.Categorical(parameters.map(PARAMETERS), list(PARAMETERS.values()), ordered=True)


def _words(row: pd.Series) -> str:
    return f"{row['mean']:.2f} [{row['hdi_low']:.2f}, {row['hdi_high']:.2f}]"


def _alt(frame: pd.DataFrame) -> str:
    parts = []
    for run in RUNS:
        last = frame[(frame["run"] == run) & (frame["step"] == frame["step"].max())]
        means = last.set_index("parameter")["mean"]
        parts.append(f"{run} ends at " + ", ".join(f"{p} {means[p]:.2f}" for p in PARAMETERS))
    return "Lines with ribbons over training steps: " + "; ".join(parts) + "."
