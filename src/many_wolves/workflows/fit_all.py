"""Fits every speaker of many tables, several at once."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from many_wolves import families
from many_wolves.contracts import Observations
from many_wolves.errors import WolvesError
from many_wolves.files import fingerprint, write_atomic
from many_wolves.progress import bar, log, step
from many_wolves.sources import nearest
from many_wolves.workflows.data import load, of_one, reference
from many_wolves.workflows.executors import executing
from many_wolves.workflows.fits import FitRequest, fit_into
from many_wolves.workflows.folder_names import folder_names
from many_wolves.workflows.folders import make_ready
from many_wolves.workflows.labels import write_labels
from many_wolves.workflows.models import options_of, single_model

ATTEMPTS = 3
"""Times that the fits of a killed worker process are started again."""
_LAST = "fit.json"
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, eq=False)
class Job:
    """Observations of one speaker, the folder of the fit, and the fingerprint of the request."""

    observations: Observations
    folder: Path
    asked: str
    facts: dict[str, Any]

    @property
    def done(self) -> bool:
        """Whether the folder contains the requested fit."""
        try:
            found: dict[str, Any] = json.loads((self.folder / _LAST).read_text())
        except (OSError, ValueError):
            return False
        return found.get("asked") == self.asked


@dataclass(frozen=True)
class Fitted:
    """A fit sent by a worker: its files by name, and its verdict."""

    files: dict[str, bytes]
    ok: bool
    verdict: str


@dataclass(frozen=True)
class Outcome:
    """The result of fitting many speakers.

    Parameters
    ----------
    folders
        Folders of all fits, including earlier ones.
    failed
        Fits that did not converge, in words.
    refused
        Speakers that could not be fitted and why, in words.
    reused
        Number of fits that were up to date.
    """

    folders: tuple[Path, ...]
    failed: tuple[str, ...]
    refused: tuple[str, ...]
    reused: int


def fit_many(
    observations: Sequence[Observations],
    out: Path,
    request: FitRequest,
    *,
    workers: int,
    cluster: str | None = None,
) -> Outcome:
    """Fit every speaker of some observations, each on one core; finished fits are kept.

    Parameters
    ----------
    observations
        Tables of one or more speakers each.
    out
        Folder; each speaker has a subfolder.
    request
        Settings of every fit.
    workers
        Number of fits at once.
    cluster
        Address of a dask scheduler, used instead of ``workers``.

    Raises
    ------
    WolvesError
        If an option is unknown or not allowed, or worker processes are killed repeatedly.
    """
    singles = singles_of(observations)
    _check_options(singles, request)
    jobs, refused = _jobs(singles, out, request)
    make_ready(out)
    missing = [job for job in jobs if not job.done]
    if len(missing) < len(jobs):
        log.info("%d of %d fits are up to date", len(jobs) - len(missing), len(jobs))
    failed = _fit(missing, request, workers, cluster, refused) if missing else []
    for job in jobs:
        if job.done:
            write_labels(job.observations, job.folder)
    folders = tuple(job.folder for job in jobs if job.done)
    return Outcome(folders, tuple(failed), tuple(refused), len(jobs) - len(missing))


def _check_options(singles: Sequence[Observations], request: FitRequest) -> None:
    """Refuse an option that a model lacks: no speaker could be fitted with it."""
    for table in {table.family: table for table in singles}.values():
        try:
            model = single_model(table, request.model)
        except WolvesError:
            continue  # An error in this table is reported for its speaker.
        options_of(model, request.options, request.variant)


def singles_of(observations: Sequence[Observations]) -> list[Observations]:
    """The observations of each speaker."""
    return [of_one(table, name) for table in observations for name in table.speakers]


def chosen(observations: Sequence[Observations], speakers: Sequence[str]) -> list[Observations]:
    """The observations of these speakers only.

    Raises
    ------
    WolvesError
        If one is in none of the tables.
    """
    known = [name for table in observations for name in table.speakers]
    for name in speakers:
        if name not in known:
            raise WolvesError(f"no table contains the speaker {name!r}", fix=nearest(name, known))
    return [
        of_one(table, name) for table in observations for name in table.speakers if name in speakers
    ]


def tables_in(place: Path, task: str | None = None) -> list[Observations]:
    """The tables of a CSV file, of one folder of ``wolves choices``, or of all in a folder.

    Raises
    ------
    WolvesError
        If there is none.
    """
    if place.is_file() or (place / "meta.json").is_file():
        return [load(place, task)]
    if not place.exists():
        raise WolvesError(
            "expected a folder or a CSV file with tables, found nothing there",
            where=place,
            fix="correct the path, or make tables with `wolves choices`",
        )
    found = [load(folder, task) for folder in sorted(place.glob("*/choices"))]
    if not found:
        raise WolvesError(
            "expected tables of choices, found none",
            where=place / "*" / "choices",
            fix="make them with `wolves choices`, or give a folder or a CSV file with tables",
        )
    return found


def people_of(tables: Sequence[Observations]) -> list[Observations]:
    """The reference data (people) of the tables' families, one set per family."""
    wanted = dict.fromkeys(table.family for table in tables) or {families.DEFAULT: None}
    found = []
    for name in wanted:
        spec = families.get(name).findings()
        known = families.get(name).references()
        first = next((r for r in known.values() if spec and r.speaker == spec.reference), None)
        if first is not None:
            found.append(reference(first.name))
    return found


def fit_files(observations: Observations, request: FitRequest, facts: dict[str, Any]) -> Fitted:
    """Fit on one core, in a process that may run on another machine; return the files."""
    # A worker of several threads would share one engine between fits.
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="wolves_") as folder:
        os.environ["MANY_WOLVES_ONE_CORE"] = "1"
        done = fit_into(observations, Path(folder), request, facts)
        files = {p.name: p.read_bytes() for p in Path(folder).iterdir() if p.is_file()}
    return Fitted(files, done.diagnostics.ok, " ".join(done.diagnostics.verdict))


def _jobs(
    singles: Sequence[Observations], out: Path, request: FitRequest
) -> tuple[list[Job], list[str]]:
    """The fits to make, and the reasons why others are impossible."""
    jobs, refused = [], []
    labels = [_label(table, singles) for table in singles]
    for table, name in zip(singles, folder_names(labels), strict=True):
        folder = out / name
        try:
            asked = _fingerprint(table, request)
            jobs.append(Job(table, folder, asked, request.record(table, folder) | {"asked": asked}))
        except WolvesError as error:
            refused.append(f"{table.speakers[0]} cannot be fitted: {error}")
    return jobs, refused


def _label(table: Observations, singles: Sequence[Observations]) -> str:
    """The speaker's name, with the folder of its table if several tables have that name."""
    name = str(table.speakers[0])
    alike = [other for other in singles if str(other.speakers[0]) == name]
    if len(alike) == 1 or alike[0] is table or "path" not in table.meta:
        return name
    return f"{Path(table.where).parent.parent.name} {name}"


def _fingerprint(observations: Observations, request: FitRequest) -> str:
    import numpy as np

    from many_wolves.inference.engines.programs import program_text

    model, problem = request.prepare(observations)
    data = {k: np.asarray(v).tolist() for k, v in problem.data.items()}
    options = {name: str(value) for name, value in problem.options.items()}
    settings = [model.name, options, request.sampling.model_dump(), request.report]
    return fingerprint([data, settings, program_text(problem.program)])


def _fit(
    jobs: Sequence[Job],
    request: FitRequest,
    workers: int,
    cluster: str | None,
    refused: list[str],
) -> list[str]:
    """Fit and write; return the fits that did not converge, in words; extend ``refused``."""
    if cluster is None:
        _compile(jobs[0], request)
    failed: list[str] = []
    left = list(jobs)
    with bar("fits") as advance:
        for _ in range(ATTEMPTS):
            try:
                with executing(min(workers, len(left)), cluster) as executor:
                    futures = {
                        executor.submit(fit_files, j.observations, request, j.facts): j
                        for j in left
                    }
                    advance(len(jobs) - len(left), len(jobs))
                    for future in as_completed(futures):
                        job = futures[future]
                        failed += _kept(job, future, refused)
                        left.remove(job)
                        advance(len(jobs) - len(left), len(jobs))
                return failed
            except BrokenProcessPool:
                log.warning("a worker process was killed; restarting its fits")
    raise WolvesError(
        f"worker processes were killed {ATTEMPTS} times; finished fits are kept",
        fix="run the same command again to resume; fewer --workers need less memory",
    )


def _kept(job: Job, future: Future[Fitted], refused: list[str]) -> list[str]:
    """Write the result of a worker."""
    name = job.observations.speakers[0]
    try:
        fitted = future.result()
    except WolvesError as error:
        refused.append(f"{name} cannot be fitted: {error}")
        return []
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / _LAST).unlink(missing_ok=True)
    for file in sorted(fitted.files, key=lambda f: f == _LAST):
        write_atomic(job.folder / file, fitted.files[file])
    return [] if fitted.ok else [f"{name}: {fitted.verdict} ({job.folder})"]


def _compile(job: Job, request: FitRequest) -> None:
    """Compile the program before the workers begin, so that the user sees what takes time."""
    from many_wolves import inference

    problem = request.prepare(job.observations)[1]
    inference.load(problem.program, request.sampling.engine, step)
