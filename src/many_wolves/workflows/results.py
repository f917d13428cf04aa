"""Fits in Python: the verdict first, then weights, draws, figures and a report."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from many_wolves import families
from many_wolves.errors import WolvesError
from many_wolves.replacement import refuse_other_page
from many_wolves.sources import nearest

if TYPE_CHECKING:
    import plotnine as p9
    import xarray as xr

    from many_wolves.figures import Fitted
    from many_wolves.report.verdict import Verdict


@dataclass(frozen=True, repr=False)
class SpeakerFit:
    """A fit on disk, with properties and methods for notebooks.

    Parameters
    ----------
    fitted
        The fit folder.
    """

    fitted: Fitted

    @property
    def folder(self) -> Path:
        """Path of the fit folder."""
        return self.fitted.folder

    @property
    def speaker(self) -> str:
        """Name of the speaker."""
        return self.fitted.speaker

    @property
    def converged(self) -> bool:
        """Whether the sampler's diagnostics are good; otherwise do not use the numbers."""
        return self.fitted.converged

    @property
    def verdict(self) -> str:
        """The verdict in one sentence: chains, task and model, as ``wolves fit`` prints it."""
        return self.judged.headline

    @property
    def judged(self) -> Verdict:
        """The verdict in its three parts: task, chains, model."""
        from many_wolves.report.verdict import judge

        return judge(self.fitted)

    @property
    def grade(self) -> str:
        """``good``, ``bad`` (not converged), or ``doubtful``.

        Doubtful: the speaker did not do the task, or the model does not describe it.
        """
        return self.judged.grade

    @property
    def r2(self) -> float:
        """Squared correlation of observed and predicted values; NaN if unknown."""
        found = self.fitted.info.get("r2")
        return float("nan") if found is None else float(found)

    @property
    def checks(self) -> pd.DataFrame:
        """Checks of whether the speaker did the task: name, ok, statement."""
        rows = self.fitted.info.get("checks", ())
        return pd.DataFrame(rows, columns=["name", "ok", "statement"])

    @property
    def weights(self) -> pd.DataFrame:
        """One row per parameter and condition: mean, 95 % interval, R-hat.

        Columns parameter, condition, mean, sd, hdi_low, hdi_high and the diagnostics;
        parameters that conditions share have an empty condition. Parameters with an
        entry for each of many cells are left out; ``summary`` has them.
        """
        return short(self.fitted.summary, self.fitted.info)

    @property
    def summary(self) -> pd.DataFrame:
        """The same for every parameter of the model."""
        return self.fitted.summary

    @property
    def draws(self) -> xr.DataTree:
        """The posterior and the other groups as an ArviZ DataTree."""
        return self.fitted.draws

    @property
    def command(self) -> str:
        """The command that reproduces this fit."""
        return str(self.fitted.info.get("command", ""))

    def figure(self, name: str = "weights") -> p9.ggplot:
        """A figure by its name in ``wolves plot --list``; a notebook displays it.

        Raises
        ------
        WolvesError
            If there is none with that name, or this fit does not allow it.
        """
        from many_wolves.workflows.figures import figure

        return figure([self.fitted], name).plot

    def report(self) -> Path:
        """Write the HTML report into the folder of the fit; return its path."""
        from many_wolves.report import write_fit_report

        return write_fit_report(self.folder)

    def __repr__(self) -> str:
        verdict = self.judged
        state = "converged" if self.converged else "NOT converged"
        if verdict.grade == "doubtful":
            state += ", but did NOT do the task" if verdict.idle else ", but NOT described"
        return (
            f"SpeakerFit({self.speaker!r}, {state}, r2={self.r2:.3f}, folder={str(self.folder)!r})"
        )

    def _repr_html_(self) -> str:
        from many_wolves.report.verdict import edge_words, moved_words

        verdict = self.judged
        parts = [f"<b>{html.escape(self.fitted.label)}: {html.escape(verdict.headline)}</b>"]
        parts += [html.escape(part.line) for part in verdict.parts]
        parts += [
            html.escape(sentence)
            for sentence in (*edge_words(self.fitted), *moved_words(self.fitted))
        ]
        table = self.weights.round(3).to_html(index=False, na_rep="")
        return "".join(f"<p>{part}</p>" for part in parts) + table


@dataclass(frozen=True, repr=False)
class Fits(Mapping[str, SpeakerFit]):
    """Fits of several speakers by their short names.

    Parameters
    ----------
    found
        The fits.
    refused
        Why other speakers could not be fitted, in words.
    """

    found: Mapping[str, SpeakerFit]
    refused: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> SpeakerFit:
        if name not in self.found:
            raise KeyError(f"no fit of {name!r}; {nearest(name, list(self.found))}")
        return self.found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def converged(self) -> bool:
        """Whether all of them converged."""
        return all(one.converged for one in self.found.values())

    @property
    def weights(self) -> pd.DataFrame:
        """The weights of all speakers, one row per speaker, parameter and condition."""
        parts = [one.weights.assign(speaker=name) for name, one in self.found.items()]
        if not parts:
            return pd.DataFrame(columns=["speaker", "parameter", "condition", "mean"])
        frame = pd.concat(parts, ignore_index=True)
        return frame[["speaker", *(c for c in frame if c != "speaker")]]

    def figure(self, name: str = "weights") -> p9.ggplot:
        """One figure of all fits, as ``wolves plot NAME`` draws it."""
        from many_wolves.workflows.figures import figure

        return figure(self._apart(), name).plot

    def findings(self) -> pd.DataFrame:
        """Findings from all fits, one row per statement; see ``wolves findings``."""
        from many_wolves.findings import state, table

        return table(state(self._apart()).statements)

    def report(self, out: str | Path, title: str = "Speakers side by side") -> Path:
        """Write one page that compares all fits; return its path."""
        from many_wolves.report import write_study_report

        if not self.found:
            raise no_fits()
        refuse_other_page(out)
        return write_study_report(title, [one.folder for one in self.found.values()], out)

    def _apart(self) -> list[Fitted]:
        """The fits with unique names, each folder once."""
        from many_wolves.figures import read_all

        return read_all(list(dict.fromkeys(one.folder for one in self.found.values())))

    def __repr__(self) -> str:
        bad = sum(not one.converged for one in self.found.values())
        told = f", {bad} not converged" if bad else ""
        return f"Fits({', '.join(map(repr, self.found))}{told})"

    def _repr_html_(self) -> str:
        rows = pd.DataFrame(
            [
                {
                    "speaker": name,
                    "verdict": one.judged.headline,
                    "r²": one.r2,
                    "failed checks": ", ".join(c["name"] for c in one.fitted.failed_checks),
                }
                for name, one in self.found.items()
            ]
        )
        refused = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.refused)
        return refused + rows.to_html(index=False, float_format=lambda x: f"{x:.3f}", na_rep="")


def no_fits() -> WolvesError:
    """The error for an empty list of fits."""
    return WolvesError("expected fits, found none", fix="give fits, or folders of fits")


def read_fits(folders: Sequence[str | Path], refused: Sequence[str] = ()) -> Fits:
    """Read several fit folders, of commands or of Python.

    Parameters
    ----------
    folders
        Fit folders.
    refused
        Why other speakers could not be fitted, in words.

    Returns
    -------
    Fits
        The fits by the short names of their speakers, which are made unique.

    Raises
    ------
    WolvesError
        If a folder is not a fit folder.
    """
    from many_wolves.figures import read_all

    return Fits({fit.label: SpeakerFit(fit) for fit in read_all(folders)}, tuple(refused))


def short(summary: pd.DataFrame, info: Mapping[str, object]) -> pd.DataFrame:
    """A summary without the parameters that have an entry for each of many cells.

    Parameters
    ----------
    summary
        One row per parameter and condition.
    info
        Content of ``fit.json``, with the family and the model.
    """
    left_out = details(str(info.get("family", families.DEFAULT)), str(info.get("model", "")))
    return summary[~summary["parameter"].isin(left_out)].reset_index(drop=True)


def details(family: str, model: str) -> set[str]:
    """Parameters of a model that have an entry for each of many cells."""
    try:
        models = families.get(family).models()
    except WolvesError:
        return set()
    found = models.get(model)
    return {p.name for p in found.parameters if p.detail} if found is not None else set()
