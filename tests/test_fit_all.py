"""Many fits at once: kept, gone on with, and safe from workers that die."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from many_wolves.cli import run
from many_wolves.commands.fit_all import command
from many_wolves.errors import WolvesError
from many_wolves.families.politeness.reading.human import choice_counts
from many_wolves.observations import Observations
from many_wolves.tables import write_table
from many_wolves.workflows.fit_all import fit_many, singles_of, tables_in
from many_wolves.workflows.fits import FitRequest
from many_wolves.workflows.folder_names import folder_names

SHORT = ("--no-human", "--warmup", "60", "--draws", "60", "--chains", "2", "--no-report")
SHORT = (*SHORT, "--engine", "httpstan", "--literal", "fixed", "--allow-unconverged")


@pytest.fixture
def tables(tmp_path):
    """Three speakers in two tables, each with a tenth of the human choices."""
    counts = choice_counts()
    for folder, speakers in enumerate((2, 1)):
        both = [
            counts.assign(speaker=f"lab/model-{folder}{i}", count=(counts["count"] // 10) + i)
            for i in range(speakers)
        ]
        write_table(
            Observations.from_rows("politeness", pd.concat(both, ignore_index=True), {}),
            tmp_path / "made" / f"t{folder}" / "choices",
        )
    return tmp_path / "made"


def marks(out: Path) -> dict[str, str]:
    return {p.parent.name: json.loads(p.read_text())["asked"] for p in out.glob("*/fit.json")}


def fit_all(tables: Path, out: Path, *options: str) -> int:
    return run(command, ["--tables", str(tables), "--out", str(out), *SHORT, *options])


@pytest.mark.stan
def test_every_speaker_is_fitted_and_nothing_is_fitted_twice(tables, tmp_path, capsys):
    out = tmp_path / "fits"
    assert fit_all(tables, out, "--workers", "2") == 0
    first = {p.name: (p / "posterior.nc").stat().st_mtime_ns for p in out.iterdir()}
    assert set(first) == {f"lab-model-{f}{i}" for f in range(2) for i in range(2 - f)}
    assert "3 of 3 done" in capsys.readouterr().err
    (out / "lab-model-10" / "fit.json").unlink()
    assert fit_all(tables, out, "--workers", "2") == 0
    assert "2 of 3 fits are up to date" in capsys.readouterr().err
    again = {p.name: (p / "posterior.nc").stat().st_mtime_ns for p in out.iterdir()}
    assert {name for name in first if again[name] != first[name]} == {"lab-model-10"}
    before = marks(out)
    assert fit_all(tables, out, "--workers", "2", "--seed", "2") == 0
    assert all(marks(out)[name] != before[name] for name in before)


@pytest.mark.stan
def test_a_table_that_cannot_be_fitted_does_not_stop_the_rest(tables, tmp_path, capsys):
    one_state = choice_counts().query("state == 1").assign(speaker="flat")
    write_table(Observations.from_rows("politeness", one_state, {}), tables / "flat" / "choices")
    bad = tables / "t0" / "choices" / "counts.csv"
    bad.write_text(bad.read_text().replace("not amazing", "not amazin"))
    assert fit_all(tables, tmp_path / "fits") == 2
    said = capsys.readouterr()
    assert "lab/model-00 cannot be fitted: " in said.out and "not amazin" in said.out
    assert "lab-model-10" in marks(tmp_path / "fits")


def test_no_tables_is_an_error(tmp_path, capsys):
    assert fit_all(tmp_path, tmp_path / "fits") == 2
    assert "expected tables of choices, found none" in capsys.readouterr().err
    assert fit_all(tmp_path / "none.csv", tmp_path / "fits") == 2
    assert "none.csv: expected a folder or a CSV file" in capsys.readouterr().err


def test_no_scheduler_is_an_error_at_once(tables, tmp_path, capsys):
    distributed = pytest.importorskip(
        "distributed", reason="dask is not installed (`uv sync --extra cluster`)"
    )
    assert fit_all(tables, tmp_path / "fits", "--cluster", "nowhere") == 2
    assert "no dask scheduler answers at nowhere" in capsys.readouterr().err
    # Whoever writes a file with xarray asks the default client, so none may be left.
    with pytest.raises(ValueError, match="No global client"):
        distributed.get_client()


@pytest.fixture
def cluster(tmp_path):
    """Address of a dask scheduler on loopback, and its two workers."""
    pytest.importorskip("distributed", reason="dask is not installed (`uv sync --extra cluster`)")
    dask = [sys.executable, "-m", "dask"]
    described = tmp_path / "scheduler.json"
    told = ["--scheduler-file", str(described)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [
        subprocess.Popen(
            [*dask, "scheduler", *told, "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
            **quiet,
        )
    ]
    while not described.exists():
        assert started[0].poll() is None
        time.sleep(0.05)
    for _ in range(2):
        worker = [*dask, "worker", *told, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        started.append(subprocess.Popen(worker, cwd=tmp_path, **quiet))
    yield json.loads(described.read_text())["address"], started[1:]
    for process in reversed(started):
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.stan
def test_a_dask_worker_killed_half_way_loses_nothing(tables, tmp_path, cluster):
    address, workers = cluster
    out = tmp_path / "fits"
    fit_them = ["fit-all", "--tables", str(tables), "--out", str(out), *SHORT]
    going = subprocess.Popen([sys.executable, "-m", "many_wolves", *fit_them, "--cluster", address])
    while not list(out.glob("*/fit.json")):
        assert going.poll() is None
        time.sleep(0.05)
    os.kill(workers[0].pid, signal.SIGKILL)
    assert going.wait(timeout=300) == 0
    assert len(marks(out)) == 3


def test_folder_names_of_speakers_differ():
    names = ["a/b", "a-b", "a b", "模型一", "模型二", "..", ".", "A-B", "con", "../x", "x" * 300]
    names += ["\u00e9", "e\u0301", "plain"]
    made = folder_names(names)
    assert len({name.lower() for name in made}) == len(names)
    assert made[-1] == "plain"
    again = folder_names(["a", "a", "A", "b", "b"])
    assert len({name.lower() for name in again}) == 5
    assert all(name and not name.startswith(".") and "/" not in name for name in made)
    assert max(map(len, made)) < 200 and "con" not in made


def test_an_option_that_no_model_has_is_refused_before_any_fit(tmp_path):
    choice_counts().to_csv(tmp_path / "one.csv", index=False)
    request = FitRequest({"litral": "fixed"})
    with pytest.raises(WolvesError, match="no option 'litral'"):
        fit_many(tables_in(tmp_path / "one.csv"), tmp_path / "out", request, workers=1)
    assert not (tmp_path / "out").exists()


def test_one_csv_file_of_many_speakers_is_taken_apart(tmp_path):
    counts = choice_counts()
    both = pd.concat([counts.assign(speaker=name) for name in ("007", "7", "3.10", "3.1")])
    both.to_csv(tmp_path / "many.csv", index=False)
    singles = singles_of(tables_in(tmp_path / "many.csv"))
    assert [table.speakers for table in singles] == [["007"], ["7"], ["3.10"], ["3.1"]]
    assert {table.total for table in singles} == {counts["count"].sum()}


def test_people_are_fitted_only_where_tables_are(tmp_path, capsys, monkeypatch):
    """A wrong folder once ended in a fit of people alone, with exit status 0."""
    monkeypatch.setattr("many_wolves.workflows.fit_all._fit", lambda *_: pytest.fail("fitted"))
    assert run(command, [str(tmp_path / "nowhere"), "--out", str(tmp_path / "fits")]) == 2
    assert "found nothing there" in capsys.readouterr().err


def test_an_absurd_number_of_workers_is_cut_to_what_a_machine_can_hold() -> None:
    from many_wolves.workflows.executors import executing

    with executing(10**26) as pool:
        assert vars(pool)["_max_workers"] == 1000


def test_a_script_without_a_main_guard_is_run_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from many_wolves.workflows.executors import executing\n"
        "print('begun')\n"
        "with executing(2) as pool:\n"
        "    print(pool.submit(pow, 2, 5).result())\n"
        "print(__file__, __spec__)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["begun", "32", f"{script} None", ""]
    assert not done.stderr
