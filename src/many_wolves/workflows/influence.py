"""The influence of each item, participant or cell on the parameters of speakers."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from many_wolves.contracts import CognitiveModel, Observations, Problem
from many_wolves.errors import WolvesError
from many_wolves.files import write_atomic
from many_wolves.progress import step
from many_wolves.sources import nearest
from many_wolves.workflows.calls import command, shown
from many_wolves.workflows.fits import examined, facts_of, sampled
from many_wolves.workflows.folder_names import folder_names
from many_wolves.workflows.folders import make_ready
from many_wolves.workflows.models import options_of, single_model
from many_wolves.workflows.sampling import Sampling

if TYPE_CHECKING:
    import pandas as pd

    from many_wolves.inference import Fit

RATIOS = (0.5, 1.25)
"""Expected range of the median ratio of jackknife standard error to posterior standard
deviation. Below it, intervals are too wide for new items; above it, too narrow."""
MOST_MOVED = 3.0
"""Largest acceptable shift of a weight without one part, in posterior standard deviations."""


@dataclass(frozen=True)
class Influence:
    """The influence of each part on the fits of speakers.

    Parameters
    ----------
    by
        Unit that was left out: ``item``, ``participant`` or ``cell``.
    table
        One row per speaker, part, parameter and condition: mean, sd, method, Pareto k. ``shift``
        is the change of the mean in posterior standard deviations.
    spread
        One row per speaker, parameter and condition: jackknife standard error, its ratio to
        the posterior standard deviation, and the part that makes the largest shift.
    weights
        Names of the parameters in the summary.
    folder
        Where influence.csv, jackknife.csv, the figure and the fits are.
    """

    by: str
    table: pd.DataFrame
    spread: pd.DataFrame
    weights: tuple[str, ...]
    folder: Path

    @property
    def ok(self) -> bool:
        """Whether all numbers are reliable."""
        return bool(self.table["ok"].all())

    @property
    def summary(self) -> pd.DataFrame:
        """One row per speaker: median ratio over the weights, largest shift and its part."""
        import pandas as pd

        rows = []
        weights = self.spread[self.spread["parameter"].isin(self.weights)]
        refitted = self.table.drop_duplicates(["speaker", "left_out"])
        for speaker, own in weights.groupby("speaker", sort=False):
            most = own.iloc[int(own["shift"].abs().to_numpy().argmax())]
            parts = refitted[refitted["speaker"] == speaker]
            rows.append(
                {
                    "speaker": speaker,
                    "median_ratio": float(own["ratio"].median()),
                    "largest_shift": float(most["shift"]),
                    "of": f"{most['parameter']} {most['condition']}".strip(),
                    "left_out": most["left_out"],
                    "fitted_again": int((parts["how"] == "fitted again").sum()),
                    "parts": len(parts),
                }
            )
        return pd.DataFrame(rows)

    @property
    def criterion(self) -> tuple[str, ...]:
        """Sentences on whether ratios and shifts are as expected, overall and by speaker."""
        weights = self.spread[self.spread["parameter"].isin(self.weights)]
        by_speaker = weights.groupby("speaker", sort=False)["ratio"].median()
        outside = by_speaker[~by_speaker.between(*RATIOS)]
        least, most = RATIOS
        over_all = float(weights["ratio"].median())
        largest = float(weights["shift"].abs().max())
        named = ", ".join(f"{name} {ratio:.3f}" for name, ratio in outside.items())
        found = [
            f"Median ratio over {len(weights)} weights of {len(by_speaker)} speaker(s): "
            f"{over_all:.3f}; expected {least:g} to {most:g}: {_met(least <= over_all <= most)}."
        ]
        if len(by_speaker) > 1:
            within = len(by_speaker) - len(outside)
            found.append(
                f"By speaker, {within} of {len(by_speaker)} medians are in that range"
                + (f"; outside: {named}." if named else ".")
            )
        found.append(
            f"Largest shift of a weight without one {self.by}: {largest:.1f} posterior standard "
            f"deviations; expected at most {MOST_MOVED:g}: {_met(largest <= MOST_MOVED)}."
        )
        return tuple(found)

    def _repr_html_(self) -> str:
        state = "All numbers are reliable." if self.ok else "Some numbers are unreliable."
        verdict = "".join(f"<p>{html.escape(part)}</p>" for part in (state, *self.criterion))
        return verdict + str(self.summary.round(2).to_html(index=False))


def _met(as_expected: bool) -> str:
    return "met" if as_expected else "not met"


def measure_influence(
    speakers: Sequence[Observations],
    out: Path,
    *,
    by: str | None = None,
    model: str | None = None,
    options: Mapping[str, Any] | None = None,
    sampling: Sampling | None = None,
) -> Influence:
    """Fit each speaker, and again without each item, participant or cell.

    Parameters
    ----------
    speakers
        Observations, one speaker each.
    out
        Folder of influence.csv, jackknife.csv, the figure, and the fits by speaker.
    by
        ``cell``, or a cluster of the tables. None means their first cluster, or cells if they
        have none.

    Raises
    ------
    WolvesError
        If a table cannot be fitted, or has no such parts.
    """
    import pandas as pd

    from many_wolves.figures.influence import influence_figure
    from many_wolves.figures.save import save
    from many_wolves.inference.evaluation.influence import jackknife

    settings = sampling or Sampling()
    make_ready(out)
    tables, spreads = [], []
    found = single_model(speakers[0], model)
    weights = tuple(getattr(found, "contrasts", ())) or tuple(
        p.name for p in found.parameters if not p.detail
    )
    part = by
    names = [str(observations.speakers[0]) for observations in speakers]
    for observations, name, folder_name in zip(speakers, names, folder_names(names), strict=True):
        step(f"{name}:")
        problem = found.problem(observations, **options_of(found, options or {}))
        part = _part(problem, by if part is None else part)
        done, table = _one(observations, problem, found, settings, part, out / folder_name)
        tables.append(table.assign(speaker=name))
        spreads.append(jackknife(table, done.summary).assign(speaker=name))
    everything, spread = (pd.concat(frames, ignore_index=True) for frames in (tables, spreads))
    assert part is not None
    result = Influence(part, everything, spread, weights, out)
    save(influence_figure(everything[everything["parameter"].isin(weights)], part), out)
    write_atomic(out / "influence.csv", everything.to_csv(index=False))
    write_atomic(out / "jackknife.csv", spread.to_csv(index=False))
    write_atomic(out / "summary.csv", result.summary.to_csv(index=False))
    return result


def _part(problem: Problem, by: str | None) -> str:
    """The kind of part that is left out of a problem."""
    from many_wolves.inference.evaluation.influence import CELL

    known = [*problem.parts, CELL]
    if problem.without is None:
        raise WolvesError(
            "no part can be left out of this fit: its literal meanings are cut, or it has a bias "
            "of place",
            fix="--literal joint or --literal fixed, without --position-bias",
        )
    if by is None:
        return known[0]
    if by not in known:
        raise WolvesError(f"these answers have no {by} to leave out", fix=nearest(by, known))
    return by


def _one(
    observations: Observations,
    problem: Problem,
    model: CognitiveModel,
    sampling: Sampling,
    by: str,
    folder: Path,
) -> tuple[Fit, pd.DataFrame]:
    """The fit of a speaker, written to a folder, and its posterior without each part."""
    from many_wolves import inference
    from many_wolves.inference.evaluation.influence import influence

    program = inference.load(problem.program, sampling.engine, step)
    names = tuple(p.name for p in model.parameters if not p.detail)
    done = sampled(observations, problem, program, model, sampling)

    def refit(left: Problem) -> Fit:
        # A new search could miss the best mode. That would look like influence of the part.
        return sampled(observations, left, program, model, sampling, known=done.points)

    step(f"leaving out each {by}")
    table = influence(done, names, by, program, refit)
    told = command("influence", observations, {"by": by}, sampling, flags=["--out", shown(folder)])
    moved = table[table["shift"].abs() > 2][["left_out", "parameter", "condition", "shift"]]
    noted = [{"by": by} | row for row in json.loads(moved.to_json(orient="records"))]
    facts = facts_of(observations) | examined(done, model) | {"command": told, "influence": noted}
    inference.save(done, folder, facts)
    return done, table
