"""Studies in Python."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

from many_wolves.workflows.results import Fits, read_fits

if TYPE_CHECKING:
    import pandas as pd


class Study:
    """A study file: its tasks, speakers and fits.

    Parameters
    ----------
    file
        The YAML file.

    Raises
    ------
    WolvesError
        If it cannot be read, or violates the schema.
    """

    def __init__(self, file: str | Path) -> None:
        from many_wolves.study import StudyPaths, read_study

        self.file = Path(file)
        self.study = read_study(self.file)
        self.places = StudyPaths(self.study.study)

    @classmethod
    def new(
        cls,
        name: str,
        *,
        task: str = "politeness",
        provider: str = "",
        model: str = "",
        checkpoints: str | Path | None = None,
        out: str | Path | None = None,
    ) -> Study:
        """Write a study file with comments, as ``wolves study new`` does.

        Parameters
        ----------
        name
            Name of the study and of its results folder.
        task
            The task of the speakers.
        provider, model
            The speaker; by default a small model that runs anywhere.
        checkpoints
            A local model, or the folder of a training run's checkpoints.
        out
            The file (default: ``studies/NAME.yaml``).

        Raises
        ------
        WolvesError
            If the file exists, or the arguments do not define a valid study.
        """
        from many_wolves.study import NewStudy, new_study

        folder = None if checkpoints is None else Path(checkpoints)
        wanted = NewStudy(name, task, provider, model, folder)
        return cls(new_study(wanted, None if out is None else Path(out)))

    def status(self) -> pd.DataFrame:
        """One row per stage: stage, why it must run (empty if it is up to date), command."""
        import pandas as pd

        from many_wolves.study import StateFile, in_order, plan, shown, why

        done = StateFile(self.places.state).load()
        stages = in_order(plan(self.study, self.places))
        rows = [(s.name, why(s, done), shown(s.command)) for s in stages]
        return pd.DataFrame(rows, columns=["stage", "why", "command"])

    def run(self, *, again: bool = False) -> Fits:
        """Run the stages that are out of date; return the fits of its first task.

        Raises
        ------
        WolvesError
            If a stage fails; finished stages are kept.
        """
        from many_wolves.study.runner import run_study

        run_study(self.study, self.places, again=again)
        return self.fits()

    def fits(self) -> Fits:
        """The existing fits of its first task."""
        from many_wolves.study import fitted_names

        folders = [self.places.fit(name) for name in fitted_names(self.study)]
        return read_fits([folder for folder in folders if (folder / "fit.json").is_file()])

    @property
    def report(self) -> Path:
        """The study's report."""
        return self.places.report

    def __repr__(self) -> str:
        return f"Study({str(self.file)!r})"

    def _repr_html_(self) -> str:
        stages = self.status()
        done = f"{int((stages['why'] == '').sum())} of {len(stages)} stages are up to date."
        title = html.escape(self.study.title or self.study.study)
        return f"<p><b>{title}</b>: {done}</p>{stages.to_html(index=False)}"
