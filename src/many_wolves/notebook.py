"""Many-wolves in a notebook: from a table of choices to weights, figures and a report.

import many_wolves as mw

choices = mw.read_choices("choices.csv")
fit = mw.fit(choices, out="rsa-output/mine")
fit.weights
fit.figure("weights")
fit.report()
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from many_wolves.records import ChoiceTable

if TYPE_CHECKING:
    import plotnine as p9
    import xarray as xr

    from many_wolves.figures import Fitted


@dataclass(frozen=True)
class SpeakerFit:
    """A fit on disk, and what one asks of it in a notebook.

    Parameters
    ----------
    fitted
        The fit folder as figures and reports read it.
    """

    fitted: Fitted

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.fitted.folder

    @property
    def converged(self) -> bool:
        """Whether the sampler's diagnostics hold; do not use the numbers otherwise."""
        return self.fitted.converged

    @property
    def verdict(self) -> str:
        """What the diagnostics say, in words."""
        found = self.fitted.diagnostics["verdict"]
        return found if isinstance(found, str) else " ".join(found)

    @property
    def weights(self) -> pd.DataFrame:
        """One row a parameter and condition: mean, 95 % interval, R-hat.

        Columns parameter, condition, mean, sd, hdi_low, hdi_high and the diagnostics;
        parameters that conditions share have an empty condition.
        """
        summary = self.fitted.summary
        return summary[summary["parameter"] != "theta"].reset_index(drop=True)

    @property
    def draws(self) -> xr.DataTree:
        """The posterior and its companions, as ArviZ takes them."""
        return self.fitted.draws

    def figure(self, name: str = "weights") -> p9.ggplot:
        """A figure of ``wolves plot --list``; a notebook shows it.

        Raises
        ------
        WolvesError
            If there is none of that name, or this fit does not allow it.
        """
        return figure_of([self], name)

    def report(self) -> Path:
        """Write the HTML report beside the fit; returns its path."""
        from many_wolves.report import write_fit_report

        return write_fit_report(self.folder)

    def _repr_html_(self) -> str:
        grade = "converged" if self.converged else "NOT converged: do not use its numbers"
        table = self.weights.round(3).to_html(index=False, na_rep="")
        return f"<p><b>{self.fitted.label}</b>: {grade}. {self.verdict}</p>{table}"


def read_choices(
    choices: str | Path | pd.DataFrame,
    *,
    literal: pd.DataFrame | None = None,
    speaker: str | None = None,
) -> ChoiceTable:
    """A table of choices: a CSV file, a folder of ``wolves choices``, or a data frame.

    Parameters
    ----------
    choices
        Columns goal, state, utterance, count; speaker and framing may stand beside.
        With a CSV file, ``literal.csv`` of the same folder is read too.
    literal
        For a data frame: columns utterance, state, yes, n of the literal judgments.
    speaker
        Name of the speaker, where the table has several or none.

    Raises
    ------
    WolvesError
        If it cannot be read, or holds several speakers and none is named.
    """
    from many_wolves.commands.tables import human_or_table, of_one_speaker
    from many_wolves.families.politeness.from_csv import from_frame

    if not isinstance(choices, pd.DataFrame):
        return human_or_table(Path(choices), None, speaker)
    table = from_frame(choices, literal, speaker or "speaker")
    return of_one_speaker(table, speaker, "the data frame")


def people(name: str = "yoon2020") -> ChoiceTable:
    """The human choices that ship with the project: 203 people of Yoon et al. (2020)."""
    from many_wolves.commands.tables import human_or_table

    return human_or_table(None, name)


def fit(
    choices: ChoiceTable | str | Path | pd.DataFrame,
    *,
    out: str | Path | None = None,
    **options: Any,
) -> SpeakerFit:
    """Infer the weights of one speaker, and keep the fit in a folder.

    Parameters
    ----------
    choices
        A table, or what ``read_choices`` takes.
    out
        Folder of the fit; ``rsa-output/SPEAKER`` when left out.
    options
        Those of ``wolves fit``: ``literal="joint"``, ``utilities="inf,soc,pres"``,
        ``chains=4``, ``warmup=1000``, ``draws=1000``, ``seed=1``, ...

    Raises
    ------
    WolvesError
        If the table cannot be fitted. A fit that did not converge is given back, and
        says so in ``converged`` and ``verdict``.
    """
    from many_wolves.commands.fit import fit_into
    from many_wolves.commands.fit_options import FitOptions
    from many_wolves.files import file_name

    table = choices if isinstance(choices, ChoiceTable) else read_choices(choices)
    folder = Path(out) if out else Path("rsa-output") / file_name(table.speakers[0])
    fit_into(table, folder, FitOptions(**options))
    return read_fit(folder)


def read_fit(folder: str | Path) -> SpeakerFit:
    """A fit that ``fit`` or ``wolves fit`` has kept."""
    from many_wolves.figures import read_fitted

    return SpeakerFit(read_fitted(folder))


def figure_of(fits: Sequence[SpeakerFit], name: str) -> p9.ggplot:
    """One figure of several fits, as ``wolves plot NAME`` draws it."""
    from many_wolves.commands import plot

    return plot.figure_of(name, _named_apart(fits)).plot


def findings_of(fits: Sequence[SpeakerFit]) -> pd.DataFrame:
    """What several fits say together, one row a statement; see ``wolves findings``."""
    from many_wolves.findings import state, table

    return table(state(_named_apart(fits)).statements)


def report_on(fits: Sequence[SpeakerFit], out: str | Path, title: str = "Speakers") -> Path:
    """Write one page with several fits side by side."""
    from many_wolves.report import write_study_report

    return write_study_report(title, [one.folder for one in fits], out)


def _named_apart(fits: Sequence[SpeakerFit]) -> list[Fitted]:
    """The fits with names that differ, each folder once."""
    from many_wolves.figures import read_all

    return read_all(list(dict.fromkeys(one.folder for one in fits)))
