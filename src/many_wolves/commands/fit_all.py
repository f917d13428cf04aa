"""``wolves fit-all``: people and every speaker of every choice table, several at once."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from many_wolves.commands.executors import executing
from many_wolves.commands.fit_options import FitOptions, fit_options
from many_wolves.errors import WolvesError
from many_wolves.files import file_name, write_atomic
from many_wolves.records import ChoiceTable

ATTEMPTS = 3
"""Times that the fits which a killed worker took along are begun anew."""
_LAST = "fit.json"
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, eq=False)
class Job:
    """A table of one speaker, where its fit goes, and the fingerprint of what is asked."""

    table: ChoiceTable
    folder: Path
    asked: str

    @property
    def done(self) -> bool:
        """Whether its folder holds the fit that is asked for."""
        try:
            found: dict[str, Any] = json.loads((self.folder / _LAST).read_text())
        except (OSError, ValueError):
            return False
        return found.get("asked") == self.asked


@dataclass(frozen=True)
class Fitted:
    """A fit as it travels from a worker: its files by name, and its verdict."""

    files: dict[str, bytes]
    ok: bool
    verdict: str


@click.command("fit-all")
@click.option("--tables", default="rsa-output", show_default=True, type=click.Path(path_type=Path))
@click.option("--human/--no-human", default=True, show_default=True, help="Fit people as well.")
@fit_options
@click.option(
    "--workers", type=click.IntRange(1), help="Fits at once; as many as cores if not given."
)
@click.option("--cluster", metavar="ADDRESS", help="A dask scheduler, such as tcp://host:8786.")
@click.option(
    "--out", default="rsa-output/fits", show_default=True, type=click.Path(path_type=Path)
)
@click.option("--allow-unconverged", is_flag=True, help="Exit with 0 even if a fit failed.")
@click.option("--no-report", is_flag=True, help="Leave report.html out.")
def command(
    tables: Path,
    human: bool,
    out: Path,
    workers: int | None,
    cluster: str | None,
    **options: Any,
) -> int:
    """Fit the speakers of all tables in a folder: TABLES/*/choices.

    Several fits run at once, each on one core. A fit that is there already, of the
    same choices and options, is kept; interrupt it and run it again to go on.

    \b
    Exit status: 0 all converged, 1 some did not, 2 some cannot be fitted.
    """
    from many_wolves.inference.threads import cores

    chosen = FitOptions(**options)
    jobs, refused = _jobs(_tables(tables, human), out, chosen)
    missing = [job for job in jobs if not job.done]
    if len(missing) < len(jobs):
        click.echo(f"{len(jobs) - len(missing)} of {len(jobs)} are up to date", err=True)
    failed = _fit(missing, chosen, workers or cores(), cluster, refused) if missing else []
    for sentence in (*refused, *failed):
        click.echo(sentence)
    click.echo(f"{len(jobs) - len(failed)} sound fits in {out}")
    if refused:
        return 2
    return 1 if failed and not chosen.allow_unconverged else 0


def _tables(tables: Path, human: bool) -> list[tuple[str, ChoiceTable]]:
    """Table of one speaker after another, with the name of the folder it comes from."""
    from many_wolves.commands.tables import load_table
    from many_wolves.families.politeness.human import human_table

    found = [("people", human_table())] if human else []
    for folder in sorted(tables.glob("*/choices")):
        table = load_table(folder)
        found += [(folder.parent.name, table.of(name)) for name in table.speakers]
    if not found:
        raise WolvesError(
            "expected choice tables, found none",
            where=tables / "*" / "choices",
            mend="make them with `wolves choices`, or give their folder with --tables",
        )
    return found


def _jobs(
    tables: Sequence[tuple[str, ChoiceTable]], out: Path, options: FitOptions
) -> tuple[list[Job], list[str]]:
    """What is to be fitted, and why the rest cannot be."""
    jobs: dict[Path, Job] = {}
    refused = []
    for source, table in tables:
        name = table.speakers[0]
        folder = out / ("people" if source == "people" else file_name(name))
        if folder in jobs:
            folder = out / file_name(f"{source} {name}")
        try:
            jobs[folder] = Job(table, folder, _fingerprint(table, options))
        except WolvesError as error:
            refused.append(f"{name} cannot be fitted: {error}")
    return list(jobs.values()), refused


def _fingerprint(table: ChoiceTable, options: FitOptions) -> str:
    import numpy as np

    from many_wolves.commands.fit import asked
    from many_wolves.files import fingerprint
    from many_wolves.inference.engines.programs import program_text

    _, problem, _ = asked(table, options)
    data = {k: np.asarray(v).tolist() for k, v in problem.data.items()}
    return fingerprint([data, asdict(options), program_text(problem.program)])


def _fit(
    jobs: Sequence[Job],
    options: FitOptions,
    workers: int,
    cluster: str | None,
    refused: list[str],
) -> list[str]:
    """Fit and write; returns what did not converge, in words, and adds to ``refused``."""
    from many_wolves.commands.counting import counting

    if cluster is None:
        _compile(jobs[0], options)
    progress, failed = counting("fits"), []
    left = list(jobs)
    for _ in range(ATTEMPTS):
        try:
            with executing(min(workers, len(left)), cluster) as executor:
                futures = {executor.submit(fit_files, j.table, options, j.asked): j for j in left}
                progress(len(jobs) - len(left), len(jobs))
                for future in as_completed(futures):
                    job = futures[future]
                    failed += _kept(job, future, refused)
                    left.remove(job)
                    progress(len(jobs) - len(left), len(jobs))
            return failed
        except BrokenProcessPool:
            click.echo("  a worker was ended from outside; its fits are begun anew", err=True)
    raise WolvesError(
        f"workers were ended from outside {ATTEMPTS} times; the fits done so far are kept",
        mend="run the same command again to go on; with fewer --workers it needs less memory",
    )


def _kept(job: Job, future: Future[Fitted], refused: list[str]) -> list[str]:
    """Write what a worker brought."""
    name = job.table.speakers[0]
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


def _compile(job: Job, options: FitOptions) -> None:
    """Compile before the workers begin, so that the user sees why it takes time."""
    from many_wolves import inference
    from many_wolves.commands.fit import asked

    inference.load(asked(job.table, options)[1].program, options.engine, _say)


def fit_files(table: ChoiceTable, options: FitOptions, mark: str) -> Fitted:
    """Fit a table on one core, in a process that may lie on another machine."""
    from many_wolves import inference
    from many_wolves.commands.fit import asked, facts

    # A worker of several threads would share one engine between fits.
    with _one_at_a_time, tempfile.TemporaryDirectory(prefix="wolves_") as folder:
        os.environ["MANY_WOLVES_ONE_CORE"] = "1"
        model, problem, settings = asked(table, options)
        program = inference.load(problem.program, options.engine)
        done = inference.fit_carefully(problem, program, model.parameters, settings)
        inference.save(done, Path(folder), facts(table) | {"asked": mark})
        if not options.no_report:
            from many_wolves.report import write_fit_report

            write_fit_report(Path(folder))
        files = {p.name: p.read_bytes() for p in Path(folder).iterdir() if p.is_file()}
    return Fitted(files, done.diagnostics.ok, " ".join(done.diagnostics.verdict))


def _say(sentence: str) -> None:
    click.echo(f"  {sentence} ...", err=True)
