"""Where a study's files are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FIT_FILES = ("posterior.nc", "summary.csv", "diagnostics.json", "fit.json")


@dataclass(frozen=True)
class Places:
    """Where a study's files are, below ``root``.

    Parameters
    ----------
    study
        Name of the study.
    root
        Folder that holds ``llm-output``, ``rsa-output``, ``plots`` and ``models``.
    """

    study: str
    root: Path = Path()

    @property
    def results(self) -> Path:
        """Folder of everything but answers and figures."""
        return self.root / "rsa-output" / self.study

    @property
    def trials(self) -> Path:
        """The compiled trials."""
        return self.results / "trials.jsonl"

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
        return self.root / "plots" / self.study

    def model(self, name: str) -> Path:
        """Folder of a prepared model."""
        return self.root / "models" / name

    def journal(self, name: str, settings: str) -> Path:
        """Answers of one speaker under settings with this fingerprint."""
        return self.root / "llm-output" / self.study / f"{name}-{settings}.jsonl"

    def parameters(self, name: str) -> Path:
        """Parameters of a simulated speaker."""
        return self.results / name / "parameters.json"

    def choices(self, name: str) -> Path:
        """Choice table of one speaker."""
        return self.results / name / "choices"

    def fit(self, name: str) -> Path:
        """Fit of one speaker or human reference."""
        return self.results / name / "fit"

    def labels(self, name: str) -> Path:
        """Factors of one speaker, by which findings group."""
        return self.results / name / "labels.json"

    @property
    def findings(self) -> Path:
        """Folder of the study's statements."""
        return self.results / "findings"

    def fit_files(self, name: str) -> tuple[Path, ...]:
        """What a fit holds, but for its page, which `wolves report` may write again."""
        return tuple(self.fit(name) / file for file in FIT_FILES)
