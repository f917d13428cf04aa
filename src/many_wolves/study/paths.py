"""Where a study's files are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

FIT_FILES = ("posterior.nc", "summary.csv", "diagnostics.json", "fit.json")


@dataclass(frozen=True)
class StudyPaths:
    """Where a study's files are, below ``root``.

    Parameters
    ----------
    study
        Name of the study.
    root
        Folder that holds ``llm-output``, ``rsa-output``, ``plots`` and ``models``.
    task
        A further task of the study, whose files lie apart; empty for its own.
    """

    study: str
    root: Path = Path()
    task: str = ""

    def of(self, task: str) -> StudyPaths:
        """The places of a further task."""
        return replace(self, task=task)

    def stage(self, kind: str, name: str = "") -> str:
        """Name of a stage: what it does, of which further task, for whom."""
        return " ".join(filter(None, (kind, self.task, name)))

    @property
    def results(self) -> Path:
        """Folder of everything but answers and figures."""
        return self.root / "rsa-output" / self.study

    @property
    def trials(self) -> Path:
        """The compiled trials."""
        return self.results / self.task / "trials.jsonl"

    @property
    def state(self) -> Path:
        """What is known of the stages."""
        return self.results / "study.json"

    @property
    def logs(self) -> Path:
        """Words of the stages that run in the background."""
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
        """Answers of one speaker under settings with this fingerprint."""
        file = "-".join(filter(None, (name, self.task, settings)))
        return self.root / "llm-output" / self.study / f"{file}.jsonl"

    def sessions(self, name: str, settings: str) -> Path:
        """Folder of the answers of one speaker and of those who sit with it."""
        return self.journal(name, settings).with_name(
            "-".join(filter(None, (name, self.task, settings)))
        )

    def seat(self, name: str) -> Path:
        """Settings of a speaker who sits with others."""
        return self.results / self.task / "seats" / f"{name}.json"

    def parameters(self, name: str) -> Path:
        """Parameters of a simulated speaker."""
        return self.results / name / self.task / "parameters.json"

    def choices(self, name: str) -> Path:
        """Choice table of one speaker."""
        return self.results / name / self.task / "choices"

    def fit(self, name: str) -> Path:
        """Fit of one speaker or human reference."""
        return self.results / name / self.task / "fit"

    def labels(self, name: str) -> Path:
        """Factors of one speaker, by which findings group."""
        return self.results / name / self.task / "labels.json"

    @property
    def findings(self) -> Path:
        """Folder of the study's statements."""
        return self.results / "findings"

    def fit_files(self, name: str) -> tuple[Path, ...]:
        """What a fit holds, except for its page, which `wolves report` may write again."""
        return tuple(self.fit(name) / file for file in FIT_FILES)
