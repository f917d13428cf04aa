"""The paths of a study's files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

FIT_FILES = ("posterior.nc", "summary.csv", "diagnostics.json", "fit.json")


@dataclass(frozen=True)
class StudyPaths:
    """The paths of a study's files below ``root``.

    Parameters
    ----------
    study
        Name of the study.
    root
        Folder that contains ``llm-output``, ``rsa-output``, ``plots`` and ``models``.
    task
        A further task of the study, which has separate folders; empty for the first.
    """

    study: str
    root: Path = Path()
    task: str = ""

    def of(self, task: str) -> StudyPaths:
        """The paths of a further task."""
        return replace(self, task=task)

    def stage(self, kind: str, name: str = "") -> str:
        """Name of a stage: its kind, its task (unless the first), and its speaker."""
        return " ".join(filter(None, (kind, self.task, name)))

    @property
    def results(self) -> Path:
        """Folder of everything except answers and figures."""
        return self.root / "rsa-output" / self.study

    @property
    def trials(self) -> Path:
        """The compiled trials."""
        return self.results / self.task / "trials.jsonl"

    @property
    def state(self) -> Path:
        """The record of finished stages."""
        return self.results / "study.json"

    @property
    def logs(self) -> Path:
        """Folder for the output of stages in the background."""
        return self.results / "logs"

    @property
    def report(self) -> Path:
        """The study's report."""
        return self.results / "report.html"

    @property
    def figures(self) -> Path:
        """Folder of the study's figures."""
        return self.root / "plots" / "-".join(filter(None, (self.study, self.task)))

    def model(self, name: str) -> Path:
        """Folder of a prepared model."""
        return self.root / "models" / name

    def journal(self, name: str, settings: str) -> Path:
        """Journal of one speaker under settings with this fingerprint."""
        file = "-".join(filter(None, (name, self.task, settings)))
        return self.root / "llm-output" / self.study / f"{file}.jsonl"

    def sessions(self, name: str, settings: str) -> Path:
        """Folder of the journals of one speaker and its co-players."""
        return self.journal(name, settings).with_name(
            "-".join(filter(None, (name, self.task, settings)))
        )

    def seat(self, name: str) -> Path:
        """File with the settings of a co-player."""
        return self.results / self.task / "seats" / f"{name}.json"

    def parameters(self, name: str) -> Path:
        """File with the parameters of a simulated speaker."""
        return self.results / name / self.task / "parameters.json"

    def choices(self, name: str) -> Path:
        """Choice table of one speaker."""
        return self.results / name / self.task / "choices"

    def fit(self, name: str) -> Path:
        """Fit of one speaker or human reference."""
        return self.results / name / self.task / "fit"

    def labels(self, name: str) -> Path:
        """File with the labels of one speaker, for findings."""
        return self.results / name / self.task / "labels.json"

    @property
    def findings(self) -> Path:
        """Folder of the study's statements."""
        return self.results / "findings"

    def fit_files(self, name: str) -> tuple[Path, ...]:
        """The files of a fit except its report, which `wolves report` may rewrite."""
        return tuple(self.fit(name) / file for file in FIT_FILES)
